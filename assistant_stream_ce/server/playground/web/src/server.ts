import type { GraphState } from "./convert";
import { failureFromResponse } from "./failure";
import { isObject } from "./json";

/** What the list shows of a thread. */
export type ThreadSummary = {
  readonly threadId: string;
  readonly title: string;
  readonly updatedAt: string | undefined;
  readonly status: "idle" | "running" | "interrupted";
};

/** A run that the server is at work on, and the state that its replay starts from. */
export type ActiveRun = { readonly runId: string; readonly state: GraphState };

/** A thread as the server holds it. */
export type StoredThread = { readonly state: GraphState; readonly isRunning: boolean };

const ACCEPT = { Accept: "application/json" };
const JSON_BODY = { ...ACCEPT, "Content-Type": "application/json" };

const threadUrl = (threadId: string, rest = ""): string =>
  `./threads/${encodeURIComponent(threadId)}${rest}`;

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const summaryOf = (value: unknown): ThreadSummary | undefined => {
  if (!isObject(value)) return undefined;
  const threadId = textOf(value.id) ?? textOf(value.threadId);
  if (threadId === undefined) return undefined;
  const status = value.status === "running" || value.status === "interrupted" ? value.status : "idle";
  return { threadId, title: textOf(value.title) ?? "", updatedAt: textOf(value.updatedAt), status };
};

/** Some threads, and where the list goes on; `next` is `undefined` at its end. */
export type ThreadPage = {
  readonly threads: readonly ThreadSummary[];
  readonly next: string | undefined;
};

const PAGE = 50;

/** The threads of this visitor, newest first; `undefined` where the server keeps no list. */
export const listThreads = async (before?: string): Promise<ThreadPage | undefined> => {
  const query = new URLSearchParams({ limit: String(PAGE), ...(before !== undefined && { before }) });
  const response = await fetch(`./threads?${query}`, { headers: ACCEPT });
  if (response.status === 404 || response.status === 501) return undefined;
  if (!response.ok) throw await failureFromResponse(response);
  const body: unknown = await response.json();
  const fields = isObject(body) ? body : {};
  const threads = Array.isArray(fields.threads) ? fields.threads : [];
  return {
    threads: threads.map(summaryOf).filter((thread) => thread !== undefined),
    next: textOf(fields.next),
  };
};

/** A stored thread; `undefined` when there is none of that name. */
export const loadThread = async (
  threadId: string,
  signal?: AbortSignal,
): Promise<StoredThread | undefined> => {
  const response = await fetch(threadUrl(threadId, "/state"), {
    headers: ACCEPT,
    ...(signal !== undefined && { signal }),
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw await failureFromResponse(response);
  const body: unknown = await response.json();
  if (!isObject(body)) return { state: {}, isRunning: false };
  const values = isObject(body.values) ? body.values : {};
  const interrupts = Array.isArray(body.interrupts) ? body.interrupts : [];
  return {
    // A run in progress tells its interrupts as a key of the state; the history has them beside it.
    state: interrupts.length > 0 ? { ...values, interrupts } : values,
    isRunning: textOf(body.runId) !== undefined,
  };
};

/** The run that is at work on a thread, if there is one. */
export const findRun = async (
  threadId: string,
  signal?: AbortSignal,
): Promise<ActiveRun | undefined> => {
  const response = await fetch("./resume-state", {
    method: "POST",
    headers: JSON_BODY,
    body: JSON.stringify({ threadId }),
    ...(signal !== undefined && { signal }),
  });
  if (response.status === 204 || response.status === 404) return undefined;
  if (!response.ok) throw await failureFromResponse(response);
  const body: unknown = await response.json();
  const runId = isObject(body) ? textOf(body.runId) : undefined;
  if (!isObject(body) || runId === undefined) return undefined;
  return { runId, state: isObject(body.state) ? body.state : {} };
};

export const deleteThread = async (threadId: string): Promise<void> => {
  const response = await fetch(threadUrl(threadId), { method: "DELETE", headers: ACCEPT });
  if (!response.ok && response.status !== 404) throw await failureFromResponse(response);
};

/** Ends the run of a thread on the server; whether there was one to end. */
export const cancelRun = async (threadId: string): Promise<boolean> => {
  const response = await fetch(threadUrl(threadId, "/cancel"), {
    method: "POST",
    headers: JSON_BODY,
    body: "{}",
  });
  if (!response.ok) return false;
  const body: unknown = await response.json();
  return !isObject(body) || body.cancelled !== false;
};
