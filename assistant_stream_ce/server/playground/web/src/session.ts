import type { GraphState } from "./convert";
import { failureFromResponse } from "./failure";
import { isObject } from "./json";

const PARAMETER = "thread";

export const threadIdInUrl = (): string | undefined =>
  new URLSearchParams(window.location.search).get(PARAMETER) || undefined;

/** Puts the thread into the address bar, so that a reload or a shared link opens it again. */
export const showThreadInUrl = (threadId: string | undefined, how: "push" | "replace"): void => {
  const url = new URL(window.location.href);
  if (threadId === undefined) url.searchParams.delete(PARAMETER);
  else url.searchParams.set(PARAMETER, threadId);
  if (url.href === window.location.href) return;
  window.history[how === "push" ? "pushState" : "replaceState"](null, "", url);
};

/** The state of a stored thread, in the form the runtime starts from; `undefined` when there is no such thread. */
export const loadThread = async (
  threadId: string,
  signal: AbortSignal,
): Promise<GraphState | undefined> => {
  const response = await fetch(`./threads/${encodeURIComponent(threadId)}/state`, {
    headers: { Accept: "application/json" },
    signal,
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw await failureFromResponse(response);
  const body: unknown = await response.json();
  const values = isObject(body) && isObject(body.values) ? body.values : {};
  const interrupts = isObject(body) && Array.isArray(body.interrupts) ? body.interrupts : [];
  // A run in progress tells its interrupts as a key of the state; the history has them beside it.
  return interrupts.length > 0 ? { ...values, interrupts } : values;
};
