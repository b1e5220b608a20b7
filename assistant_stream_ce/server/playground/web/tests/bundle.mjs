// Loads a module of the page into Node, through the bundler that the page is built with.
import { build } from "vite";

export const load = async (path) => {
  const [{ output }] = await build({
    configFile: false,
    logLevel: "error",
    build: { lib: { entry: path, formats: ["es"] }, write: false, minify: false },
  });
  const code = Buffer.from(output[0].code).toString("base64");
  return import(`data:text/javascript;base64,${code}`);
};
