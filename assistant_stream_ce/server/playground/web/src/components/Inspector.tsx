import { useRef, useState, type KeyboardEvent } from "react";
import { Drawer } from "./Drawer";
import { CrossIcon } from "./icons";
import type { Baseline } from "./JsonTree";
import { StateTree } from "./StateTree";
import { WireView } from "./WireView";

const TABS = ["State", "Wire"] as const;

type ContentProps = { readonly before: Baseline; readonly onClose: () => void };

const Content = ({ before, onClose }: ContentProps) => {
  const [tab, setTab] = useState<(typeof TABS)[number]>("State");
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = tab === "State" ? "Wire" : "State";
    setTab(other);
    list.current?.querySelector<HTMLElement>(`#tab-${other}`)?.focus();
  };
  return (
    <>
      <div className="panel-head">
        <div className="tabs" role="tablist" aria-label="What to see" ref={list} onKeyDown={onKeyDown}>
          {TABS.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`tab-${name}`}
              aria-selected={tab === name}
              aria-controls="inspector-panel"
              tabIndex={tab === name ? 0 : -1}
              onClick={() => setTab(name)}
            >
              {name}
            </button>
          ))}
        </div>
        <button
          type="button"
          className="icon-button"
          aria-label="Close the state panel"
          onClick={onClose}
        >
          <CrossIcon />
        </button>
      </div>
      <div
        id="inspector-panel"
        role="tabpanel"
        aria-labelledby={`tab-${tab}`}
        className={tab === "State" ? "state-body" : "wire-body"}
      >
        {tab === "State" ? <StateTree before={before} /> : <WireView />}
      </div>
    </>
  );
};

type Props = ContentProps & { readonly isDocked: boolean };

/** The graph's state and the wire beside the thread; on a narrow screen a drawer over it. */
export const Inspector = ({ isDocked, ...props }: Props) =>
  isDocked ? (
    <aside className="state" aria-label="State and wire">
      <Content {...props} />
    </aside>
  ) : (
    <Drawer label="State" className="state drawer drawer-right" onClose={props.onClose}>
      <Content {...props} />
    </Drawer>
  );
