// Reads a UI message stream with the AI SDK, in the version of a package alias (ai5, ai7, ...).
//
// A request: {protocol: "ai5" | ..., wire (base64), split, messages, chat, history}. `history` is
// an assistant message that the stream continues. The answer: {message, messages?, error, chat?},
// where `chat` is what `useChat` (its engine, without React) made of the same body.

import { body } from "./wire.mjs";

export const AI_SDKS = ["ai5", "ai5old", "ai6", "ai6first", "ai7"];

const USER = { id: "u1", role: "user", parts: [{ type: "text", text: "Hi" }] };

const transport = (sdk, { wire, split = null }) =>
  new sdk.DefaultChatTransport({
    api: "http://localhost/api/chat",
    fetch: async () =>
      new Response(body(wire, split), {
        headers: { "x-vercel-ai-ui-message-stream": "v1" },
      }),
  });

export async function readUIMessage(request) {
  const sdk = await import(request.protocol);
  const messages = [];
  const errors = [];
  try {
    const stream = await transport(sdk, request).sendMessages({
      chatId: "chat1",
      trigger: "submit-message",
      messages: [USER],
    });
    const snapshots = sdk.readUIMessageStream({
      stream,
      message: request.history,
      onError: (error) => errors.push(String(error)),
    });
    for await (const message of snapshots) {
      if (request.messages || messages.length === 0) messages.push(message);
      else messages[0] = message;
    }
  } catch (reason) {
    errors.push(String(reason));
  }
  return {
    id: request.id,
    message: messages.at(-1) ?? null,
    ...(request.messages ? { messages } : {}),
    ...(request.chat ? { chat: await chatWith(sdk, request) } : {}),
    error: errors.length ? errors.join("; ") : null,
  };
}

// The state that `useChat` keeps for its chat, without React.
class ChatState {
  status = "ready";
  error = undefined;
  messages = [];
  pushMessage = (message) => {
    this.messages = [...this.messages, message];
  };
  popMessage = () => {
    this.messages = this.messages.slice(0, -1);
  };
  replaceMessage = (index, message) => {
    this.messages = this.messages.with(index, structuredClone(message));
  };
  snapshot = (value) => structuredClone(value);
}

async function chatWith(sdk, request) {
  const state = new ChatState();
  const seen = { requests: 0, data: [], toolCalls: [], finishReason: null };
  const inner = transport(sdk, request);
  class Chat extends sdk.AbstractChat {}
  const chat = new Chat({
    state,
    transport: {
      sendMessages: (options) => {
        seen.requests += 1;
        if (seen.requests > 1) throw new Error("sent again");
        return inner.sendMessages(options);
      },
    },
    sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls,
    onData: (part) => seen.data.push(part),
    onToolCall: ({ toolCall }) => void seen.toolCalls.push(toolCall.toolCallId),
    onFinish: (event) => {
      seen.finishReason ??= event.finishReason ?? null;
    },
  });
  await chat.sendMessage({ text: "Hi" });
  const message = chat.messages.find(({ role }) => role === "assistant");
  return {
    ...seen,
    message: message ?? null,
    status: chat.status,
    error: chat.error ? String(chat.error) : null,
  };
}
