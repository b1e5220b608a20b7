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
  UIMessageStreamDecoder,
  unstable_createInitialMessage as createInitialMessage,
} from "assistant-stream";
import { AG_UIS, readAGUI } from "./ag_ui.mjs";
import { AI_SDKS, readUIMessage } from "./ai_sdk.mjs";
import { SENDERS, send } from "./requests.mjs";
import { body, takeLog } from "./wire.mjs";

const DECODERS = {
  "data-stream": DataStreamDecoder,
  "assistant-transport": AssistantTransportDecoder,
  "ui-message-stream": UIMessageStreamDecoder,
};

// Readers of other wires, by protocol; each gives an answer without `warnings`.
const READERS = Object.fromEntries([
  ...AI_SDKS.map((sdk) => [sdk, readUIMessage]),
  ...AG_UIS.map((version) => [version, readAGUI]),
  ...Object.keys(SENDERS).map((client) => [client, send]),
]);

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
  const chunks = [];
  const messages = [];
  let error = null;
  try {
    const stream = body(wire, split)
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
  const last = messages.at(-1);
  return {
    id: request.id,
    message: last ? plain(last) : null,
    ...(request.messages ? { messages: messages.map(plain) } : {}),
    ...(request.chunks ? { chunks } : {}),
    error,
  };
}

async function answer(request) {
  await takeLog();
  const read = READERS[request.protocol] ?? decode;
  return { ...(await read(request)), warnings: await takeLog() };
}

if (process.argv[2] === "--serve") {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let response;
    try {
      response = await answer(request);
    } catch (reason) {
      response = { id: request.id, failure: String(reason) };
    }
    process.stdout.write(`${JSON.stringify(response)}\n`);
  }
} else {
  const input = [];
  for await (const data of process.stdin) input.push(data);
  const response = await answer({
    protocol: process.argv[2] ?? "data-stream",
    wire: Buffer.concat(input).toString("base64"),
    messages: process.argv.includes("--messages"),
    strict: !process.argv.includes("--lenient"),
  });
  process.stdout.write(`${JSON.stringify(response, null, 2)}\n`);
}
