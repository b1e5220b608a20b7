import { useState } from "react";
import { isEqual, isObject, summarise } from "../json";
import { ChevronIcon } from "./icons";

const PAGE = 100;
const LONG = 240;

/** The value a node is compared with; absent when nothing is to be marked. */
export type Baseline = { readonly value: unknown } | undefined;

type NodeProps = {
  readonly name: string;
  readonly value: unknown;
  readonly baseline: Baseline;
  readonly depth: number;
  readonly openDepth: number;
};

const entriesOf = (value: unknown): [string, unknown][] | undefined => {
  if (Array.isArray(value)) return value.map((item, index) => [String(index), item as unknown]);
  return isObject(value) ? Object.entries(value) : undefined;
};

const childBaseline = (baseline: Baseline, key: string): Baseline => {
  if (baseline === undefined) return undefined;
  const parent = baseline.value;
  const isContainer = typeof parent === "object" && parent !== null && Object.hasOwn(parent, key);
  return { value: isContainer ? (parent as Record<string, unknown>)[key] : undefined };
};

const Mark = () => (
  <span className="json-mark" title="Changed in the last run">
    <span className="visually-hidden">changed in the last run</span>
  </span>
);

const Leaf = ({ value }: { readonly value: unknown }) => {
  const [isWhole, setWhole] = useState(false);
  if (typeof value !== "string") {
    return <span className={`json-${value === null ? "null" : typeof value}`}>{String(value)}</span>;
  }
  if (value === "") return <span className="json-null">empty</span>;
  const isCut = value.length > LONG && !isWhole;
  return (
    <span className="json-string">
      {isCut ? value.slice(0, LONG) : value}
      {isCut && (
        <button type="button" className="json-more" onClick={() => setWhole(true)}>
          … {value.length - LONG} more characters
        </button>
      )}
    </span>
  );
};

const Branch = ({ name, value, baseline, depth, openDepth }: NodeProps) => {
  const entries = entriesOf(value) ?? [];
  const [isOpen, setOpen] = useState(depth < openDepth);
  const [shown, setShown] = useState(PAGE);
  const isChanged = baseline !== undefined && !isEqual(value, baseline.value);
  const noun = Array.isArray(value) ? "item" : "key";
  const count = `${entries.length} ${noun}${entries.length === 1 ? "" : "s"}`;
  return (
    <li className="json-node" data-changed={isChanged || undefined}>
      <button
        type="button"
        className="json-row json-branch"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <ChevronIcon />
        <span className="json-key">{name}</span>
        <span className="json-count">{isOpen ? count : summarise(value, 80)}</span>
        {isChanged && <Mark />}
      </button>
      {isOpen && (
        <ul>
          {entries.slice(0, shown).map(([key, item]) => (
            <JsonNode
              key={key}
              name={key}
              value={item}
              baseline={childBaseline(baseline, key)}
              depth={depth + 1}
              openDepth={openDepth}
            />
          ))}
          {entries.length > shown && (
            <li>
              <button type="button" className="json-more" onClick={() => setShown(shown + PAGE)}>
                {entries.length - shown} more
              </button>
            </li>
          )}
        </ul>
      )}
    </li>
  );
};

const JsonNode = (props: NodeProps) => {
  const { name, value, baseline } = props;
  if ((entriesOf(value)?.length ?? 0) > 0) return <Branch {...props} />;
  const isChanged = baseline !== undefined && !isEqual(value, baseline.value);
  return (
    <li className="json-node" data-changed={isChanged || undefined}>
      <div className="json-row">
        <span className="json-key">{name}</span>
        <span className="json-value">
          {entriesOf(value) === undefined ? (
            <Leaf value={value} />
          ) : (
            <span className="json-null">empty</span>
          )}
        </span>
        {isChanged && <Mark />}
      </div>
    </li>
  );
};

type TreeProps = {
  readonly value: unknown;
  /** Marks what differs from this value. */
  readonly comparedWith?: Baseline;
  readonly openDepth?: number;
};

/** Any JSON value as a tree that opens and closes. */
export const JsonTree = ({ value, comparedWith, openDepth = 1 }: TreeProps) => {
  const entries = entriesOf(value);
  if (entries === undefined) return <Leaf value={value} />;
  return (
    <ul className="json">
      {entries.map(([key, item]) => (
        <JsonNode
          key={key}
          name={key}
          value={item}
          baseline={childBaseline(comparedWith, key)}
          depth={0}
          openDepth={openDepth}
        />
      ))}
    </ul>
  );
};
