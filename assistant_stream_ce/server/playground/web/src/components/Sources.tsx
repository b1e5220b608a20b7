import { useAuiState } from "@assistant-ui/react";
import { hostOf } from "../links";
import { documentsOf, uniqueSources, type Source } from "../sources";

/**
 * Where the answer comes from: its citations, then the documents its tools found.
 *
 * Drawn when the answer is complete, so that it is not pushed down by every line of it.
 */
export const Sources = () => {
  const isRunning = useAuiState((s) => s.message.status?.type === "running");
  const parts = useAuiState((s) => s.message.parts);
  if (isRunning) return null;
  const cited: Source[] = [];
  const found: Source[] = [];
  for (const part of parts) {
    if (part.type === "source" && part.url !== undefined) {
      cited.push({ url: part.url, title: part.title });
    } else if (part.type === "tool-call") {
      found.push(...documentsOf(part.artifact));
    }
  }
  const sources = uniqueSources([...cited, ...found]);
  if (sources.length === 0) return null;
  return (
    <section className="sources" aria-label="Sources">
      <h4>Sources</h4>
      <ol>
        {sources.map((source, index) => (
          <li key={source.url}>
            <a href={source.url} target="_blank" rel="noopener noreferrer nofollow">
              <span className="source-number">{index + 1}</span>
              <span className="source-title">{source.title ?? source.url}</span>
              <span className="source-host">{hostOf(source.url)}</span>
            </a>
          </li>
        ))}
      </ol>
    </section>
  );
};
