import { useId, useMemo, useState, type ReactNode } from "react";
import { indentJSON, isObject, parseJSON, summarise } from "../json";
import { useSession } from "../runtime";
import { useStore } from "../store";
import { artifactOf, transcriptOf, type Call } from "../transcript";
import { ImagePart } from "./Attachments";
import { Code } from "./Code";
import { CheckIcon, ChevronIcon, CrossIcon, DashIcon, PauseIcon } from "./icons";
import { JsonTree } from "./JsonTree";
import { Transcript } from "./Transcript";

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
  readonly part: Call;
  readonly isLive: boolean;
  readonly isInterrupted: boolean;
};

const phaseOf = ({ part, isLive, isInterrupted }: Props): Phase => {
  if (part.result !== undefined) return part.isError === true ? "failed" : "done";
  if (isLive) return isObject(parseJSON(part.argsText)) ? "running" : "writing";
  return isInterrupted ? "waiting" : "stopped";
};

const imageIn = (block: unknown): string | undefined => {
  if (!isObject(block)) return undefined;
  if (block.type === "image_url") {
    const url = isObject(block.image_url) ? block.image_url.url : block.image_url;
    return typeof url === "string" ? url : undefined;
  }
  if (block.type !== "image") return undefined;
  const data = block.base64 ?? block.data;
  if (typeof data === "string") return `data:${String(block.mime_type)};base64,${data}`;
  return typeof block.url === "string" ? block.url : undefined;
};

type Result = { readonly text: string; readonly images: readonly string[] };

/** LangChain has a result as a string or as a list of content blocks. */
const resultOf = (result: unknown): Result => {
  if (typeof result === "string") return { text: result, images: [] };
  if (!Array.isArray(result)) return { text: JSON.stringify(result) ?? "", images: [] };
  const images = result.map(imageIn).filter((image) => image !== undefined);
  const others = result.filter((block) => imageIn(block) === undefined);
  if (others.every((block) => isObject(block) && typeof block.text === "string")) {
    return { text: others.map((block: { text: string }) => block.text).join("\n\n"), images };
  }
  return { text: JSON.stringify(others), images };
};

const ResultBody = ({ text, images }: Result) => {
  const isJSON = typeof parseJSON(text) === "object";
  return (
    <>
      {images.map((image, index) => (
        <ImagePart key={index} image={image} />
      ))}
      {text.trim() === "" && images.length === 0 && (
        <p className="tool-empty">The tool gave back nothing.</p>
      )}
      {text.trim() !== "" && (
        <pre className="tool-code" tabIndex={0}>
          {isJSON ? <Code code={indentJSON(text)} language="json" /> : text}
        </pre>
      )}
    </>
  );
};

const ToolProgress = ({ callId }: { readonly callId: string }) => {
  const session = useSession();
  const progress = useStore(session.wire.progress).get(callId);
  if (progress === undefined) return null;
  const { fraction, note } = progress;
  return (
    <div className="tool-progress">
      <progress aria-label={note ?? "Progress"} max={1} {...(fraction !== undefined && { value: fraction })} />
      {note !== undefined && <span>{note}</span>}
    </div>
  );
};

const Body = ({ part, phase }: { readonly part: Call; readonly phase: Phase }) => {
  const argsText = part.argsText.trim();
  const isLive = phase === "running";
  const told = useStore(useSession().wire.transcripts).get(part.toolCallId);
  const entries = useMemo(() => transcriptOf(part, told), [part, told]);
  const artifact = artifactOf(part);
  return (
    <>
      <h4>Arguments</h4>
      {argsText === "" || argsText === "{}" ? (
        <p className="tool-empty">{phase === "writing" ? "…" : "None"}</p>
      ) : (
        <pre className="tool-code tool-args" tabIndex={0}>
          <Code code={indentJSON(argsText)} language="json" />
        </pre>
      )}
      {entries.length > 0 && (
        <>
          <h4>Sub-agent</h4>
          <Transcript entries={entries} isLive={isLive} />
        </>
      )}
      {part.result !== undefined && (
        <>
          <h4>{phase === "failed" ? "Error" : "Result"}</h4>
          <ResultBody {...resultOf(part.result)} />
        </>
      )}
      {artifact !== undefined && artifact !== null && (
        <>
          <h4>Artifact</h4>
          <div className="tool-artifact">
            <JsonTree value={artifact} openDepth={0} />
          </div>
        </>
      )}
    </>
  );
};

/** One tool call: open while it works, then one line each for what went in and what came out. */
export const ToolCard = (props: Props) => {
  const { part } = props;
  const [chosen, setChosen] = useState<boolean>();
  const id = useId();
  const phase = phaseOf(props);
  const isOpen = chosen ?? (phase === "writing" || phase === "running");
  const result = part.result === undefined ? undefined : resultOf(part.result);
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
      {phase === "running" && <ToolProgress callId={part.toolCallId} />}
      {!isOpen && result !== undefined && result.text !== "" && (
        <p className="tool-result-line">{summarise(parseJSON(result.text) ?? result.text, 160)}</p>
      )}
      {!isOpen && result !== undefined && result.images.length > 0 && (
        <div className="tool-images">
          {result.images.map((image, index) => (
            <ImagePart key={index} image={image} />
          ))}
        </div>
      )}
      <div id={id} className="tool-body" hidden={!isOpen}>
        {isOpen && <Body part={part} phase={phase} />}
      </div>
    </section>
  );
};
