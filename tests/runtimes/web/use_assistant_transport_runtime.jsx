import {
  unstable_createMessageConverter as createMessageConverter,
  useAssistantTransportRuntime,
} from "@assistant-ui/react";
import { mountRuntime, query } from "./harness.jsx";

const messages = createMessageConverter((message) => message);

const pending = ({ pendingCommands }) =>
  pendingCommands
    .filter((command) => command.type === "add-message")
    .map(({ message }) => ({ role: "user", content: message.parts }));

mountRuntime(() =>
  useAssistantTransportRuntime({
    api: query.api,
    protocol: query.protocol,
    initialState: { messages: [] },
    headers: {},
    converter: (state, connection) => ({
      messages: messages.toThreadMessages([...state.messages, ...pending(connection)]),
      isRunning: connection.isSending,
    }),
  }),
);
