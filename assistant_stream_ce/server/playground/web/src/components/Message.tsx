import {
  ActionBarPrimitive,
  MessagePrimitive,
  useAssistantTransportSendCommand,
  useAuiState,
  type EnrichedPartState,
} from "@assistant-ui/react";
import { useMemo } from "react";
import { useGraphState, useSession } from "../runtime";
import { useStore } from "../store";
import { accountOf, durationInWords } from "../usage";
import { FilePart, ImagePart } from "./Attachments";
import { BranchPicker } from "./BranchPicker";
import { CopyButton } from "./CopyButton";
import { AgainIcon, PencilIcon } from "./icons";
import { Markdown } from "./Markdown";
import { Reasoning } from "./Reasoning";
import { Sources } from "./Sources";
import { ToolCard } from "./ToolCard";
import { useInterrupts } from "./InterruptCard";

const AssistantPart = ({ part }: { readonly part: EnrichedPartState }) => {
  const isLive = useAuiState((s) => s.message.status?.type === "running");
  const isInterrupted = useInterrupts().length > 0;
  switch (part.type) {
    case "text":
      return <Markdown />;
    case "reasoning":
      return <Reasoning text={part.text} isLive={part.status?.type === "running"} />;
    case "tool-call":
      return <ToolCard part={part} isLive={isLive} isInterrupted={isInterrupted} />;
    case "image":
      return <ImagePart image={part.image} />;
    case "file":
      return <FilePart {...part} />;
    default:
      return null;
  }
};

/** Shown while a run works and nothing on the page says so: no text grows, no tool card turns. */
const WaitingDots = () => {
  const isWaiting = useAuiState(
    (s) =>
      s.message.status?.type === "running" &&
      (s.message.parts.length === 0 || s.message.parts.at(-1)?.type === "tool-call") &&
      s.message.parts.every((part) => part.type !== "tool-call" || part.result !== undefined),
  );
  if (!isWaiting) return null;
  return (
    <div className="dots" aria-hidden="true">
      <span />
      <span />
      <span />
    </div>
  );
};

/** Tokens and times of an answer, in one line. */
const Figures = () => {
  const session = useSession();
  const messageId = useAuiState((s) => s.message.id);
  const state = useGraphState((s) => s);
  const account = useMemo(() => accountOf(state, messageId), [state, messageId]);
  const timing = useStore(session.clock.timings).get(messageId);
  const isStopped = account.isStopped || timing?.isStopped === true;
  return (
    <>
      {isStopped && <span className="figure-stopped">Stopped</span>}
      {account.usage !== undefined && (
        <span title="Tokens that the model has read and written">
          {account.usage.input.toLocaleString()} in, {account.usage.output.toLocaleString()} out
        </span>
      )}
      {timing?.first !== undefined && (
        <span title="Time to the first of the answer">
          first after {durationInWords(timing.first)}
        </span>
      )}
      {timing !== undefined && timing.total > 0 && (
        <span title="Time of the whole answer">{durationInWords(timing.total)}</span>
      )}
    </>
  );
};

const MessageFooter = () => {
  const send = useAssistantTransportSendCommand();
  const messageId = useAuiState((s) => s.message.id);
  const isBusy = useAuiState((s) => s.thread.isRunning);
  const isRunning = useAuiState((s) => s.message.status?.type === "running");
  const text = useAuiState((s) =>
    s.message.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n"),
  );
  if (isRunning) return null;
  return (
    <div className="message-footer">
      <BranchPicker />
      <div className="message-actions">
        {text !== "" && <CopyButton label="Copy this answer" text={() => text} />}
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label="Answer again"
          title="Answer again"
          disabled={isBusy}
          onClick={() => send({ type: "regenerate", messageId })}
        >
          <AgainIcon />
        </button>
      </div>
      <p className="figures">
        <Figures />
      </p>
    </div>
  );
};

export const AssistantMessage = () => (
  <MessagePrimitive.Root className="message message-assistant" aria-label="Assistant">
    <MessagePrimitive.Parts>{({ part }) => <AssistantPart part={part} />}</MessagePrimitive.Parts>
    <WaitingDots />
    <Sources />
    <MessageFooter />
  </MessagePrimitive.Root>
);

const UserPart = ({ part }: { readonly part: EnrichedPartState }) => {
  switch (part.type) {
    case "text":
      return <p className="user-text">{part.text}</p>;
    case "image":
      return <ImagePart image={part.image} />;
    case "file":
      return <FilePart {...part} />;
    default:
      return null;
  }
};

export const UserMessage = () => {
  const isBusy = useAuiState((s) => s.thread.isRunning);
  return (
    <MessagePrimitive.Root className="message-said" aria-label="You">
      <div className="message message-user">
        <MessagePrimitive.Parts>{({ part }) => <UserPart part={part} />}</MessagePrimitive.Parts>
      </div>
      <div className="message-footer">
        <div className="message-actions">
          <ActionBarPrimitive.Edit
            className="icon-button icon-button-small"
            aria-label="Change this message"
            title="Change this message"
            data-action="edit"
            disabled={isBusy}
          >
            <PencilIcon />
          </ActionBarPrimitive.Edit>
        </div>
        <BranchPicker />
      </div>
    </MessagePrimitive.Root>
  );
};
