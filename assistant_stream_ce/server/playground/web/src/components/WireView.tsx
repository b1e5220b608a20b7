import { memo, useEffect, useMemo, useRef, useState } from "react";
import { indentJSON, isObject, parseJSON, summarise } from "../json";
import { useSession } from "../runtime";
import { useStore } from "../store";
import type { Frame } from "../wire";
import { sizeInWords } from "../attachments";

const PAGE = 200;

const timeOf = (milliseconds: number): string =>
  milliseconds < 10_000
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1_000).toFixed(1)} s`;

/** The way to a place in the state; in the middle of a long one stands nothing of interest. */
const pathInWords = (path: readonly unknown[]): string =>
  (path.length > 3 ? [...path.slice(0, 2), "…", path.at(-1)] : path).join("/") || "(all)";

const operationInWords = (operation: unknown): string => {
  if (!isObject(operation)) return summarise(operation, 60);
  const path = pathInWords(Array.isArray(operation.path) ? operation.path : []);
  const sign = operation.type === "append-text" ? "+" : "=";
  return `${path} ${sign} ${summarise(operation.value, 60)}`;
};

/** What a frame says in one line: for the state, what is changed in it. */
const frameInWords = (frame: Frame): string => {
  if (frame.kind !== "state" || frame.text.length > 5_000) return frame.text.slice(0, 160);
  const operations = parseJSON(frame.text);
  if (!Array.isArray(operations)) return frame.text.slice(0, 160);
  return operations.slice(0, 4).map(operationInWords).join("; ");
};

const FrameRow = memo(({ frame }: { readonly frame: Frame }) => {
  const [isOpen, setOpen] = useState(false);
  return (
    <li className="frame" data-kind={frame.kind}>
      <button
        type="button"
        className="frame-head"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <span className="frame-time">{timeOf(frame.at)}</span>
        <span className="frame-kind">{frame.kind}</span>
        <span className="frame-text">{frameInWords(frame)}</span>
      </button>
      {isOpen && <pre className="frame-body">{indentJSON(frame.text)}</pre>}
    </li>
  );
});

/** The frames of the data stream as they come in. */
export const WireView = () => {
  const { wire } = useSession();
  const { frames, count, bytes } = useStore(wire.view);
  const [wanted, setWanted] = useState("");
  const [kind, setKind] = useState("");
  const [shown, setShown] = useState(PAGE);
  const list = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const kinds = useMemo(() => [...new Set(frames.map((frame) => frame.kind))].sort(), [frames]);
  const found = useMemo(() => {
    const words = wanted.toLowerCase();
    return frames.filter(
      (frame) =>
        (kind === "" || frame.kind === kind) && frame.text.toLowerCase().includes(words),
    );
  }, [frames, wanted, kind]);
  useEffect(() => {
    if (isAtEnd.current && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [found]);
  return (
    <div className="wire">
      <div className="wire-tools">
        <input
          type="search"
          value={wanted}
          placeholder="Search the frames"
          aria-label="Search the frames"
          onChange={(event) => setWanted(event.target.value)}
        />
        <select aria-label="Kind" value={kind} onChange={(event) => setKind(event.target.value)}>
          <option value="">All kinds</option>
          {kinds.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <button type="button" className="button button-quiet" onClick={() => wire.clear()}>
          Clear
        </button>
      </div>
      <div
        className="wire-list"
        ref={list}
        tabIndex={0}
        role="region"
        aria-label="Frames"
        onScroll={({ currentTarget: e }) => {
          isAtEnd.current = e.scrollHeight - e.scrollTop - e.clientHeight < 24;
        }}
      >
        {found.length > shown && (
          <button type="button" className="json-more" onClick={() => setShown(shown + PAGE)}>
            {found.length - shown} earlier
          </button>
        )}
        {count === 0 && (
          <p className="panel-empty">Each frame of the stream appears here as it comes in.</p>
        )}
        <ul>
          {found.slice(-shown).map((frame) => (
            <FrameRow key={frame.number} frame={frame} />
          ))}
        </ul>
      </div>
      <p className="wire-sum">
        {count} frames, {sizeInWords(bytes)}
        {frames.length < count && `; the last ${frames.length} are kept`}
        {found.length < frames.length && `; ${found.length} found`}
      </p>
    </div>
  );
};
