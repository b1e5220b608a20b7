import {
  InMemoryThreadListAdapter,
  useAssistantTransportRuntime,
  useAuiState,
  useRemoteThreadListRuntime,
  type AssistantRuntime,
} from "@assistant-ui/react";
import { createContext, useContext, useEffect, useMemo } from "react";
import { fileAttachments } from "./attachments";
import { createConverter, type GraphState } from "./convert";
import { isObject, type JSONValue } from "./json";
import type { ChatSession } from "./session";

declare module "@assistant-ui/react" {
  namespace Assistant {
    interface Commands {
      resume: { type: "resume"; id: string; value?: JSONValue; decisions?: readonly JSONValue[] };
      regenerate: { type: "regenerate"; messageId: string };
    }
  }
}

type TransportOptions = Parameters<typeof useAssistantTransportRuntime<GraphState>>[0];

const NO_STATE: GraphState = {};

/** The state of the graph; empty until the thread's runtime is in place. */
export const useGraphState = <T>(selector: (state: GraphState) => T): T =>
  useAuiState((s) => selector(isObject(s.thread.state) ? s.thread.state : NO_STATE));

const SessionContext = createContext<ChatSession | undefined>(undefined);

export const SessionProvider = SessionContext.Provider;

/** The thread that is open. */
export const useSession = (): ChatSession => {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("There is no thread here.");
  return session;
};

/** The runtime of one thread, which starts from the loaded state. */
export const useChatRuntime = (session: ChatSession, initialState: GraphState): AssistantRuntime => {
  const converter = useMemo(createConverter, []);
  const adapter = useMemo(() => new InMemoryThreadListAdapter(), []);
  const options: TransportOptions = {
    api: "./assistant",
    resumeApi: "./resume",
    initialState,
    converter,
    headers: {},
    capabilities: { edit: true },
    adapters: { attachments: fileAttachments },
    prepareSendCommandsRequest: session.prepare,
    onResponse: session.onResponse,
    onError: (error, { commands }) => session.onError(error, commands),
    onCancel: ({ commands }) => session.giveBack(commands),
    onFinish: session.onFinish,
  };
  // On its own the transport makes a new thread list whenever its component renders, which ends
  // the run and forgets the thread. Inside a list that stays, it keeps to that one.
  return useRemoteThreadListRuntime({
    adapter,
    runtimeHook: function useThreadRuntime() {
      const runtime = useAssistantTransportRuntime<GraphState>(options);
      useEffect(() => {
        session.attach(runtime.thread);
        return () => session.dispose();
      }, [runtime]);
      return runtime;
    },
  });
};
