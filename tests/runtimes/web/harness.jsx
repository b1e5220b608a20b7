// Mounts a client of ours in a page and shows its messages plainly, for tests/runtimes/.
//
// To add a client:
//   1. add its npm package to tests/js/package.json (and the lock file);
//   2. write NAME.jsx beside this file: `mountRuntime` for a hook that gives an assistant-ui
//      runtime, `mount` for anything else. Its options are in the page's query string, so one
//      client can be tested against several endpoints;
//   3. give it an endpoint in tests/runtimes/backend.py and a row in CLIENTS there.
// Every .jsx file here but this one becomes a bundle of its own.

import {
  AssistantRuntimeProvider,
  useAssistantTool,
  useAuiState,
} from "@assistant-ui/react";
import { useState } from "react";
import { createRoot } from "react-dom/client";

export const query = Object.fromEntries(new URLSearchParams(location.search));

// The tool that the client runs itself; the backend only calls it.
export const PICK_COLOR = {
  toolName: "pick_color",
  description: "Let the user pick a colour.",
  parameters: { type: "object", properties: { of: { type: "string" } } },
  execute: async ({ of }) => ({ color: "blue", of }),
};

// What the thread that the query string names holds, in a client's own format; of no thread, nothing.
export const history = async (format) => {
  if (!query.thread) return [];
  const response = await fetch(`/threads/${query.thread}/messages?format=${format}`);
  return (await response.json()).messages;
};

export const mount = (Client) => {
  const root = document.body.appendChild(document.createElement("div"));
  createRoot(root).render(<Client />);
};

// A message is {role, parts}, a part {text} or {call: {name, args, result, isError}, decide}.
// `decide(approved)` is there while a person has to decide about the call.
export function Conversation({ messages, isRunning, problem, send }) {
  const [text, setText] = useState("");
  const submit = (event) => {
    event.preventDefault();
    setText("");
    send(text);
  };
  return (
    <main data-running={isRunning} data-problem={problem}>
      {messages.map(({ role, parts }, index) => (
        <article key={index} data-role={role}>
          {parts.map((part, place) =>
            part.call ? (
              <pre key={place}>{JSON.stringify(part.call)}</pre>
            ) : (
              <p key={place}>{part.text}</p>
            ),
          )}
        </article>
      ))}
      {messages
        .flatMap(({ parts }) => parts)
        .filter(({ decide }) => decide)
        .map(({ call, decide }, index) => (
          <nav key={index}>
            <button onClick={() => decide(true)}>Approve {call.name}</button>
            <button onClick={() => decide(false)}>Deny {call.name}</button>
          </nav>
        ))}
      <form onSubmit={submit}>
        <input value={text} onChange={(event) => setText(event.target.value)} />
        <button>Send</button>
      </form>
    </main>
  );
}

// A call without a result may still be running: it waits for a person once its message does, and
// the run is over (the AG-UI runtime takes no decision before).
const plainPart = (part, isWaiting, runtimeOf) => {
  if (part.type === "text") return { text: part.text };
  if (part.type !== "tool-call") return null;
  const { toolName: name, args, result, isError, approval } = part;
  const call = { name, args, result, isError: isError === true };
  const isDecided = result !== undefined || approval?.approved !== undefined;
  if (!isWaiting || isDecided || name === PICK_COLOR.toolName) return { call };
  const decide = (approved) => {
    const runtime = runtimeOf(part);
    if (approval) runtime.respondToToolApproval({ approved });
    else runtime.addToolResult({ approved });
  };
  return { call, decide };
};

export const mountRuntime = (useRuntime) => {
  function Thread({ runtime }) {
    const messages = useAuiState((state) => state.thread.messages);
    const isRunning = useAuiState((state) => state.thread.isRunning);
    useAssistantTool(PICK_COLOR);
    const shown = messages.map(({ id, role, content, status }) => {
      const isWaiting = !isRunning && status?.type === "requires-action";
      const runtimeOf = ({ toolCallId }) =>
        runtime.thread.getMessageById(id).getMessagePartByToolCallId(toolCallId);
      const parts = content.map((part) => plainPart(part, isWaiting, runtimeOf));
      return { role, parts: parts.filter(Boolean) };
    });
    const status = messages.at(-1)?.status;
    const problem = status?.reason === "error" ? JSON.stringify(status.error) : undefined;
    return (
      <Conversation
        messages={shown}
        isRunning={isRunning}
        problem={problem}
        send={(text) => runtime.thread.append(text)}
      />
    );
  }
  function Client() {
    const runtime = useRuntime();
    return (
      <AssistantRuntimeProvider runtime={runtime}>
        <Thread runtime={runtime} />
      </AssistantRuntimeProvider>
    );
  }
  mount(Client);
};
