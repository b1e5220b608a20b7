import type { Failure } from "../failure";
import { AlertIcon, CrossIcon } from "./icons";

type Props = { readonly failure: Failure; readonly onDismiss?: () => void };

export const Banner = ({ failure, onDismiss }: Props) => (
  <div className="banner" role="alert">
    <AlertIcon />
    <div className="banner-text">
      <p className="banner-title">{failure.title}</p>
      {failure.detail !== undefined && <p className="banner-detail">{failure.detail}</p>}
    </div>
    {onDismiss !== undefined && (
      <button
        type="button"
        className="icon-button"
        aria-label="Dismiss this message"
        onClick={onDismiss}
      >
        <CrossIcon />
      </button>
    )}
  </div>
);
