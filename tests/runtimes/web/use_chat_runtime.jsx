import { AssistantChatTransport, useChatRuntime } from "@assistant-ui/react-ai-sdk";
import { lastAssistantMessageIsCompleteWithToolCalls } from "ai7";
import { mountRuntime, query } from "./harness.jsx";

mountRuntime(() =>
  useChatRuntime({
    transport: new AssistantChatTransport({ api: query.api }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
  }),
);
