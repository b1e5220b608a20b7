import { useEffect, useState } from "react";
import { CheckIcon, CopyIcon } from "./icons";

type Props = { readonly label: string; readonly text: () => string };

/** Left out where the browser has no clipboard to offer (plain HTTP on another host). */
export const CopyButton = ({ label, text }: Props) => {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = window.setTimeout(() => setCopied(false), 1600);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  if (navigator.clipboard === undefined) return null;
  const copy = () =>
    navigator.clipboard.writeText(text()).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  return (
    <button
      type="button"
      className="icon-button icon-button-small"
      aria-label={isCopied ? "Copied" : label}
      title={isCopied ? "Copied" : label}
      onClick={() => void copy()}
    >
      {isCopied ? <CheckIcon /> : <CopyIcon />}
    </button>
  );
};
