import { AssistantRuntimeProvider } from "@assistant-ui/react";
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { showThreadInUrl, threadIdInUrl } from "./address";
import { Banner } from "./components/Banner";
import { Header } from "./components/Header";
import { HelpDialog } from "./components/HelpDialog";
import { Inspector } from "./components/Inspector";
import { useStateBeforeRun } from "./components/StateTree";
import { Thread } from "./components/Thread";
import { ThreadList } from "./components/ThreadList";
import type { GraphState } from "./convert";
import { toFailure, type Failure } from "./failure";
import { useEscape, useMediaQuery, useShortcuts } from "./hooks";
import { isEmpty } from "./json";
import { SessionProvider, useChatRuntime, useGraphState } from "./runtime";
import { findRun, loadThread, type ActiveRun } from "./server";
import { ChatSession } from "./session";
import { hearOtherTabs } from "./tabs";
import { useThreads, type Threads } from "./threads";

/** Counts up with every thread that is opened, so each has a runtime of its own. */
type Visit = { readonly number: number; readonly threadId: string | undefined };

/** Where a thread's runtime starts: its state, and the run that is at work on it. */
type Start = { readonly state: GraphState; readonly run: ActiveRun | undefined };

type Loaded =
  | { readonly kind: "loading" }
  | { readonly kind: "ready"; readonly start: Start }
  | { readonly kind: "failed"; readonly failure: Failure };

const NEW: Start = { state: {}, run: undefined };

const MISSING: Failure = { title: "This thread does not exist", detail: undefined };

const load = async (threadId: string, signal: AbortSignal): Promise<Loaded> => {
  const stored = await loadThread(threadId, signal);
  if (stored?.isRunning === true) {
    const run = await findRun(threadId, signal);
    if (run !== undefined) return { kind: "ready", start: { state: run.state, run } };
    // It has ended in the meantime.
    const ended = await loadThread(threadId, signal);
    if (ended !== undefined) return { kind: "ready", start: { state: ended.state, run: undefined } };
  }
  if (stored === undefined) return { kind: "failed", failure: MISSING };
  return { kind: "ready", start: { state: stored.state, run: undefined } };
};

const useLoadedThread = (visit: Visit): Loaded => {
  const [loaded, setLoaded] = useState<{ visit: Visit; result: Loaded }>();
  useEffect(() => {
    if (visit.threadId === undefined) return;
    const abort = new AbortController();
    const finish = (result: Loaded) => {
      if (!abort.signal.aborted) setLoaded({ visit, result });
    };
    load(visit.threadId, abort.signal).then(finish, (error: unknown) =>
      finish({ kind: "failed", failure: toFailure(error) }),
    );
    return () => abort.abort();
  }, [visit]);
  if (visit.threadId === undefined) return { kind: "ready", start: NEW };
  return loaded?.visit === visit ? loaded.result : { kind: "loading" };
};

export const App = () => {
  const [visit, setVisit] = useState<Visit>(() => ({ number: 0, threadId: threadIdInUrl() }));
  const [current, setCurrent] = useState(visit.threadId);
  const threads = useThreads();
  const open = useCallback((threadId: string | undefined, how: "push" | "replace" | "none") => {
    if (how !== "none") showThreadInUrl(threadId, how);
    setCurrent(threadId);
    setVisit(({ number }) => ({ number: number + 1, threadId }));
  }, []);
  useEffect(() => {
    const onPopState = () => open(threadIdInUrl(), "none");
    window.addEventListener("popstate", onPopState);
    return () => window.removeEventListener("popstate", onPopState);
  }, [open]);
  useEffect(
    () =>
      hearOtherTabs((news) => {
        if (news.type === "deleted" && news.threadId === current) open(undefined, "replace");
      }),
    [current, open],
  );

  const shell: ShellProps = {
    threads,
    current,
    onOpen: (threadId) => open(threadId, "push"),
    onDelete: async (threadId) => {
      await threads.remove(threadId);
      if (threadId === current) open(undefined, "replace");
    },
  };
  const loaded = useLoadedThread(visit);
  if (loaded.kind === "ready") {
    return (
      <ChatPage
        key={visit.number}
        threadId={visit.threadId}
        start={loaded.start}
        onNamed={setCurrent}
        shell={shell}
      />
    );
  }
  return (
    <Shell {...shell}>
      <main className="chat chat-waiting">
        {loaded.kind === "loading" ? (
          <p className="loading" role="status">
            Loading the thread
          </p>
        ) : (
          <div className="waiting-notice">
            <Banner failure={loaded.failure} />
            <button type="button" className="button" onClick={() => open(undefined, "push")}>
              Start a new thread
            </button>
          </div>
        )}
      </main>
    </Shell>
  );
};

