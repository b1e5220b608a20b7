import { useEffect, useMemo, useState, type MouseEvent } from "react";
import { addressOf } from "../address";
import type { ThreadSummary } from "../server";
import { Drawer } from "./Drawer";
import { BrandMark } from "./Header";
import { CrossIcon, PlusIcon, SidebarIcon, TrashIcon } from "./icons";

type Props = {
  readonly list: readonly ThreadSummary[];
  readonly current: string | undefined;
  readonly isDocked: boolean;
  readonly onShowOlder: (() => void) | undefined;
  readonly onOpen: (threadId: string) => void;
  readonly onNew: () => void;
  readonly onDelete: (threadId: string) => Promise<void>;
  readonly onClose: () => void;
};

const DAY = 86_400_000;

const groupOf = (updatedAt: string | undefined, now: number): string => {
  const time = updatedAt === undefined ? Number.NaN : Date.parse(updatedAt);
  if (Number.isNaN(time)) return "Earlier";
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (time >= midnight) return "Today";
  if (time >= midnight - DAY) return "Yesterday";
  if (time >= midnight - 7 * DAY) return "Last seven days";
  return "Earlier";
};

const STATUS: Record<ThreadSummary["status"], string | undefined> = {
  idle: undefined,
  running: "at work",
  interrupted: "waits for you",
};

type RowProps = Pick<Props, "onOpen" | "onDelete"> & {
  readonly thread: ThreadSummary;
  readonly isCurrent: boolean;
};

const Question = ({ onDelete, onKeep }: { onDelete: () => void; onKeep: () => void }) => (
  <div
    className="thread-question"
    role="group"
    aria-label="Delete this thread?"
    onKeyDown={(event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      onKeep();
    }}
  >
    <span>Delete it?</span>
    <button type="button" className="button button-danger" autoFocus onClick={onDelete}>
      Delete
    </button>
    <button type="button" className="button button-quiet" onClick={onKeep}>
      Keep
    </button>
  </div>
);

const Row = ({ thread, isCurrent, onOpen, onDelete }: RowProps) => {
  const [isAsking, setAsking] = useState(false);
  const { threadId, status } = thread;
  const title = thread.title || "Untitled";
  const open = (event: MouseEvent) => {
    // A new tab is the browser's business.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    onOpen(threadId);
  };
  if (isAsking) {
    return (
      <li>
        <Question onDelete={() => void onDelete(threadId)} onKeep={() => setAsking(false)} />
      </li>
    );
  }
  return (
    <li className="thread-row">
      <a
        href={addressOf(threadId)}
        className="thread-link"
        aria-current={isCurrent ? "page" : undefined}
        title={title}
        onClick={open}
      >
        <span className="thread-title">{title}</span>
        {STATUS[status] !== undefined && (
          <span className="thread-status" data-status={status} title={STATUS[status]}>
            <span className="visually-hidden">{STATUS[status]}</span>
          </span>
        )}
      </a>
      <button
        type="button"
        className="icon-button icon-button-small thread-delete"
        aria-label={`Delete ${title}`}
        title="Delete"
        onClick={() => setAsking(true)}
      >
        <TrashIcon />
      </button>
    </li>
  );
};

const SEARCHABLE = 8;

const Content = (props: Props) => {
  const { list, current, isDocked, onShowOlder, onOpen, onNew, onDelete, onClose } = props;
  const [wanted, setWanted] = useState("");
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => setNow(Date.now()), [list]);
  const groups = useMemo(() => {
    const words = wanted.trim().toLowerCase();
    const found = list.filter((thread) => thread.title.toLowerCase().includes(words));
    return Map.groupBy(found, (thread) => groupOf(thread.updatedAt, now));
  }, [list, wanted, now]);
  return (
    <>
      <div className="sidebar-head">
        <div className="brand">
          <BrandMark />
          <span className="brand-name">Assistant</span>
        </div>
        <button
          type="button"
          className="icon-button"
          aria-label="Hide the list of threads"
          title="Hide the list (Ctrl Shift L)"
          onClick={onClose}
        >
          {isDocked ? <SidebarIcon /> : <CrossIcon />}
        </button>
      </div>
      <button type="button" className="button sidebar-new" onClick={onNew}>
        <PlusIcon />
        <span>New thread</span>
      </button>
      {(list.length > SEARCHABLE || wanted !== "") && (
        <input
          type="search"
          className="sidebar-search"
          placeholder="Search"
          aria-label="Search the threads"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      )}
      <nav className="sidebar-list" aria-label="Threads">
        {list.length === 0 && <p className="sidebar-empty">Your threads will be here.</p>}
        {[...groups].map(([name, threads]) => (
          <section key={name}>
            <h2>{name}</h2>
            <ul>
              {threads.map((thread) => (
                <Row
                  key={thread.threadId}
                  thread={thread}
                  isCurrent={thread.threadId === current}
                  onOpen={onOpen}
                  onDelete={onDelete}
                />
              ))}
            </ul>
          </section>
        ))}
        {onShowOlder !== undefined && (
          <button type="button" className="json-more sidebar-older" onClick={onShowOlder}>
            Show older threads
          </button>
        )}
      </nav>
    </>
  );
};

/** The visitor's threads beside the page; on a narrow screen a drawer over it. */
export const ThreadList = (props: Props) =>
  props.isDocked ? (
    <aside className="sidebar" aria-label="Your threads">
      <Content {...props} />
    </aside>
  ) : (
    <Drawer label="Your threads" className="sidebar drawer drawer-left" onClose={props.onClose}>
      <Content {...props} />
    </Drawer>
  );
