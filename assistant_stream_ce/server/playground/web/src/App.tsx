import { AssistantRuntimeProvider } from "@assistant-ui/react";
import { useCallback, useEffect, useState, type ReactNode } from "react";
import { Banner } from "./components/Banner";
import { Header } from "./components/Header";
import { StatePanel, useStateBeforeRun } from "./components/StatePanel";
import { Thread } from "./components/Thread";
import type { GraphState } from "./convert";
import { toFailure, type Failure } from "./failure";
import { useEscape, useMediaQuery } from "./hooks";
import { isEmpty } from "./json";
import { useChat, useGraphState } from "./runtime";
import { loadThread, showThreadInUrl, threadIdInUrl } from "./session";

const EMPTY: GraphState = {};

/** Counts up with every thread that is opened, so each has a runtime of its own. */
type Visit = { readonly number: number; readonly threadId: string | undefined };

type Loaded =
  | { readonly kind: "loading" }
  | { readonly kind: "ready"; readonly state: GraphState }
  | { readonly kind: "failed"; readonly failure: Failure };

const useLoadedThread = (visit: Visit): Loaded => {
  const [loaded, setLoaded] = useState<{ visit: Visit; result: Loaded }>();
  useEffect(() => {
    if (visit.threadId === undefined) return;
    const abort = new AbortController();
    const finish = (result: Loaded) => {
      if (!abort.signal.aborted) setLoaded({ visit, result });
    };
    loadThread(visit.threadId, abort.signal).then(
      (state) =>
        finish(
          state === undefined
            ? { kind: "failed", failure: { title: "This thread does not exist", detail: undefined } }
            : { kind: "ready", state },
        ),
      (error: unknown) => finish({ kind: "failed", failure: toFailure(error) }),
    );
    return () => abort.abort();
  }, [visit]);
  if (visit.threadId === undefined) return { kind: "ready", state: EMPTY };
  return loaded?.visit === visit ? loaded.result : { kind: "loading" };
};

export const App = () => {
  const [visit, setVisit] = useState<Visit>(() => ({ number: 0, threadId: threadIdInUrl() }));
  const open = useCallback((threadId: string | undefined) => {
    setVisit(({ number }) => ({ number: number + 1, threadId }));
  }, []);
  const openNew = useCallback(() => {
    showThreadInUrl(undefined, "push");
    open(undefined);
  }, [open]);
  useEffect(() => {
    const onPopState = () => open(threadIdInUrl());
    window.addEventListener("popstate", onPopState);
    return () => window.removeEventListener("popstate", onPopState);
  }, [open]);

  const loaded = useLoadedThread(visit);
  if (loaded.kind === "ready") {
    return (
      <ChatPage
        key={visit.number}
        threadId={visit.threadId}
        initialState={loaded.state}
        onNewThread={openNew}
      />
    );
  }
  return (
    <div className="app">
      <Header onNewThread={openNew} />
      <main className="chat chat-waiting">
        {loaded.kind === "loading" ? (
          <p className="loading" role="status">
            Loading the thread
          </p>
        ) : (
          <div className="waiting-notice">
            <Banner failure={loaded.failure} />
            <button type="button" className="button" onClick={openNew}>
              Start a new thread
            </button>
          </div>
        )}
      </main>
    </div>
  );
};

type ChatPageProps = {
  readonly threadId: string | undefined;
  readonly initialState: GraphState;
  readonly onNewThread: () => void;
};

const ChatPage = ({ threadId, initialState, onNewThread }: ChatPageProps) => {
  const { runtime, failure, dismissFailure } = useChat(threadId, initialState);
  useEscape(
    useCallback(() => {
      if (runtime.thread.getState().isRunning) runtime.thread.cancelRun();
    }, [runtime]),
  );
  return (
    <AssistantRuntimeProvider runtime={runtime}>
      <Workspace onNewThread={onNewThread}>
        <Thread
          hasHistory={(initialState.messages?.length ?? 0) > 0}
          failure={failure}
          onDismissFailure={dismissFailure}
        />
      </Workspace>
    </AssistantRuntimeProvider>
  );
};

type WorkspaceProps = { readonly onNewThread: () => void; readonly children: ReactNode };

/** The header, the thread and, once there is something to see in it, the state. */
const Workspace = ({ onNewThread, children }: WorkspaceProps) => {
  const isWide = useMediaQuery("(min-width: 1100px)");
  const hasState = useGraphState((state) =>
    Object.entries(state).some(([key, value]) => key !== "messages" && !isEmpty(value)),
  );
  const before = useStateBeforeRun();
  const [chosen, setChosen] = useState<boolean>();
  useEffect(() => setChosen(undefined), [isWide]);
  const isOpen = chosen ?? (isWide && hasState);
  return (
    <div className="app">
      <Header
        onNewThread={onNewThread}
        isPanelOpen={isOpen}
        onTogglePanel={() => setChosen(!isOpen)}
      />
      <div className="columns">
        {children}
        {isOpen && (
          <StatePanel isDocked={isWide} before={before} onClose={() => setChosen(false)} />
        )}
      </div>
    </div>
  );
};
