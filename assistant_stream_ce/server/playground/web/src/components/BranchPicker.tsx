import { useAuiState } from "@assistant-ui/react";
import { useMemo } from "react";
import { siblingsOf } from "../branches";
import { useGraphState, useSession } from "../runtime";
import { useStore } from "../store";
import { BackIcon, ForwardIcon } from "./icons";

/** Which of several versions of a message is shown, and the way to the others. */
export const BranchPicker = () => {
  const session = useSession();
  const paths = useStore(session.branches.paths);
  const state = useGraphState((s) => s);
  const messageId = useAuiState((s) => s.message.id);
  const isBusy = useAuiState((s) => s.thread.isRunning);
  const siblings = useMemo(
    () => (paths.length === 0 ? undefined : siblingsOf(state, paths, messageId)),
    [state, paths, messageId],
  );
  if (siblings === undefined) return null;
  const { index, states } = siblings;
  const show = (place: number) => session.showBranch(states[place]!);
  return (
    <div className="branches" role="group" aria-label="Versions">
      <button
        type="button"
        className="icon-button icon-button-small"
        aria-label="Version before"
        title="Version before"
        disabled={isBusy || index === 0}
        onClick={() => show(index - 1)}
      >
        <BackIcon />
      </button>
      <span className="branches-place">
        {index + 1} / {states.length}
      </span>
      <button
        type="button"
        className="icon-button icon-button-small"
        aria-label="Version after"
        title="Version after"
        disabled={isBusy || index === states.length - 1}
        onClick={() => show(index + 1)}
      >
        <ForwardIcon />
      </button>
    </div>
  );
};
