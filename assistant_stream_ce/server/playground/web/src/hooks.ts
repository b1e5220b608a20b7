import { useCallback, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";

export const useMediaQuery = (query: string): boolean => {
  const subscribe = useCallback(
    (onChange: () => void) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", onChange);
      return () => list.removeEventListener("change", onChange);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
};

const THEME_KEY = "assistant-stream-theme";

const store = (key: string, value: string | undefined): void => {
  try {
    if (value === undefined) window.localStorage.removeItem(key);
    else window.localStorage.setItem(key, value);
  } catch {
    // Storage is blocked: the choice lasts until the page is closed.
  }
};

/** The theme in use and its switch; a choice equal to the system's follows the system again. */
export const useTheme = (): { readonly isDark: boolean; readonly toggle: () => void } => {
  const systemIsDark = useMediaQuery("(prefers-color-scheme: dark)");
  const [chosen, setChosen] = useState(document.documentElement.dataset.theme);
  const isDark = chosen === undefined ? systemIsDark : chosen === "dark";
  const toggle = useCallback(() => {
    const next = isDark ? "light" : "dark";
    const choice = (next === "dark") === systemIsDark ? undefined : next;
    if (choice === undefined) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    store(THEME_KEY, choice);
    setChosen(choice);
  }, [isDark, systemIsDark]);
  return { isDark, toggle };
};

/** Calls back when Escape is pressed and nothing nearer to the focus has used the key. */
export const useEscape = (onEscape: () => void): void => {
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
      if (document.querySelector("dialog[open]") !== null) return;
      onEscape();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [onEscape]);
};

/** Whether what is typed now goes into a field. */
const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");

const keysOf = (event: KeyboardEvent): string => {
  const isMod = event.ctrlKey || event.metaKey;
  if (!isMod) return event.key;
  return `mod+${event.shiftKey ? "shift+" : ""}${event.key.toLowerCase()}`;
};

/**
 * Keys that work everywhere: `mod+shift+o` (Control or Command), or one character outside fields.
 * They work as soon as the page is seen, hence the layout effect.
 */
export const useShortcuts = (actions: Readonly<Record<string, () => void>>): void => {
  const latest = useRef(actions);
  latest.current = actions;
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.altKey) return;
      const keys = keysOf(event);
      const action = latest.current[keys];
      if (action === undefined || document.querySelector("dialog[open]") !== null) return;
      if (!keys.startsWith("mod+") && isTyping(event.target)) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
};
