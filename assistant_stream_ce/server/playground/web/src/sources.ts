import { isObject } from "./json";
import { safeWebLink } from "./links";

export type Source = { readonly url: string; readonly title: string | undefined };

const titleOf = (value: Record<string, unknown>): string | undefined =>
  typeof value.title === "string" && value.title.trim() !== "" ? value.title : undefined;

const sourceOf = (value: unknown): Source | undefined => {
  if (!isObject(value)) return undefined;
  const metadata = isObject(value.metadata) ? value.metadata : {};
  const url = [value.url, metadata.url, value.source, metadata.source]
    .map(safeWebLink)
    .find((link) => link !== undefined);
  return url === undefined ? undefined : { url, title: titleOf(value) ?? titleOf(metadata) };
};

const isSource = (source: Source | undefined): source is Source => source !== undefined;

/** Citations on the text blocks of one LangChain message. */
export const citationsOf = (content: unknown): Source[] => {
  if (!Array.isArray(content)) return [];
  return content
    .filter(isObject)
    .flatMap((block) => [block.annotations, block.citations])
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .map(sourceOf)
    .filter(isSource);
};

/** Documents with an address in a tool's artifact: a list, or a list under `documents`. */
export const documentsOf = (artifact: unknown): Source[] => {
  const list = isObject(artifact) ? artifact.documents : artifact;
  return Array.isArray(list) ? list.map(sourceOf).filter(isSource) : [];
};

/** One entry an address, in the order of first mention; a title wins over none. */
export const uniqueSources = (sources: readonly Source[]): Source[] => {
  const byUrl = new Map<string, Source>();
  for (const source of sources) {
    const known = byUrl.get(source.url);
    if (known === undefined || known.title === undefined) byUrl.set(source.url, source);
  }
  return [...byUrl.values()];
};
