import { AssistantChatTransport, useChatRuntime } from "@assistant-ui/react-ai-sdk";
import {
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
} from "ai7";
import { history, mountRuntime, query } from "./harness.jsx";

const initial = query.thread ? { messages: await history("ui") } : {};
const headers = query.thread ? { "x-thread-id": query.thread } : {};

mountRuntime(() =>
  useChatRuntime({
    ...initial,
    transport: new AssistantChatTransport({ api: query.api, headers }),
    sendAutomaticallyWhen: (options) =>
      lastAssistantMessageIsCompleteWithToolCalls(options) ||
      lastAssistantMessageIsCompleteWithApprovalResponses(options),
  }),
);
