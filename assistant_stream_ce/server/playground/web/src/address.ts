const PARAMETER = "thread";

export const threadIdInUrl = (): string | undefined =>
  new URLSearchParams(window.location.search).get(PARAMETER) || undefined;

/** The address of a thread; without one, of a new thread. */
export const addressOf = (threadId: string | undefined): string => {
  const url = new URL(window.location.href);
  if (threadId === undefined) url.searchParams.delete(PARAMETER);
  else url.searchParams.set(PARAMETER, threadId);
  return url.href;
};

/** Puts the thread into the address bar, so that a reload or a shared link opens it again. */
export const showThreadInUrl = (threadId: string | undefined, how: "push" | "replace"): void => {
  const address = addressOf(threadId);
  if (address === window.location.href) return;
  window.history[how === "push" ? "pushState" : "replaceState"](null, "", address);
};

/** A name that nothing else has. `randomUUID` is missing on plain HTTP. */
export const newId = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};