type ChatPageProps = {
  readonly threadId: string | undefined;
  readonly start: Start;
  readonly onNamed: (threadId: string) => void;
  readonly shell: ShellProps;
};

const ChatPage = ({ threadId, start, onNamed, shell }: ChatPageProps) => {
  const refresh = shell.threads.refresh;
  const events = useRef({ onNamed, onChanged: refresh });
  events.current = { onNamed, onChanged: refresh };
  const session = useMemo(
    () =>
      new ChatSession(threadId, start.run, {
        onNamed: (id) => events.current.onNamed(id),
        onChanged: () => events.current.onChanged(),
      }),
    [threadId, start],
  );
  const runtime = useChatRuntime(session, start.state);
  useEscape(useCallback(() => void session.stop(), [session]));
  useEffect(() => {
    const onVisible = () => {
      if (!document.hidden) void session.sync();
    };
    document.addEventListener("visibilitychange", onVisible);
    const stopHearing = hearOtherTabs((news) => {
      if (news.type === "changed" && news.threadId === session.threadId) void session.sync();
    });
    return () => {
      document.removeEventListener("visibilitychange", onVisible);
      stopHearing();
    };
  }, [session]);
  return (
    <SessionProvider value={session}>
      <AssistantRuntimeProvider runtime={runtime}>
        <Workspace shell={shell}>
          <Thread hasHistory={(start.state.messages?.length ?? 0) > 0} />
        </Workspace>
      </AssistantRuntimeProvider>
    </SessionProvider>
  );
};

type WorkspaceProps = { readonly shell: ShellProps; readonly children: ReactNode };

/** The thread and, once there is something to see in it, the inspector. */
const Workspace = ({ shell, children }: WorkspaceProps) => {
  const isWide = useMediaQuery("(min-width: 1100px)");
  const hasState = useGraphState((state) =>
    Object.entries(state).some(([key, value]) => key !== "messages" && !isEmpty(value)),
  );
  const before = useStateBeforeRun();
  const [chosen, setChosen] = useState<boolean>();
  useEffect(() => setChosen(undefined), [isWide]);
  const isOpen = chosen ?? (isWide && hasState);
  const panel = { isOpen, onToggle: () => setChosen(!isOpen) };
  return (
    <Shell
      {...shell}
      panel={panel}
      aside={
        isOpen && <Inspector isDocked={isWide} before={before} onClose={() => setChosen(false)} />
      }
    >
      {children}
    </Shell>
  );
};

type ShellProps = {
  readonly threads: Threads;
  readonly current: string | undefined;
  readonly onOpen: (threadId: string | undefined) => void;
  readonly onDelete: (threadId: string) => Promise<void>;
};

type PanelSwitch = { readonly isOpen: boolean; readonly onToggle: () => void };

type ShellSlots = {
  readonly panel?: PanelSwitch;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
};

/** What stands around every thread: the list, the header, and the keys that work everywhere. */
const Shell = ({ panel, aside, children, ...shell }: ShellProps & ShellSlots) => {
  const isWide = useMediaQuery("(min-width: 900px)");
  const [chosen, setChosen] = useState<boolean>();
  const [isHelpOpen, setHelpOpen] = useState(false);
  useEffect(() => setChosen(undefined), [isWide]);
  const hasList = shell.threads.list !== undefined;
  const isListOpen = hasList && (chosen ?? isWide);
  const openNew = () => {
    if (!isWide) setChosen(undefined);
    shell.onOpen(undefined);
  };
  useShortcuts({
    "mod+shift+o": openNew,
    "mod+shift+l": () => setChosen(!isListOpen),
    "mod+shift+e": () => panel?.onToggle(),
    "/": () => document.querySelector<HTMLElement>(".composer-input")?.focus(),
    "?": () => setHelpOpen(true),
  });
  return (
    <div className="app">
      {isListOpen && (
        <ThreadList
          {...shell}
          list={shell.threads.list ?? []}
          onShowOlder={shell.threads.showOlder}
          isDocked={isWide}
          onOpen={(threadId) => {
            if (!isWide) setChosen(undefined);
            shell.onOpen(threadId);
          }}
          onNew={openNew}
          onClose={() => setChosen(false)}
        />
      )}
      <div className="stage">
        <Header
          title={shell.threads.list?.find((t) => t.threadId === shell.current)?.title}
          onNewThread={isListOpen ? undefined : openNew}
          onShowList={hasList && !isListOpen ? () => setChosen(true) : undefined}
          onShowHelp={() => setHelpOpen(true)}
          panel={panel}
        />
        <div className="columns">
          {children}
          {aside}
        </div>
      </div>
      {isHelpOpen && <HelpDialog onClose={() => setHelpOpen(false)} />}
    </div>
  );
};
