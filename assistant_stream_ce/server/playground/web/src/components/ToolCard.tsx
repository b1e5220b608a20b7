import type { ToolCallMessagePart } from "@assistant-ui/react";
import { useId, useState, type ReactNode } from "react";
import { indentJSON, isObject, parseJSON, summarise } from "../json";
import { CheckIcon, ChevronIcon, CrossIcon, DashIcon, PauseIcon } from "./icons";
import { JsonTree } from "./JsonTree";

type Phase = "writing" | "running" | "done" | "failed" | "waiting" | "stopped";

const LABELS: Record<Phase, string> = {
  writing: "Writing arguments",
  running: "Running",
  done: "Done",
  failed: "Failed",
  waiting: "Waiting for you",
  stopped: "No result",
};

const ICONS: Record<Phase, ReactNode> = {
  writing: <span className="spinner" />,
  running: <span className="spinner" />,
  done: <CheckIcon />,
  failed: <CrossIcon />,
  waiting: <PauseIcon />,
  stopped: <DashIcon />,
};

type Props = {
  readonly part: ToolCallMessagePart;
  readonly isLive: boolean;
  readonly isInterrupted: boolean;
};

const phaseOf = ({ part, isLive, isInterrupted }: Props): Phase => {
  if (part.result !== undefined) return part.isError === true ? "failed" : "done";
  if (isLive) return isObject(parseJSON(part.argsText)) ? "running" : "writing";
  return isInterrupted ? "waiting" : "stopped";
};

/** The text of a result: LangChain has it as a string or as a list of content blocks. */
const resultText = (result: unknown): string => {
  if (typeof result === "string") return result;
  if (Array.isArray(result) && result.every((block) => isObject(block) && typeof block.text === "string")) {
    return result.map((block: { text: string }) => block.text).join("\n\n");
  }
  return JSON.stringify(result) ?? "";
};

const ResultBody = ({ text }: { readonly text: string }) => {
  const isJSON = typeof parseJSON(text) === "object";
  if (text.trim() === "") return <p className="tool-empty">The tool gave back nothing.</p>;
  return <pre className="tool-code">{isJSON ? indentJSON(text) : text}</pre>;
};

/** One tool call: open while it works, then one line each for what went in and what came out. */
export const ToolCard = (props: Props) => {
  const { part } = props;
  const [chosen, setChosen] = useState<boolean>();
  const id = useId();
  const phase = phaseOf(props);
  const isOpen = chosen ?? (phase === "writing" || phase === "running");
  const result = part.result === undefined ? undefined : resultText(part.result);
  const argsText = part.argsText.trim();
  return (
    <section className="tool" data-phase={phase} aria-label={`Tool call ${part.toolName}`}>
      <button
        type="button"
        className="tool-head"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setChosen(!isOpen)}
      >
        <span className="tool-icon">{ICONS[phase]}</span>
        <span className="tool-name">{part.toolName}</span>
        {!isOpen && <span className="tool-args-line">{summarise(part.args)}</span>}
        <span className="tool-phase">{LABELS[phase]}</span>
        <ChevronIcon />
      </button>
      {!isOpen && result !== undefined && (
        <p className="tool-result-line">{summarise(parseJSON(result) ?? result, 160)}</p>
      )}
      <div id={id} className="tool-body" hidden={!isOpen}>
        <h4>Arguments</h4>
        {argsText === "" || argsText === "{}" ? (
          <p className="tool-empty">{phase === "writing" ? "…" : "None"}</p>
        ) : (
          <pre className="tool-code tool-args">{indentJSON(argsText)}</pre>
        )}
        {result !== undefined && (
          <>
            <h4>{phase === "failed" ? "Error" : "Result"}</h4>
            <ResultBody text={result} />
          </>
        )}
        {part.artifact !== undefined && part.artifact !== null && (
          <>
            <h4>Artifact</h4>
            <div className="tool-artifact">
              <JsonTree value={part.artifact} openDepth={0} />
            </div>
          </>
        )}
      </div>
    </section>
  );
};
