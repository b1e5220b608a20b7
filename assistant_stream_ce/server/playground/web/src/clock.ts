import { isObject, parseJSON } from "./json";
import { Store, tabStorage } from "./store";

/** How long an answer took, in milliseconds. */
export type Timing = {
  readonly first: number | undefined;
  readonly total: number;
  readonly isStopped: boolean;
};

const KEY = "assistant-stream-timings";
const MOST = 400;

const read = (): Map<string, Timing> => {
  const stored = parseJSON(tabStorage.read(KEY) ?? "");
  if (!isObject(stored)) return new Map();
  return new Map(Object.entries(stored) as [string, Timing][]);
};

/** Measures the answers of this tab; what it has measured outlives a reload. */
export class Clock {
  readonly timings = new Store<ReadonlyMap<string, Timing>>(read());
  #startedAt: number | undefined;
  #firstAt: number | undefined;

  start(): void {
    this.#startedAt = performance.now();
    this.#firstAt = undefined;
  }

  /** Something of the answer is to be seen. */
  seeAnswer(): void {
    this.#firstAt ??= performance.now();
  }

  /** The run is over; an answer that went on after a question adds up. */
  end(messageId: string | undefined, isStopped: boolean): void {
    const startedAt = this.#startedAt;
    this.#startedAt = undefined;
    if (messageId === undefined || (startedAt === undefined && !isStopped)) return;
    const now = performance.now();
    const before = this.timings.get().get(messageId);
    const first = this.#firstAt === undefined || startedAt === undefined ? undefined : this.#firstAt - startedAt;
    const entry: Timing = {
      first: before?.first ?? first,
      total: (before?.total ?? 0) + (startedAt === undefined ? 0 : now - startedAt),
      isStopped,
    };
    const timings = new Map([...this.timings.get(), [messageId, entry] as const].slice(-MOST));
    this.timings.set(timings);
    tabStorage.write(KEY, JSON.stringify(Object.fromEntries(timings)));
  }
}
