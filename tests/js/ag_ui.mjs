// Reads AG-UI events with the real `HttpAgent`, in the version of a package alias (agui0, agui1).
//
// A request: {protocol: "agui0" | "agui1", wire (base64), split, initialState, history}. The
// answer: {history, state, interrupts, custom, subAgents, runError, error}. `history` is the
// conversation after the run, `interrupts` what the client has to answer, `runError` what RUN_ERROR
// said, `error` what the client itself had to complain about.

import { body } from "./wire.mjs";

export const AG_UIS = ["agui0", "agui1"];

export async function readAGUI(request) {
  const { HttpAgent } = await import(request.protocol);
  const seen = { custom: [], subAgents: [], steps: [], runError: null, events: 0 };
  const response = () =>
    new Response(body(request.wire, request.split ?? null), {
      headers: { "content-type": "text/event-stream" },
    });
  const agent = new HttpAgent({
    url: "http://localhost/agent",
    threadId: "t1",
    initialMessages: request.history ?? [{ id: "u1", role: "user", content: "Hi" }],
    initialState: request.initialState ?? {},
    fetch: async () => response(),
  });
  let error = null;
  try {
    await agent.runAgent(
      { runId: "r1" },
      {
        onEvent: () => void (seen.events += 1),
        onCustomEvent: ({ event: { name, value } }) => void seen.custom.push({ name, value }),
        onStepStartedEvent: ({ event }) => void seen.steps.push(event.stepName),
        onSubagentStartedEvent: ({ event: { type, ...started } }) =>
          void seen.subAgents.push(started),
        onSubagentFinishedEvent: ({ event: { subagentRunId } }) =>
          void seen.subAgents.push({ subagentRunId, finished: true }),
        onRunErrorEvent: ({ event: { message, code } }) => {
          seen.runError = { message, ...(code === undefined ? {} : { code }) };
        },
      },
    );
  } catch (reason) {
    error = String(reason);
  }
  const interrupts = agent.pendingInterrupts ?? [];
  return { id: request.id, history: agent.messages, state: agent.state, interrupts, ...seen, error };
}
