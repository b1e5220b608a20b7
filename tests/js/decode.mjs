// Decodes wires with the real clients, for the Python tests.
//
//   node decode.mjs data-stream < body          one wire on stdin, the result as JSON
//   node decode.mjs --serve                     JSON lines in, JSON lines out, until stdin ends
//
// A request: {id, protocol, wire (base64), strict, split, messages, chunks, initialState}.
// `split` is null (fed whole), a number (pieces of that many bytes) or a list of piece sizes.
// A response: {id, message, messages?, chunks?, error, warnings}.

import { createInterface } from "node:readline";
import {
  AssistantMessageAccumulator,
  AssistantTransportDecoder,
  DataStreamDecoder,
  unstable_createInitialMessage as createInitialMessage,
} from "assistant-stream";

const DECODERS = {
  "data-stream": DataStreamDecoder,
  "assistant-transport": AssistantTransportDecoder,
};

let logged = [];
for (const level of ["log", "info", "warn", "error"]) {
  console[level] = (...args) =>
    logged.push(`${level}: ${args.map(String).join(" ")}`);
}
process.on("unhandledRejection", (reason) =>
  logged.push(`unhandled rejection: ${String(reason)}`),
);

function* pieces(bytes, split) {
  const sizes = Array.isArray(split) ? [...split] : null;
  let start = 0;
  while (start < bytes.length) {
    const size = sizes ? sizes.shift() : split;
    const end = size === undefined || size === null ? bytes.length : start + size;
    yield bytes.subarray(start, end);
    start = end;
  }
}

const source = (bytes, split) => {
  const iterator = pieces(bytes, split);
  return new ReadableStream({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
};

// What depends on the clock is dropped, and `content`, an alias of `parts`.
const plain = (message) => {
  const { content, ...rest } = message;
  const { timing, ...metadata } = rest.metadata;
  const parts = rest.parts.map(({ timing: _, ...part }) => part);
  return { ...rest, parts, metadata };
};

async function decode(request) {
  const { protocol, wire, strict = true, split = null, initialState } = request;
  const Decoder = DECODERS[protocol];
  if (!Decoder) throw new Error(`Unknown protocol: ${protocol}`);
  logged = [];
  const chunks = [];
  const messages = [];
  let error = null;
  try {
    const stream = source(Buffer.from(wire, "base64"), split)
      .pipeThrough(new Decoder({ strict }))
      .pipeThrough(
        new TransformStream({
          transform(chunk, controller) {
            if (request.chunks) chunks.push(structuredClone(chunk));
            controller.enqueue(chunk);
          },
        }),
      )
      .pipeThrough(
        new AssistantMessageAccumulator({
          strict,
          initialMessage: createInitialMessage(
            initialState === undefined ? {} : { unstable_state: initialState },
          ),
        }),
      );
    const reader = stream.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (request.messages || messages.length === 0) messages.push(value);
      else messages[0] = value;
    }
  } catch (reason) {
    error = String(reason);
  }
  // A rejection that nobody handles shows up one turn of the event loop later.
  await new Promise((resolve) => setImmediate(resolve));
  const last = messages.at(-1);
  return {
    id: request.id,
    message: last ? plain(last) : null,
    ...(request.messages ? { messages: messages.map(plain) } : {}),
    ...(request.chunks ? { chunks } : {}),
    error,
    warnings: logged,
  };
}

if (process.argv[2] === "--serve") {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let response;
    try {
      response = await decode(request);
    } catch (reason) {
      response = { id: request.id, failure: String(reason) };
    }
    process.stdout.write(`${JSON.stringify(response)}\n`);
  }
} else {
  const body = [];
  for await (const data of process.stdin) body.push(data);
  const response = await decode({
    protocol: process.argv[2] ?? "data-stream",
    wire: Buffer.concat(body).toString("base64"),
    messages: process.argv.includes("--messages"),
    strict: !process.argv.includes("--lenient"),
  });
  process.stdout.write(`${JSON.stringify(response, null, 2)}\n`);
}
