export type JSONValue =
  | string
  | number
  | boolean
  | null
  | readonly JSONValue[]
  | { readonly [key: string]: JSONValue };

export type JSONObject = { readonly [key: string]: JSONValue };

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether there is nothing to see in a value. */
export const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

/** The parsed value, or `undefined` when the text is not (yet) JSON. */
export const parseJSON = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** Deep equality; branches that are the same object are not looked into. */
export const isEqual = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => isEqual(item, b[i]));
  }
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]))
    );
  }
  return false;
};

/**
 * Indents JSON text that may still be growing.
 *
 * Works on characters, not on a parse, so every prefix of the text is laid out
 * as it will be at the end and lines do not jump while arguments stream in.
 */
export const indentJSON = (text: string): string => {
  let out = "";
  let depth = 0;
  let inString = false;
  const newLine = () => "\n" + "  ".repeat(depth);
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (inString) {
      out += char;
      if (char === "\\") out += text[++i] ?? "";
      else if (char === '"') inString = false;
    } else if (char === '"') {
      inString = true;
      out += char;
    } else if (char === "{" || char === "[") {
      depth++;
      const rest = text.slice(i + 1).trimStart();
      out += char;
      if (rest !== "" && rest[0] !== "}" && rest[0] !== "]") out += newLine();
    } else if (char === "}" || char === "]") {
      depth = Math.max(0, depth - 1);
      const last = out.trimEnd().at(-1);
      out = out.trimEnd();
      if (last !== "{" && last !== "[") out += newLine();
      out += char;
    } else if (char === ",") {
      out += char + newLine();
    } else if (char === ":") {
      out += ": ";
    } else if (!/\s/.test(char)) {
      out += char;
    }
  }
  return out.trimEnd();
};

/** One line that tells what a value holds, for a closed card. */
export const summarise = (value: unknown, limit = 120): string => {
  const text = summaryText(value).replace(/\s+/g, " ").trim();
  return text.length > limit ? `${text.slice(0, limit - 1).trimEnd()}…` : text;
};

const DEEPEST = 3;
const WIDEST = 8;

const summaryText = (value: unknown, depth = 0): string => {
  if (Array.isArray(value)) {
    if (value.length > WIDEST || depth >= DEEPEST) return `${value.length} items`;
    const items = value.map((item) => summaryText(item, depth + 1)).join(", ");
    return depth === 0 ? items : `[${items}]`;
  }
  if (!isObject(value)) return typeof value === "string" ? value.slice(0, 400) : String(value);
  const entries = Object.entries(value).slice(0, WIDEST);
  const text =
    depth >= DEEPEST
      ? "…"
      : entries.map(([key, item]) => `${key}: ${summaryText(item, depth + 1)}`).join(", ");
  return depth === 0 ? text : `{ ${text} }`;
};
