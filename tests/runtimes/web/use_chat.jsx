// The AI SDK's own hook, in the version that the query string names.
import * as ai5 from "ai5";
import * as ai5react from "ai5react";
import * as ai6 from "ai6";
import * as ai6react from "ai6react";
import * as ai7 from "ai7";
import * as ai7react from "ai7react";
import { Conversation, PICK_COLOR, history, mount, query } from "./harness.jsx";

const sdk = { 5: ai5, 6: ai6, 7: ai7 }[query.version];
const { useChat } = { 5: ai5react, 6: ai6react, 7: ai7react }[query.version];
const transport = new sdk.DefaultChatTransport({ api: query.api });

const initial = query.thread ? { id: query.thread, messages: await history("ui") } : {};

const plainPart = (part, chat) => {
  if (part.type === "text") return { text: part.text };
  if (!part.type.startsWith("tool-")) return null;
  const { input: args, output, errorText } = part;
  const name = part.type.slice(5);
  const call = { name, args, result: output ?? errorText, isError: errorText !== undefined };
  if (part.state !== "approval-requested") return { call };
  const { id } = part.approval;
  return { call, decide: (approved) => chat.addToolApprovalResponse({ id, approved }) };
};

// Version 5 knows no approvals.
const isComplete = (options) =>
  sdk.lastAssistantMessageIsCompleteWithToolCalls(options) ||
  sdk.lastAssistantMessageIsCompleteWithApprovalResponses?.(options);

mount(function Client() {
  const chat = useChat({
    ...initial,
    transport,
    sendAutomaticallyWhen: isComplete,
    onToolCall: async ({ toolCall }) => {
      if (toolCall.toolName !== PICK_COLOR.toolName) return;
      const output = await PICK_COLOR.execute(toolCall.input);
      chat.addToolOutput({ tool: toolCall.toolName, toolCallId: toolCall.toolCallId, output });
    },
  });
  const messages = chat.messages.map(({ role, parts }) => ({
    role,
    parts: parts.map((part) => plainPart(part, chat)).filter(Boolean),
  }));
  return (
    <Conversation
      messages={messages}
      isRunning={chat.status === "submitted" || chat.status === "streaming"}
      problem={chat.error && String(chat.error)}
      send={(text) => chat.sendMessage({ text })}
    />
  );
});
