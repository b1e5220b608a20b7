import type { GraphState } from "./convert";
import { isObject, parseJSON, type JSONObject } from "./json";
import { Store, tabStorage } from "./store";

/** The answers that a message has had, and which of them is shown. */
export type Siblings = {
  readonly index: number;
  readonly states: readonly GraphState[];
};

const MOST = 40;
const MOST_STORED = 1_500_000;

const messagesOf = (state: GraphState): readonly JSONObject[] =>
  Array.isArray(state.messages) ? (state.messages as readonly JSONObject[]) : [];

const idAt = (state: GraphState, index: number): unknown => messagesOf(state)[index]?.id;

const isBeginning = (state: GraphState, other: GraphState, count: number): boolean => {
  for (let i = 0; i < count; i++) if (idAt(state, i) !== idAt(other, i)) return false;
  return true;
};

/** The other ways that a thread has gone: what stood where a message was edited or asked again. */
export class Branches {
  readonly paths: Store<readonly GraphState[]>;
  readonly #key: string;

  constructor(threadId: string) {
    this.#key = `assistant-stream-branches:${threadId}`;
    const stored = parseJSON(tabStorage.read(this.#key) ?? "");
    this.paths = new Store(Array.isArray(stored) ? (stored.filter(isObject) as GraphState[]) : []);
  }

  /** Keep the thread as it stands, before it goes another way. */
  keep(state: GraphState): void {
    if (messagesOf(state).length === 0) return;
    // A question of that branch cannot be answered from another one.
    const kept: GraphState = { ...state, interrupts: [] };
    const isOlder = (path: GraphState) => isBeginning(path, state, messagesOf(path).length);
    const known = this.paths.get();
    const place = known.findIndex(isOlder);
    const others = known.filter((path) => !isOlder(path));
    const at = place < 0 ? others.length : place;
    const paths = [...others.slice(0, at), kept, ...others.slice(at)].slice(-MOST);
    this.paths.set(paths);
    const text = JSON.stringify(paths);
    if (text.length <= MOST_STORED) tabStorage.write(this.#key, text);
  }
}

/** What else has stood in the place of a message, the shown state included; the oldest first. */
export const siblingsOf = (
  shown: GraphState,
  paths: readonly GraphState[],
  messageId: string,
): Siblings | undefined => {
  const index = messagesOf(shown).findIndex((message) => message.id === messageId);
  if (index < 0) return undefined;
  const byId = new Map<unknown, GraphState>();
  for (const path of paths) {
    const id = idAt(path, index);
    if (id === undefined || !isBeginning(path, shown, index)) continue;
    // Of the ways that go on from one message, the one that was left last.
    byId.set(id, path);
  }
  if (!byId.has(messageId)) byId.set(messageId, shown);
  if (byId.size < 2) return undefined;
  return { index: [...byId.keys()].indexOf(messageId), states: [...byId.values()] };
};
