import { useDataStreamRuntime } from "@assistant-ui/react-data-stream";
import { mountRuntime, query } from "./harness.jsx";

// A UI message stream counts two steps for each answer, and the runtime stops at two by default.
const maxSteps = Number(query.maxSteps ?? 2);

mountRuntime(() => useDataStreamRuntime({ api: query.api, maxSteps }));
