// What every reader of a wire needs: the body in pieces, and whatever a client wrote to the console.

let logged = [];
for (const level of ["log", "info", "warn", "error"]) {
  console[level] = (...args) =>
    logged.push(`${level}: ${args.map(String).join(" ")}`);
}
process.on("unhandledRejection", (reason) =>
  logged.push(`unhandled rejection: ${String(reason)}`),
);

// Returns what has been logged since the last call. A rejection that nobody handles shows up one
// turn of the event loop later.
export const takeLog = async () => {
  await new Promise((resolve) => setImmediate(resolve));
  const taken = logged;
  logged = [];
  return taken;
};

// `split` is null (fed whole), a number (pieces of that many bytes) or a list of piece sizes.
export const body = (wire, split) => {
  const bytes = Buffer.from(wire, "base64");
  const sizes = Array.isArray(split) ? [...split] : null;
  let start = 0;
  return new ReadableStream({
    pull(controller) {
      if (start >= bytes.length) return controller.close();
      const size = (sizes ? sizes.shift() : split) ?? bytes.length;
      controller.enqueue(new Uint8Array(bytes.subarray(start, start + size)));
      start += size;
    },
  });
};
