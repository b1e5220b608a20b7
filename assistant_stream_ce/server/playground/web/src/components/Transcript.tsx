import { TextMessagePartProvider } from "@assistant-ui/react";
import type { Entry } from "../transcript";
import { Markdown } from "./Markdown";
import { Reasoning } from "./Reasoning";
import { ToolCard } from "./ToolCard";

type Props = { readonly entries: readonly Entry[]; readonly isLive: boolean };

const EntryView = ({ entry, isLive }: { readonly entry: Entry; readonly isLive: boolean }) => {
  switch (entry.kind) {
    case "said":
      return <p className="transcript-said">{entry.text}</p>;
    case "thought":
      return <Reasoning text={entry.text} isLive={false} />;
    case "answered":
      return (
        <TextMessagePartProvider text={entry.text} isRunning={isLive}>
          <Markdown />
        </TextMessagePartProvider>
      );
    case "called":
      return <ToolCard part={entry.call} isLive={isLive} isInterrupted={false} />;
  }
};

/** What a sub-agent has said and done inside a tool call. */
export const Transcript = ({ entries, isLive }: Props) => (
  <div className="transcript">
    {entries.map((entry, index) => (
      <EntryView key={index} entry={entry} isLive={isLive && index === entries.length - 1} />
    ))}
  </div>
);
