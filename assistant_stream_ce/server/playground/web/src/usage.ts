import type { GraphState } from "./convert";
import { isObject } from "./json";

export type Usage = { readonly input: number; readonly output: number };

/** What the model calls of one answer have used, and whether the answer was stopped. */
export type Account = { readonly usage: Usage | undefined; readonly isStopped: boolean };

const STOPPED = new Set(["stopped", "cancelled", "canceled"]);

const isStopped = (message: Record<string, unknown>): boolean =>
  [message.response_metadata, message.additional_kwargs]
    .filter(isObject)
    .some(
      (fields) =>
        fields.stopped === true ||
        fields.cancelled === true ||
        STOPPED.has(String(fields.finish_reason)),
    );

/** What stands in for the result of a call that was stopped. */
const STOPPED_CALL = "The call was stopped before it had a result.";

const isStoppedCall = (message: Record<string, unknown>): boolean =>
  message.type === "tool" && message.status === "error" && message.content === STOPPED_CALL;

const count = (value: unknown): number => (typeof value === "number" && value > 0 ? value : 0);

/** Adds up the messages from `messageId` to what the user says next: they are shown as one. */
export const accountOf = (state: GraphState, messageId: string): Account => {
  const messages = Array.isArray(state.messages) ? state.messages.filter(isObject) : [];
  const start = messages.findIndex((message) => message.id === messageId);
  let input = 0;
  let output = 0;
  let stopped = false;
  for (const message of start < 0 ? [] : messages.slice(start)) {
    if (message.type === "human") break;
    if (message.type === "ai") stopped = isStopped(message);
    else stopped ||= isStoppedCall(message);
    if (!isObject(message.usage_metadata)) continue;
    input += count(message.usage_metadata.input_tokens);
    output += count(message.usage_metadata.output_tokens);
  }
  return { usage: input + output > 0 ? { input, output } : undefined, isStopped: stopped };
};

/** Milliseconds in words. */
export const durationInWords = (milliseconds: number): string => {
  if (milliseconds < 950) return `${Math.round(milliseconds / 10) * 10} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};
