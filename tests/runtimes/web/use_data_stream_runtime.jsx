import { useDataStreamRuntime } from "@assistant-ui/react-data-stream";
import { history, mountRuntime, query } from "./harness.jsx";

// A UI message stream counts two steps for each answer, and the runtime stops at two by default.
const maxSteps = Number(query.maxSteps ?? 2);

const initialMessages = await history("thread");
const body = query.thread ? { threadId: query.thread } : {};

mountRuntime(() => useDataStreamRuntime({ api: query.api, maxSteps, initialMessages, body }));
