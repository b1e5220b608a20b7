import {
  InMemoryThreadListAdapter,
  useAssistantTransportRuntime,
  useAuiState,
  useRemoteThreadListRuntime,
  type AssistantRuntime,
  type AssistantTransportCommand,
} from "@assistant-ui/react";
import { useCallback, useMemo, useRef, useState } from "react";
import { createConverter, type GraphState } from "./convert";
import { toFailure, type Failure } from "./failure";
import { isObject, type JSONValue } from "./json";
import { showThreadInUrl } from "./session";

declare module "@assistant-ui/react" {
  namespace Assistant {
    interface Commands {
      resume: { type: "resume"; id: string; value: JSONValue };
    }
  }
}

type TransportOptions = Parameters<typeof useAssistantTransportRuntime<GraphState>>[0];

const textOf = (commands: readonly AssistantTransportCommand[]): string =>
  commands
    .filter((command) => command.type === "add-message")
    .flatMap((command) => command.message.parts)
    .filter((part) => part.type === "text")
    .map((part) => part.text)
    .join("\n\n");

const NO_STATE: GraphState = {};

/** The state of the graph; empty until the thread's runtime is in place. */
export const useGraphState = <T>(selector: (state: GraphState) => T): T =>
  useAuiState((s) => selector(isObject(s.thread.state) ? s.thread.state : NO_STATE));

export type Chat = {
  readonly runtime: AssistantRuntime;
  readonly failure: Failure | undefined;
  readonly dismissFailure: () => void;
};

/** One thread's runtime: it starts from the loaded state and learns its id from the first answer. */
export const useChat = (threadId: string | undefined, initialState: GraphState): Chat => {
  const [failure, setFailure] = useState<Failure>();
  const threadIdRef = useRef(threadId);
  const runtimeRef = useRef<AssistantRuntime>(undefined);
  const converter = useMemo(createConverter, []);
  const adapter = useMemo(() => new InMemoryThreadListAdapter(), []);

  // A message the server never took goes back to where it was typed.
  const giveBack = useCallback((commands: readonly AssistantTransportCommand[]) => {
    const composer = runtimeRef.current?.thread.composer;
    const text = textOf(commands);
    if (composer !== undefined && text !== "" && composer.getState().text === "") {
      composer.setText(text);
    }
  }, []);

  const options: TransportOptions = {
    api: "./assistant",
    initialState,
    converter,
    headers: {},
    // Overrides the id of the runtime's own in-memory list: threads are named by the server.
    body: async () => {
      setFailure(undefined);
      return { threadId: threadIdRef.current };
    },
    onResponse: (response) => {
      const id = response.headers.get("x-thread-id");
      if (!response.ok || id === null || threadIdRef.current !== undefined) return;
      threadIdRef.current = id;
      showThreadInUrl(id, "replace");
    },
    onError: (error, { commands }) => {
      setFailure(toFailure(error));
      giveBack(commands);
    },
    onCancel: ({ commands }) => giveBack(commands),
  };
  // On its own the transport makes a new thread list whenever its component renders, which ends
  // the run and forgets the thread. Inside a list that stays, it keeps to that one.
  const runtime = useRemoteThreadListRuntime({
    adapter,
    runtimeHook: function useThreadRuntime() {
      return useAssistantTransportRuntime<GraphState>(options);
    },
  });
  runtimeRef.current = runtime;

  const dismissFailure = useCallback(() => setFailure(undefined), []);
  return { runtime, failure, dismissFailure };
};
