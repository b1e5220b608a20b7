import { useEffect, useId, useRef, useState } from "react";
import { ChevronIcon } from "./icons";

type Props = { readonly text: string; readonly isLive: boolean };

/** Seconds the part was seen growing; `undefined` for one that was loaded whole. */
const useThinkingTime = (isLive: boolean): number | undefined => {
  const startedAt = useRef<number>(undefined);
  const [seconds, setSeconds] = useState<number>();
  useEffect(() => {
    if (isLive) {
      startedAt.current ??= performance.now();
    } else if (startedAt.current !== undefined) {
      setSeconds(Math.max(1, Math.round((performance.now() - startedAt.current) / 1000)));
      startedAt.current = undefined;
    }
  }, [isLive]);
  return seconds;
};

const titleOf = (isLive: boolean, seconds: number | undefined): string => {
  if (isLive) return "Thinking";
  return seconds === undefined ? "Reasoning" : `Thought for ${seconds} s`;
};

/** Open while the model thinks, closed when it is done, unless the reader has decided otherwise. */
export const Reasoning = ({ text, isLive }: Props) => {
  const [chosen, setChosen] = useState<boolean>();
  const seconds = useThinkingTime(isLive);
  const body = useRef<HTMLDivElement>(null);
  const id = useId();
  const isOpen = chosen ?? isLive;
  useEffect(() => {
    if (isLive && body.current) body.current.scrollTop = body.current.scrollHeight;
  }, [isLive, text]);
  if (text.trim() === "" && !isLive) return null;
  return (
    <section className="reasoning" data-live={isLive || undefined}>
      <button
        type="button"
        className="reasoning-title"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setChosen(!isOpen)}
      >
        <span>{titleOf(isLive, seconds)}</span>
        <ChevronIcon />
      </button>
      <div id={id} ref={body} className="reasoning-text" hidden={!isOpen}>
        {text}
      </div>
    </section>
  );
};
