// The runtime brings its own version of the AG-UI client; the agent is the application's, in the
// version that the query string names.

import { useAgUiRuntime } from "@assistant-ui/react-ag-ui";
import { HttpAgent as OlderAgent } from "agui0";
import { HttpAgent as Agent } from "agui1";
import { mountRuntime, query } from "./harness.jsx";

const agent = new (query.agent === "0" ? OlderAgent : Agent)({ url: query.api });

mountRuntime(() => useAgUiRuntime({ agent }));
