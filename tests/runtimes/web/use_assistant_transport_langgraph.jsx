// The assistant-transport client with a graph's own state: LangChain messages and interrupts.

import {
  unstable_createMessageConverter as createMessageConverter,
  useAssistantTransportRuntime,
} from "@assistant-ui/react";
import { mountRuntime, query } from "./harness.jsx";

let threadId = query.thread;
const stored = threadId && (await (await fetch(`/threads/${threadId}/state`)).json());
const initialState = stored?.values ?? { messages: [] };

const converter = createMessageConverter((message) => message);

const textOf = ({ content }) =>
  typeof content === "string" ? content : content.map(({ text }) => text ?? "").join("");

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return {}; // It still grows.
  }
};

// An assistant's messages and the results between them are one message of the thread.
const toThread = (messages) => {
  const thread = [];
  for (const message of messages) {
    const { id, type } = message;
    const text = textOf(message) ? [{ type: "text", text: textOf(message) }] : [];
    if (type === "human") thread.push({ id, role: "user", content: text });
    if (type === "ai") {
      if (thread.at(-1)?.role !== "assistant") thread.push({ id, role: "assistant", content: [] });
      const calls = message.tool_calls.map((call) => {
        const argsText = call.partial_json ?? JSON.stringify(call.args);
        const args = parsed(argsText);
        return { type: "tool-call", toolCallId: call.id, toolName: call.name, args, argsText };
      });
      thread.at(-1).content.push(...text, ...calls);
    }
    if (type === "tool") {
      const call = thread
        .flatMap(({ content }) => content)
        .find(({ toolCallId }) => toolCallId === message.tool_call_id);
      Object.assign(call, { result: textOf(message), isError: message.status === "error" });
    }
  }
  return thread;
};

const pending = ({ pendingCommands }) =>
  pendingCommands
    .filter((command) => command.type === "add-message")
    .map(({ message }) => ({ role: "user", content: message.parts }));

mountRuntime(() =>
  useAssistantTransportRuntime({
    api: query.api,
    protocol: query.protocol,
    initialState,
    headers: {},
    // The server names the thread in its first answer.
    onResponse: (response) => {
      threadId = response.headers.get("x-thread-id");
    },
    body: async () => (threadId ? { threadId } : {}),
    converter: (state, connection) => ({
      messages: converter.toThreadMessages([...toThread(state.messages), ...pending(connection)]),
      isRunning: connection.isSending,
    }),
  }),
);
