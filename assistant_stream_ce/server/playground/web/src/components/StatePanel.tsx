import { useAui, useAuiState } from "@assistant-ui/react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { GraphState } from "../convert";
import { useGraphState } from "../runtime";
import { CrossIcon } from "./icons";
import { JsonTree, type Baseline } from "./JsonTree";

const withoutMessages = ({ messages: _messages, ...rest }: GraphState) => rest;

type Run = { readonly isRunning: boolean; readonly before: Baseline };

/** The state as it was when the last run of this visit began: what differs has changed in that run. */
export const useStateBeforeRun = (): Baseline => {
  const aui = useAui();
  const isRunning = useAuiState((s) => s.thread.isRunning);
  const [run, setRun] = useState<Run>({ isRunning, before: undefined });
  if (run.isRunning === isRunning) return run.before;
  const before = isRunning ? { value: aui.thread.getState().state } : run.before;
  setRun({ isRunning, before });
  return before;
};

const StateTree = ({ before }: { readonly before: Baseline }) => {
  const state = useGraphState((s) => s);
  const values = useMemo(() => withoutMessages(state), [state]);
  if (Object.keys(values).length === 0) {
    return (
      <p className="state-empty">
        The state of the graph appears here while the agent works. What the last run has changed is
        marked.
      </p>
    );
  }
  return <JsonTree value={values} comparedWith={before} openDepth={2} />;
};

type ContentProps = { readonly before: Baseline; readonly onClose: () => void };

const Content = ({ before, onClose }: ContentProps) => (
  <>
    <div className="state-head">
      <h2 id="state-title">State</h2>
      <button
        type="button"
        className="icon-button"
        aria-label="Close the state panel"
        onClick={onClose}
      >
        <CrossIcon />
      </button>
    </div>
    <div className="state-body">
      <StateTree before={before} />
    </div>
  </>
);

const Drawer = (props: ContentProps) => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className="state state-drawer"
      aria-labelledby="state-title"
      onClose={props.onClose}
      onClick={(event) => {
        // A click on the backdrop is a click on the dialog itself.
        if (event.target === dialog.current) props.onClose();
      }}
    >
      <Content {...props} />
    </dialog>
  );
};

type Props = ContentProps & { readonly isDocked: boolean };

/** The state beside the thread; on a narrow screen a drawer over it. */
export const StatePanel = ({ isDocked, ...props }: Props) =>
  isDocked ? (
    <aside className="state" aria-labelledby="state-title">
      <Content {...props} />
    </aside>
  ) : (
    <Drawer {...props} />
  );
