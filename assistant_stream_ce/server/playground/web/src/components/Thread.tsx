import { useEffect, useState } from "react";
import { AuiIf, ComposerPrimitive, ThreadPrimitive, useAuiState } from "@assistant-ui/react";
import type { Failure } from "../failure";
import { useMediaQuery } from "../hooks";
import { Banner } from "./Banner";
import { DownIcon, SendIcon, StopIcon } from "./icons";
import { Interrupts } from "./InterruptCard";
import { AssistantMessage, UserMessage } from "./Message";

const Composer = () => {
  const isTouch = useMediaQuery("(pointer: coarse)");
  return (
    <ComposerPrimitive.Root className="composer">
      <ComposerPrimitive.Input
        className="composer-input"
        rows={1}
        maxRows={8}
        placeholder="Ask anything"
        aria-label="Your message"
        // On a phone the keyboard would cover the page before anything was read.
        autoFocus={!isTouch}
      />
      <AuiIf condition={(s) => s.thread.isRunning}>
        <ComposerPrimitive.Cancel
          className="round-button"
          aria-label="Stop"
          title="Stop (Escape)"
        >
          <StopIcon />
        </ComposerPrimitive.Cancel>
      </AuiIf>
      <AuiIf condition={(s) => !s.thread.isRunning}>
        <ComposerPrimitive.Send
          className="round-button round-button-primary"
          aria-label="Send"
          title="Send (Enter)"
        >
          <SendIcon />
        </ComposerPrimitive.Send>
      </AuiIf>
    </ComposerPrimitive.Root>
  );
};

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

type Props = {
  /** A thread with a history is not greeted, not even before its first message is drawn. */
  readonly hasHistory: boolean;
  readonly failure: Failure | undefined;
  readonly onDismissFailure: () => void;
};

export const Thread = ({ hasHistory, failure, onDismissFailure }: Props) => {
  const isEmpty = useAuiState((s) => s.thread.messages.length === 0) && !hasHistory;
  return (
    <ThreadPrimitive.Root asChild>
      <main className="chat" data-empty={isEmpty || undefined}>
        <ThreadPrimitive.Viewport className="viewport">
          <div className="messages">
            {isEmpty && (
              <div className="welcome">
                <h1>How can I help?</h1>
                <p>Ask a question and watch the agent think, use its tools and answer.</p>
              </div>
            )}
            <ThreadPrimitive.Messages components={{ UserMessage, AssistantMessage }} />
            <Interrupts />
            {failure !== undefined && <Banner failure={failure} onDismiss={onDismissFailure} />}
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
          <Composer />
          <p className="hint" aria-hidden="true">
            <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> starts a line, <kbd>Esc</kbd>{" "}
            stops
          </p>
        </div>
        <RunStatus failed={failure !== undefined} />
      </main>
    </ThreadPrimitive.Root>
  );
};
