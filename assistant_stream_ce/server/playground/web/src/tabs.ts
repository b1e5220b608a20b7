/** What one tab tells the others of the same visitor. */
export type News =
  | { readonly type: "changed"; readonly threadId: string }
  | { readonly type: "deleted"; readonly threadId: string };

// Two pages under different prefixes of one host are not about the same threads.
const NAME = `assistant-stream:${new URL("./", window.location.href).pathname}`;

const channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel(NAME);

export const tellOtherTabs = (news: News): void => channel?.postMessage(news);

/** Calls back with the news of other tabs until the returned function is called. */
export const hearOtherTabs = (listener: (news: News) => void): (() => void) => {
  const onMessage = (event: MessageEvent) => listener(event.data as News);
  channel?.addEventListener("message", onMessage);
  return () => channel?.removeEventListener("message", onMessage);
};
