import { useAui, useAuiState } from "@assistant-ui/react";
import { useMemo, useState } from "react";
import type { GraphState } from "../convert";
import { useGraphState } from "../runtime";
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

export const StateTree = ({ before }: { readonly before: Baseline }) => {
  const [hasMessages, setHasMessages] = useState(false);
  const state = useGraphState((s) => s);
  const values = useMemo(() => (hasMessages ? state : withoutMessages(state)), [state, hasMessages]);
  const count = Array.isArray(state.messages) ? state.messages.length : 0;
  return (
    <>
      {Object.keys(values).length === 0 ? (
        <p className="panel-empty">
          The state of the graph appears here while the agent works. What the last run has changed
          is marked.
        </p>
      ) : (
        <JsonTree value={values} comparedWith={before} openDepth={hasMessages ? 1 : 2} />
      )}
      {count > 0 && (
        <label className="panel-option">
          <input
            type="checkbox"
            checked={hasMessages}
            onChange={(event) => setHasMessages(event.target.checked)}
          />
          With the {count === 1 ? "message" : `${count} messages`} of the thread
        </label>
      )}
    </>
  );
};
