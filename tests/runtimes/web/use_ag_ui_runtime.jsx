// The runtime brings its own version of the AG-UI client; the agent is the application's, in the
// version that the query string names.

import { ExportedMessageRepository } from "@assistant-ui/core";
import { useAgUiRuntime } from "@assistant-ui/react-ag-ui";
import { HttpAgent as OlderAgent } from "agui0";
import { HttpAgent as Agent } from "agui1";
import { history, mountRuntime, query } from "./harness.jsx";

const threadId = query.thread;
const agent = new (query.agent === "0" ? OlderAgent : Agent)({ url: query.api, threadId });

const load = async () => ExportedMessageRepository.fromArray(await history("thread"));
const adapters = query.thread ? { history: { load, append: async () => {} } } : {};

mountRuntime(() => useAgUiRuntime({ agent, adapters }));
