import { isObject } from "./json";

/** A tool call in the form that a card shows. */
export type Call = {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly args: unknown;
  readonly argsText: string;
  readonly result?: unknown;
  readonly isError?: boolean | undefined;
  readonly artifact?: unknown;
  readonly messages?: unknown;
};

/** What was said or done in a sub-agent, in order. */
export type Entry =
  | { readonly kind: "said" | "answered" | "thought"; readonly text: string }
  | { readonly kind: "called"; readonly call: Call };

type Dict = Record<string, unknown>;

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((block) => (typeof block === "string" ? block : isObject(block) ? block.text : undefined))
    .filter((text) => typeof text === "string")
    .join("");
};

const thoughtOf = (content: unknown): string =>
  (Array.isArray(content) ? content : [])
    .filter(isObject)
    .map((block) => (block.type === "reasoning" ? block.reasoning ?? block.text : block.thinking))
    .filter((text) => typeof text === "string")
    .join("");

const objectsIn = (value: unknown): Dict[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** Calls as LangChain has them, or as the parts of a thread message. */
const callsOf = (message: Dict, results: ReadonlyMap<unknown, Dict>): Entry[] => {
  const parts = objectsIn(message.content).filter((part) => part.type === "tool-call");
  const own = parts.map((part): Call => ({
    toolCallId: String(part.toolCallId),
    toolName: String(part.toolName),
    args: part.args,
    argsText: typeof part.argsText === "string" ? part.argsText : JSON.stringify(part.args ?? {}),
    ...("result" in part && { result: part.result }),
    isError: part.isError === true,
    artifact: part.artifact,
    messages: part.messages,
  }));
  const dumped = objectsIn(message.tool_calls).map((call): Call => {
    const result = results.get(call.id);
    return {
      toolCallId: String(call.id),
      toolName: String(call.name),
      args: call.args,
      argsText: JSON.stringify(call.args ?? {}),
      ...(result !== undefined && { result: result.content }),
      isError: result?.status === "error",
      artifact: result?.artifact,
    };
  });
  return [...own, ...dumped].map((call) => ({ kind: "called", call }));
};

const isFrom = (message: Dict, ...names: string[]): boolean =>
  names.includes(String(message.type ?? message.role)) || names.includes(String(message.role));

/** The conversation of a sub-agent in entries; messages of LangChain or of assistant-ui. */
export const entriesOf = (messages: unknown): Entry[] => {
  const known = objectsIn(messages);
  const results = new Map(
    known.filter((m) => isFrom(m, "tool")).map((m) => [m.tool_call_id as unknown, m]),
  );
  return known.flatMap((message): Entry[] => {
    if (isFrom(message, "human", "user")) return [{ kind: "said", text: textOf(message.content) }];
    if (!isFrom(message, "ai", "assistant", "AIMessageChunk")) return [];
    const thought = thoughtOf(message.content);
    const text = textOf(
      Array.isArray(message.content)
        ? message.content.filter((b) => !isObject(b) || b.type !== "reasoning")
        : message.content,
    );
    return [
      ...(thought.trim() === "" ? [] : [{ kind: "thought" as const, text: thought }]),
      ...(text.trim() === "" ? [] : [{ kind: "answered" as const, text }]),
      ...callsOf(message, results),
    ];
  });
};

/** The conversation inside a call: on the call itself, in its artifact, or told while it runs. */
export const transcriptOf = (call: Call, told?: unknown): Entry[] => {
  if (Array.isArray(call.messages)) return entriesOf(call.messages);
  const artifact = isObject(call.artifact) ? call.artifact : {};
  const state = isObject(artifact.subgraph_state) ? artifact.subgraph_state : {};
  return entriesOf(state.messages ?? told);
};

/** What of an artifact is left to see beside the transcript. */
export const artifactOf = (call: Call): unknown => {
  if (!isObject(call.artifact) || !("subgraph_state" in call.artifact)) return call.artifact;
  const { subgraph_state: _shown, ...rest } = call.artifact;
  return Object.keys(rest).length > 0 ? rest : undefined;
};
