import { isObject, parseJSON } from "./json";
import { Store } from "./store";

/** One line of the wire as it came in. */
export type Frame = {
  readonly number: number;
  /** Milliseconds since the run's request. */
  readonly at: number;
  readonly kind: string;
  readonly text: string;
  readonly size: number;
};

/** How far a tool says that it has come. */
export type Progress = { readonly fraction: number | undefined; readonly note: string | undefined };

export type WireView = {
  readonly frames: readonly Frame[];
  readonly count: number;
  readonly bytes: number;
};

const MOST_FRAMES = 2_000;
const MOST_CHARACTERS = 2_000_000;
const LONGEST_FRAME = 20_000;

const NAMES: Record<string, string> = {
  "aui-state": "state",
  "2": "data",
  "3": "error",
  "8": "annotations",
  d: "finish",
  e: "step end",
  f: "step",
  "0": "text",
  g: "reasoning",
};

const callIdOf = (item: Record<string, unknown>): string | undefined => {
  const id = item.tool_call_id ?? item.toolCallId;
  return typeof id === "string" ? id : undefined;
};

const progressOf = ({ progress, message }: Record<string, unknown>): Progress => ({
  fraction: typeof progress === "number" ? Math.min(1, Math.max(0, progress)) : undefined,
  note: typeof message === "string" ? message : undefined,
});

const MOST_CALLS = 100;

const withEntry = <T>(store: Store<ReadonlyMap<string, T>>, id: string, value: T): void =>
  store.set(new Map([...store.get(), [id, value] as const].slice(-MOST_CALLS)));

/** The frames of a visit's runs, the newest of them, and what only the wire tells. */
export class WireLog {
  readonly view = new Store<WireView>({ frames: [], count: 0, bytes: 0 });
  /** By tool call: `{"type": "progress", "tool_call_id", "progress"?, "message"?}`. */
  readonly progress = new Store<ReadonlyMap<string, Progress>>(new Map());
  /** By tool call: `{"type": "transcript", "tool_call_id", "messages"}`. */
  readonly transcripts = new Store<ReadonlyMap<string, unknown>>(new Map());
  #frames: Frame[] = [];
  #characters = 0;
  #count = 0;
  #bytes = 0;
  #isScheduled = false;

  /** Reads a copy of a response; the runtime reads the other one. */
  async read(response: Response, startedAt: number): Promise<void> {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (reader === undefined) return;
    let rest = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const lines = (rest + value).split("\n");
        rest = lines.pop()!;
        for (const line of lines) this.#take(line, performance.now() - startedAt);
      }
    } catch {
      // The run was stopped or the line broke: the runtime says so.
    }
    this.#take(rest, performance.now() - startedAt);
  }

  clear(): void {
    this.#frames = [];
    this.#characters = 0;
    this.#show();
  }

  #take(line: string, at: number): void {
    if (line.trim() === "") return;
    const colon = line.indexOf(":");
    const code = line.slice(0, colon);
    const text = line.slice(colon + 1);
    this.#count += 1;
    this.#bytes += line.length + 1;
    const kept = text.length > LONGEST_FRAME ? `${text.slice(0, LONGEST_FRAME)}…` : text;
    const kind = NAMES[code] ?? code;
    this.#frames.push({ number: this.#count, at, kind, text: kept, size: line.length + 1 });
    this.#characters += kept.length;
    this.#forget();
    if (code === "2") this.#takeData(text);
    this.#schedule();
  }

  #forget(): void {
    let gone = 0;
    while (
      this.#frames.length - gone > MOST_FRAMES ||
      (this.#characters > MOST_CHARACTERS && gone < this.#frames.length - 1)
    ) {
      this.#characters -= this.#frames[gone]!.text.length;
      gone += 1;
    }
    if (gone > 0) this.#frames.splice(0, gone);
  }

  #takeData(text: string): void {
    const items = parseJSON(text);
    for (const item of Array.isArray(items) ? items.filter(isObject) : []) {
      const id = callIdOf(item);
      if (id === undefined) continue;
      if (item.type === "progress") withEntry(this.progress, id, progressOf(item));
      if (item.type === "transcript") withEntry(this.transcripts, id, item.messages);
    }
  }

  /** Frames come faster than a screen is drawn. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    window.setTimeout(() => {
      this.#isScheduled = false;
      this.#show();
    }, 100);
  }

  #show(): void {
    this.view.set({ frames: [...this.#frames], count: this.#count, bytes: this.#bytes });
  }
}
