import type { AssistantTransportCommand, ThreadRuntime } from "@assistant-ui/react";
import { newId, showThreadInUrl } from "./address";
import { attachmentOf, filePartsOf, toFileParts } from "./attachments";
import { Branches } from "./branches";
import { Clock } from "./clock";
import type { GraphState } from "./convert";
import {
  isConnectionLoss,
  toFailure,
  UNFINISHED,
  UNREACHABLE,
  type Failure,
} from "./failure";
import { isObject, type JSONObject } from "./json";
import { cancelRun, findRun, loadThread, type ActiveRun } from "./server";
import { Store } from "./store";
import { tellOtherTabs } from "./tabs";
import { WireLog } from "./wire";

type Status = {
  readonly failure: Failure | undefined;
  readonly isReconnecting: boolean;
  readonly isStopping: boolean;
};

type Body = Record<string, unknown> & { readonly commands: readonly AssistantTransportCommand[] };

export type Events = {
  /** The server has taken the first message of a new thread. */
  readonly onNamed: (threadId: string) => void;
  /** The list of threads says something else now. */
  readonly onChanged: () => void;
};

/** Milliseconds that the server gets to end a run that was stopped. */
const STOP_PATIENCE = 3_000;
const RETRY_FIRST = 300;
const RETRY_LONGEST = 4_000;
/** Milliseconds that a lost connection is tried again for. */
const RETRY_LIMIT = 120_000;
/** Characters of state above which it is not sent along. */
const MOST_STATE = 500_000;

const messagesOf = (state: GraphState): readonly JSONObject[] =>
  Array.isArray(state.messages) ? (state.messages.filter(isObject) as JSONObject[]) : [];

const countAsked = (state: GraphState): number =>
  messagesOf(state).filter((message) => message.type === "human").length;

/** Whether a thread at rest still owes an answer: its run has ended before its time. */
const isUnfinished = (state: GraphState): boolean => {
  if (Array.isArray(state.interrupts) && state.interrupts.length > 0) return false;
  const last = messagesOf(state).at(-1);
  if (last === undefined) return false;
  return last.type !== "ai" || (Array.isArray(last.tool_calls) && last.tool_calls.length > 0);
};

/** Waits, but not longer than until the browser is online again. */
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    const finish = () => {
      window.removeEventListener("online", finish);
      window.clearTimeout(timer);
      resolve();
    };
    const timer = window.setTimeout(finish, milliseconds);
    window.addEventListener("online", finish);
  });

/**
 * One thread that is open in this tab: what is asked of the server, and what becomes of it.
 *
 * The runtime streams a run; this decides what happens when the line breaks, another tab goes on
 * or the reader stops the run.
 */
export class ChatSession {
  readonly threadId: string;
  readonly wire = new WireLog();
  readonly clock = new Clock();
  readonly branches: Branches;
  readonly status = new Store<Status>({
    failure: undefined,
    isReconnecting: false,
    isStopping: false,
  });
  #thread: ThreadRuntime | undefined;
  #isNew: boolean;
  #run: ActiveRun | undefined;
  /** The end of the branch that is shown, when it is not the one that the server went last. */
  #headId: string | undefined;
  #attempt = 0;
  #asked = 0;
  #startedAt = 0;
  #isDisposed = false;
  readonly #events: Events;

  constructor(threadId: string | undefined, run: ActiveRun | undefined, events: Events) {
    this.#isNew = threadId === undefined;
    this.threadId = threadId ?? newId();
    this.#run = run;
    this.#events = events;
    this.branches = new Branches(this.threadId);
  }

