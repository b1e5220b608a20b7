import { MessagePrimitive, useAuiState, type EnrichedPartState } from "@assistant-ui/react";
import { safeWebLink } from "../links";
import { CopyButton } from "./CopyButton";
import { FileIcon } from "./icons";
import { Markdown } from "./Markdown";
import { Reasoning } from "./Reasoning";
import { Sources } from "./Sources";
import { ToolCard } from "./ToolCard";
import { useInterrupts } from "./InterruptCard";

const ImagePart = ({ image }: { readonly image: string }) => {
  if (/^(data:image\/|blob:)/.test(image)) {
    return <img className="image-part" src={image} alt="Attached image" />;
  }
  const href = safeWebLink(image);
  return href === undefined ? null : (
    <p>
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        Open the image
      </a>
    </p>
  );
};

const FilePart = ({ filename, mimeType }: { filename?: string; mimeType: string }) => (
  <p className="file-part">
    <FileIcon />
    <span>{filename ?? "File"}</span>
    <span className="file-type">{mimeType}</span>
  </p>
);

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

const MessageActions = () => {
  const isRunning = useAuiState((s) => s.message.status?.type === "running");
  const text = useAuiState((s) =>
    s.message.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n"),
  );
  if (isRunning || text === "") return null;
  return (
    <div className="message-actions">
      <CopyButton label="Copy this answer" text={() => text} />
    </div>
  );
};

export const AssistantMessage = () => (
  <MessagePrimitive.Root className="message message-assistant" aria-label="Assistant">
    <MessagePrimitive.Parts>{({ part }) => <AssistantPart part={part} />}</MessagePrimitive.Parts>
    <WaitingDots />
    <Sources />
    <MessageActions />
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

export const UserMessage = () => (
  <MessagePrimitive.Root className="message message-user" aria-label="You">
    <MessagePrimitive.Parts>{({ part }) => <UserPart part={part} />}</MessagePrimitive.Parts>
  </MessagePrimitive.Root>
);
