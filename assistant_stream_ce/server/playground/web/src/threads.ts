import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { deleteThread, listThreads, type ThreadSummary } from "./server";
import { hearOtherTabs, tellOtherTabs } from "./tabs";

export type Threads = {
  /** `undefined` before the list has come, and where the server keeps none. */
  readonly list: readonly ThreadSummary[] | undefined;
  /** Loads older ones; left out where the list is whole. */
  readonly showOlder: (() => void) | undefined;
  readonly refresh: () => void;
  readonly remove: (threadId: string) => Promise<void>;
};

/** Milliseconds between looks at a list in which something is running. */
const POLL = 4_000;

/** The visitor's threads, kept up to date while the page is looked at. */
export const useThreads = (): Threads => {
  const [list, setList] = useState<readonly ThreadSummary[]>();
  const [older, setOlder] = useState<readonly ThreadSummary[]>([]);
  const [next, setNext] = useState<string>();
  const latest = useRef(0);
  const refresh = useCallback(() => {
    const number = ++latest.current;
    listThreads().then(
      (page) => {
        if (number !== latest.current) return;
        setList(page?.threads);
        setNext((known) => known ?? page?.next);
      },
      () => {
        // Out of reach for now: the list stays as it was.
      },
    );
  }, []);
  const showOlder = () => {
    if (next === undefined) return;
    listThreads(next).then(
      (page) => {
        setOlder([...older, ...(page?.threads ?? [])]);
        setNext(page?.next ?? "");
      },
      () => undefined,
    );
  };
  const remove = useCallback(
    async (threadId: string) => {
      await deleteThread(threadId);
      tellOtherTabs({ type: "deleted", threadId });
      const isOther = (thread: ThreadSummary) => thread.threadId !== threadId;
      setList((threads) => threads?.filter(isOther));
      setOlder((threads) => threads.filter(isOther));
      refresh();
    },
    [refresh],
  );
  useEffect(() => {
    refresh();
    const onVisible = () => {
      if (!document.hidden) refresh();
    };
    document.addEventListener("visibilitychange", onVisible);
    const stopHearing = hearOtherTabs(refresh);
    return () => {
      document.removeEventListener("visibilitychange", onVisible);
      stopHearing();
    };
  }, [refresh]);
  const isBusy = list?.some((thread) => thread.status === "running") ?? false;
  useEffect(() => {
    if (!isBusy) return;
    const timer = window.setInterval(() => {
      if (!document.hidden) refresh();
    }, POLL);
    return () => window.clearInterval(timer);
  }, [isBusy, refresh]);
  const whole = useMemo(() => {
    const ids = new Set(list?.map((thread) => thread.threadId));
    return list && [...list, ...older.filter((thread) => !ids.has(thread.threadId))];
  }, [list, older]);
  return { list: whole, showOlder: next ? showOlder : undefined, refresh, remove };
};