  /** The runtime is in place; a run that is at work on the thread is followed. */
  attach(thread: ThreadRuntime): void {
    this.#thread = thread;
    this.#isDisposed = false;
    if (this.#run !== undefined) thread.resumeRun({ parentId: null });
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#attempt += 1;
  }

  get state(): GraphState {
    const state = this.#thread?.getState().state;
    return isObject(state) ? (state as GraphState) : {};
  }

  get isRunning(): boolean {
    return this.#thread?.getState().isRunning ?? false;
  }

  // What the runtime calls.

  readonly prepare = (body: Body): Record<string, unknown> => {
    this.#attempt += 1;
    this.#startedAt = performance.now();
    this.#show({ failure: undefined, isReconnecting: false });
    if (body.commands.length === 0) {
      return { commands: [], threadId: this.threadId, runId: this.#run?.runId };
    }
    this.#run = undefined;
    this.#asked = countAsked(this.state);
    this.clock.start();
    const isFork = body.commands.some(
      (command) =>
        command.type === "regenerate" ||
        (command.type === "add-message" && command.sourceId !== null),
    );
    if (isFork) this.branches.keep(this.state);
    const { state, ...rest } = body;
    // Whoever sends no state gets all of it: cheaper than to send every attached file again.
    const isLarge = JSON.stringify(state ?? null).length > MOST_STATE;
    return {
      ...rest,
      ...(!isLarge && { state }),
      commands: body.commands.map((command) => this.#toWire(command)),
      threadId: this.threadId,
      ...(this.#headId !== undefined && { headId: this.#headId }),
    };
  };

  readonly onResponse = (response: Response): void => {
    if (response.body !== null) void this.wire.read(response.clone(), this.#startedAt);
    if (!response.ok || this.#run !== undefined) return;
    this.#headId = undefined;
    if (this.#isNew) {
      this.#isNew = false;
      showThreadInUrl(this.threadId, "replace");
      this.#events.onNamed(this.threadId);
    }
    this.#tell();
  };

  readonly onError = (error: unknown, commands: readonly AssistantTransportCommand[]): void => {
    if (this.#isDisposed || this.status.get().isStopping) return;
    if (isConnectionLoss(error)) {
      void this.#reconnect(error, commands);
      return;
    }
    this.#show({ failure: toFailure(error) });
    this.giveBack(commands);
  };

  readonly onFinish = (): void => {
    this.#run = undefined;
    if (!this.#isDisposed) this.#tell();
  };

  /** The run is over, for the reader as well: see `RunClock`. */
  onIdle(messageId: string | undefined): void {
    this.clock.end(messageId, this.status.get().isStopping);
    this.#show({ isStopping: false });
  }

  /** What the server never took goes back to where it was typed. */
  giveBack(commands: readonly AssistantTransportCommand[]): void {
    const composer = this.#thread?.composer;
    if (composer === undefined || !composer.getState().isEmpty) return;
    const parts = commands.flatMap((c) => (c.type === "add-message" ? c.message.parts : []));
    const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
    composer.setText(texts.join("\n\n"));
    for (const part of parts) {
      if (part.type === "image") void composer.addAttachment(attachmentOf(part.image));
    }
  }

  // What the reader does.

  dismissFailure(): void {
    this.#show({ failure: undefined });
  }

  /** Ends the run on the server, so that its last words are those that the server keeps. */
  async stop(): Promise<void> {
    if (!this.isRunning || this.status.get().isStopping) return;
    this.#show({ isStopping: true });
    const attempt = this.#attempt;
    const isCancelled = await cancelRun(this.threadId).catch(() => false);
    if (isCancelled) await this.#waitForEnd(STOP_PATIENCE);
    if (!this.isRunning || attempt !== this.#attempt) return;
    this.#thread?.cancelRun();
    // The server may not have known of the run yet.
    if (!isCancelled) await pause(RETRY_FIRST).then(() => cancelRun(this.threadId)).catch(() => false);
    await this.sync();
  }

  /** Show the thread as the server has it, when this tab is not at work on it itself. */
  async sync(): Promise<void> {
    if (this.#isNew || this.#isDisposed || this.isRunning) return;
    const attempt = this.#attempt;
    try {
      const run = await findRun(this.threadId);
      if (this.#isPast(attempt)) return;
      if (run !== undefined) {
        this.#follow(run);
        return;
      }
      // Another branch than the server's is shown on purpose.
      if (this.#headId !== undefined) return;
      const stored = await loadThread(this.threadId);
      if (stored !== undefined && !this.#isPast(attempt)) this.#import(stored.state);
    } catch {
      // What is shown stays; the next news or the next message tells more.
    }
  }

  /** Show another branch of the thread; what is said next goes on from there. */
  showBranch(state: GraphState): void {
    if (this.isRunning) return;
    this.branches.keep(this.state);
    this.#import(state);
    const last = messagesOf(state).at(-1)?.id;
    this.#headId = typeof last === "string" ? last : undefined;
  }

  async #reconnect(error: unknown, commands: readonly AssistantTransportCommand[]): Promise<void> {
    const attempt = ++this.#attempt;
    const before = this.state;
    const isUndelivered = commands.length > 0;
    this.#show({ isReconnecting: true });
    await this.#waitForEnd(STOP_PATIENCE); // The runtime has not quite let go of the run.
    const until = performance.now() + RETRY_LIMIT;
    for (let wait = RETRY_FIRST; ; wait = Math.min(2 * wait, RETRY_LONGEST)) {
      try {
        const run = await findRun(this.threadId);
        if (this.#isPast(attempt)) return;
        if (run !== undefined) {
          this.#follow(run);
          return;
        }
        const stored = await loadThread(this.threadId);
        if (this.#isPast(attempt)) return;
        this.#settle(stored?.state ?? before, isUndelivered, error, commands);
        return;
      } catch (problem) {
        if (this.#isPast(attempt)) return;
        if (!isConnectionLoss(problem)) {
          this.#show({ isReconnecting: false, failure: toFailure(problem) });
          return;
        }
        if (isUndelivered || performance.now() > until) {
          this.#show({ isReconnecting: false, failure: isUndelivered ? UNREACHABLE : toFailure(error) });
          this.giveBack(commands);
          return;
        }
      }
      await pause(wait);
      if (this.#isPast(attempt)) return;
    }
  }

  /** The server can be reached again, and the run is over. */
  #settle(
    state: GraphState,
    isUndelivered: boolean,
    error: unknown,
    commands: readonly AssistantTransportCommand[],
  ): void {
    this.#show({ isReconnecting: false });
    const isLost = isUndelivered && countAsked(state) <= this.#asked;
    this.#import(state);
    if (isLost) {
      this.#show({ failure: toFailure(error) });
      this.giveBack(commands);
    } else if (isUnfinished(state)) {
      this.#show({ failure: UNFINISHED });
    }
    this.#tell();
  }

  #follow(run: ActiveRun): void {
    this.#run = run;
    this.#import(run.state);
    this.#thread?.resumeRun({ parentId: null });
  }

  #import(state: GraphState): void {
    this.#headId = undefined;
    this.#thread?.importExternalState(state);
  }

  #toWire(command: AssistantTransportCommand): unknown {
    if (command.type !== "add-message") return command;
    const parts: unknown[] = toFileParts(command.message.parts);
    if (command.sourceId !== null) {
      const edited = messagesOf(this.state).find((message) => message.id === command.sourceId);
      if (edited !== undefined) parts.push(...filePartsOf(edited));
    }
    return { ...command, message: { ...command.message, parts } };
  }

  #isPast(attempt: number): boolean {
    return this.#isDisposed || attempt !== this.#attempt || this.isRunning;
  }

  async #waitForEnd(patience: number): Promise<void> {
    const until = performance.now() + patience;
    while (this.isRunning && performance.now() < until) {
      await new Promise((resolve) => window.setTimeout(resolve, 50));
    }
  }

  #tell(): void {
    tellOtherTabs({ type: "changed", threadId: this.threadId });
    this.#events.onChanged();
  }

  #show(change: Partial<Status>): void {
    this.status.set({ ...this.status.get(), ...change });
  }
}
