// Has the real clients send a conversation, and answers with the body that they send.
//
// A request: {protocol: "send-ai5" | "send-assistant-chat" | "send-data-stream" | ..., messages,
// options}. The messages are in the client's own format and checked by the client's own schema
// where it has one. The answer: {sent, prompt?, error}; `prompt` is what the AI SDK itself would
// show a model.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages' entry points load React; these modules do not.
const CHAT_TRANSPORT = "@assistant-ui/ai-sdk/dist/transport/AssistantChatTransport.js";
const DATA_STREAM = "@assistant-ui/react-data-stream/dist/converters/toLanguageModelMessages.js";

const inner = (path) => import(`./node_modules/${path}`);

const AI_SDKS = ["ai5", "ai6", "ai7"];

export const SENDERS = {
  ...Object.fromEntries(AI_SDKS.map((sdk) => [`send-${sdk}`, sendWithAISDK])),
  "send-assistant-chat": sendWithAssistantChat,
  "send-data-stream": sendWithDataStream,
  "send-agui0": sendWithAGUI,
  "send-agui1": sendWithAGUI,
};

export async function send(request) {
  let answer;
  try {
    answer = { ...(await SENDERS[request.protocol](request)), error: null };
  } catch (reason) {
    answer = { sent: null, error: String(reason) };
  }
  return { id: request.id, ...answer };
}

// A fetch that remembers the body and answers with nothing.
const recorder = () => {
  const recorded = { body: null };
  recorded.fetch = async (_, init) => {
    recorded.body = JSON.parse(init.body);
    return new Response(new ReadableStream({ start: (stream) => stream.close() }), {
      headers: { "content-type": "text/event-stream" },
    });
  };
  return recorded;
};

const TRIGGER = { chatId: "chat1", trigger: "submit-message" };

async function sendWithAISDK({ protocol, messages, options }) {
  const sdk = await import(protocol.slice("send-".length));
  await sdk.validateUIMessages({ messages });
  const recorded = recorder();
  const transport = new sdk.DefaultChatTransport({ api: "http://localhost", fetch: recorded.fetch });
  await transport.sendMessages({ ...TRIGGER, ...options, messages });
  return { sent: recorded.body, prompt: await sdk.convertToModelMessages(messages) };
}

async function sendWithAssistantChat({ messages, options: { context, ...options } }) {
  const { AssistantChatTransport } = await inner(CHAT_TRANSPORT);
  const recorded = recorder();
  const transport = new AssistantChatTransport({ api: "http://localhost", fetch: recorded.fetch });
  transport.setRuntime({
    thread: { getModelContext: () => context },
    threads: { mainItem: { initialize: async () => ({ remoteId: "thread1" }) } },
  });
  await transport.sendMessages({ ...TRIGGER, ...options, messages });
  return { sent: recorded.body };
}

// The body is put together as `useDataStreamRuntime` does; its parts come from the client's code.
async function sendWithDataStream({ messages, options = {} }) {
  const { fromThreadMessageLike } = await import("@assistant-ui/core");
  const { toToolsJSONSchema } = await import("assistant-stream");
  const { toLanguageModelMessages } = await inner(DATA_STREAM);
  const { context = {}, ids = false, ...rest } = options;
  const status = { type: "complete", reason: "unknown" };
  const thread = messages.map((message, i) => fromThreadMessageLike(message, `m${i}`, status));
  const body = {
    system: context.system,
    messages: toLanguageModelMessages(thread, { unstable_includeId: ids }),
    tools: toToolsJSONSchema(context.tools ?? {}),
    ...rest,
    runConfig: {},
    ...context.callSettings,
    ...context.config,
  };
  return { sent: JSON.parse(JSON.stringify(body)) };
}

// The schemas of the very version of the protocol that a version of the client speaks.
async function schemas(client) {
  const { resolve } = createRequire(new URL(`./node_modules/${client}/package.json`, import.meta.url));
  const path = client === "agui0" ? "@ag-ui/core" : "@ag-ui/core/schemas";
  return import(pathToFileURL(resolve(path)));
}

async function sendWithAGUI({ protocol, messages, options: { state, resume, ...options } }) {
  const client = protocol.slice("send-".length);
  const { HttpAgent } = await import(client);
  const { MessageSchema } = await schemas(client);
  messages.forEach((message) => MessageSchema.parse(message));
  const recorded = recorder();
  const agent = new HttpAgent({
    url: "http://localhost",
    threadId: "t1",
    initialMessages: messages,
    initialState: state ?? {},
    fetch: recorded.fetch,
  });
  // An answer to an interrupt is only sent when one waits.
  if (resume) agent.pendingInterrupts = resume.map(({ interruptId }) => ({ id: interruptId }));
  await agent.runAgent({ runId: "r1", ...options, ...(resume ? { resume } : {}) });
  return { sent: recorded.body };
}
