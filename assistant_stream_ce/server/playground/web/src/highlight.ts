// Loaded when the first code is shown: the page itself needs none of it.
import bash from "highlight.js/lib/languages/bash";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";

const lowlight = createLowlight({
  bash,
  css,
  diff,
  go,
  java,
  javascript,
  json,
  python,
  rust,
  sql,
  typescript,
  xml,
  yaml,
});
lowlight.registerAlias({ bash: ["console", "shell"] });

/** A piece of code: text, or a span of a kind with pieces in it. */
export type Piece = string | { readonly kind: string; readonly pieces: readonly Piece[] };

type Nodes = ReturnType<typeof lowlight.highlight>["children"];

const piecesOf = (nodes: Nodes): Piece[] =>
  nodes.flatMap((node): Piece[] => {
    if (node.type === "text") return [node.value];
    if (node.type !== "element") return [];
    const { className } = node.properties;
    const kind = Array.isArray(className) ? className.join(" ") : "";
    return [{ kind, pieces: piecesOf(node.children as Nodes) }];
  });

/** The code in pieces; `undefined` for a language that is not known here. */
export const highlight = (code: string, language: string): readonly Piece[] | undefined =>
  lowlight.registered(language) ? piecesOf(lowlight.highlight(language, code).children) : undefined;
