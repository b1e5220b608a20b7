import {
  ThreadPrimitive,
  useAssistantTransportSendCommand,
  useAui,
  useAuiState,
} from "@assistant-ui/react";
import { useEffect, useRef, useState } from "react";
import { UNFINISHED } from "../failure";
import { useSession } from "../runtime";
import { useStore } from "../store";
import { Banner } from "./Banner";
import { Composer, DropZone } from "./Composer";
import { EditComposer } from "./EditComposer";
import { DownIcon } from "./icons";
import { Interrupts, useInterrupts } from "./InterruptCard";
import { AssistantMessage, UserMessage } from "./Message";

/**
 * Tells a screen reader when an answer begins and ends, without reading every token. It is silent
 * on a thread that was only opened, and after a failure, which the banner tells.
 */
const RunStatus = ({ failed }: { readonly failed: boolean }) => {
  const isRunning = useAuiState((s) => s.thread.isRunning);
  const [hasRun, setHasRun] = useState(false);
  useEffect(() => {
    if (isRunning) setHasRun(true);
  }, [isRunning]);
  return (
    <p className="visually-hidden" role="status">
      {isRunning ? "The assistant is answering" : hasRun && !failed ? "The answer has ended" : ""}
    </p>
  );
};

/** Notes when the first of an answer is seen, and when its run is over. */
const RunClock = () => {
  const session = useSession();
  const aui = useAui();
  const isRunning = useAuiState((s) => s.thread.isRunning);
  const hasAnswer = useAuiState((s) => {
    const last = s.thread.messages.at(-1);
    return s.thread.isRunning && last?.role === "assistant" && last.content.length > 0;
  });
  const wasRunning = useRef(false);
  useEffect(() => {
    if (hasAnswer) session.clock.seeAnswer();
  }, [session, hasAnswer]);
  useEffect(() => {
    if (wasRunning.current && !isRunning) {
      const last = aui.thread.getState().messages.at(-1);
      session.onIdle(last?.role === "assistant" ? last.id : undefined);
    }
    wasRunning.current = isRunning;
  }, [session, aui, isRunning]);
  return null;
};

const Notices = () => {
  const session = useSession();
  const { failure, isReconnecting } = useStore(session.status);
  if (isReconnecting) {
    return (
      <p className="reconnecting" role="status">
        <span className="spinner" />
        The connection is lost. Trying again
      </p>
    );
  }
  if (failure === undefined) return null;
  return <Banner failure={failure} onDismiss={() => session.dismissFailure()} />;
};

/** Says that a question has no answer, be it stopped or lost, and offers to ask again. */
const Unanswered = () => {
  const session = useSession();
  const send = useAssistantTransportSendCommand();
  const { failure, isReconnecting } = useStore(session.status);
  const isWaiting = useInterrupts().length > 0;
  const messageId = useAuiState((s) => {
    const last = s.thread.messages.at(-1);
    const isOwed = last?.role === "user" || failure === UNFINISHED;
    return s.thread.isRunning || !isOwed ? undefined : last?.id;
  });
  if (messageId === undefined || isReconnecting || isWaiting) return null;
  return (
    <p className="unanswered">
      {failure === undefined && <span>There is no answer: the run was stopped or lost.</span>}
      <button
        type="button"
        className="button"
        onClick={() => send({ type: "regenerate", messageId })}
      >
        Ask again
      </button>
    </p>
  );
};

type Props = {
  /** A thread with a history is not greeted, not even before its first message is drawn. */
  readonly hasHistory: boolean;
};

const SUGGESTIONS = ["What can you do?"] as const;

const Welcome = () => (
  <div className="welcome">
    <h1>How can I help?</h1>
    <p>Ask a question and watch the agent think, use its tools and answer.</p>
    <div className="suggestions">
      {SUGGESTIONS.map((text) => (
        <ThreadPrimitive.Suggestion key={text} className="button" prompt={text} send>
          {text}
        </ThreadPrimitive.Suggestion>
      ))}
    </div>
  </div>
);

export const Thread = ({ hasHistory }: Props) => {
  const isEmpty = useAuiState((s) => s.thread.messages.length === 0) && !hasHistory;
  const { failure } = useStore(useSession().status);
  return (
    <ThreadPrimitive.Root asChild>
      <main className="chat" data-empty={isEmpty || undefined}>
        <DropZone>
          {(files) => (
            <>
              <ThreadPrimitive.Viewport className="viewport">
                <div className="messages">
                  {isEmpty && <Welcome />}
                  <ThreadPrimitive.Messages
                    components={{ UserMessage, AssistantMessage, UserEditComposer: EditComposer }}
                  />
                  <Interrupts />
                  <Notices />
                  <Unanswered />
                </div>
              </ThreadPrimitive.Viewport>
              <div className="dock">
                <ThreadPrimitive.ScrollToBottom
                  className="round-button scroll-down"
                  aria-label="Go to the end"
                  title="Go to the end"
                >
                  <DownIcon />
                </ThreadPrimitive.ScrollToBottom>
                <Composer files={files} />
                <p className="hint" aria-hidden="true">
                  <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> starts a line,{" "}
                  <kbd>Esc</kbd> stops, <kbd>?</kbd> shows all keys
                </p>
              </div>
            </>
          )}
        </DropZone>
        <RunStatus failed={failure !== undefined} />
        <RunClock />
      </main>
    </ThreadPrimitive.Root>
  );
};
