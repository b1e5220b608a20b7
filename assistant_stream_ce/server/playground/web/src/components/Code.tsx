import { useEffect, useMemo, useState, type ReactNode } from "react";
import type { highlight, Piece } from "../highlight";

type Highlight = typeof highlight;

/** Characters of code that are coloured; more would be felt at every token. */
const MOST = 30_000;

let loading: Promise<Highlight | undefined> | undefined;
let loaded: Highlight | undefined;

const load = (): Promise<Highlight | undefined> =>
  (loading ??= import("../highlight").then(
    (module) => (loaded = module.highlight),
    // Out of reach: the code stays plain, and the next page tries again.
    () => undefined,
  ));

const useHighlight = (): Highlight | undefined => {
  const [known, setKnown] = useState<Highlight | undefined>(() => loaded);
  useEffect(() => {
    if (known === undefined) void load().then((found) => setKnown(() => found));
  }, [known]);
  return known;
};

const draw = (piece: Piece, key: number): ReactNode =>
  typeof piece === "string" ? (
    piece
  ) : (
    <span key={key} className={piece.kind}>
      {piece.pieces.map(draw)}
    </span>
  );

type Props = { readonly code: string; readonly language: string };

/** Code in colours, once they are there. */
export const Code = ({ code, language }: Props) => {
  const highlight = useHighlight();
  const pieces = useMemo(
    () => (code.length > MOST ? undefined : highlight?.(code, language.toLowerCase())),
    [highlight, code, language],
  );
  return pieces === undefined ? code : pieces.map(draw);
};
