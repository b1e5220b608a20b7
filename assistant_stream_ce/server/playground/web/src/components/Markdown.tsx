import {
  MarkdownTextPrimitive,
  type CodeHeaderProps,
  type MarkdownTextPrimitiveProps,
  type SyntaxHighlighterProps,
} from "@assistant-ui/react-markdown";
import remarkGfm from "remark-gfm";
import { safeLink } from "../links";
import { Code } from "./Code";
import { CopyButton } from "./CopyButton";

const CodeHeader = ({ language, code }: CodeHeaderProps) => (
  <div className="code-header">
    <span>{language === undefined || language === "unknown" ? "Text" : language}</span>
    <CopyButton label="Copy this code" text={() => code} />
  </div>
);

const CodeBody = ({ components: { Pre, Code: Element }, language, code }: SyntaxHighlighterProps) => (
  <Pre tabIndex={0}>
    <Element>
      <Code code={code} language={language} />
    </Element>
  </Pre>
);

const Link = ({ href, children }: { href?: string; children?: React.ReactNode }) => {
  const safe = safeLink(href);
  if (safe === undefined) return <span>{children}</span>;
  return (
    <a href={safe} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
};

// An image address is a request that carries whatever the model put into it: the reader decides.
const Image = ({ src, alt }: { src?: string | Blob; alt?: string }) => (
  <Link {...(typeof src === "string" && { href: src })}>
    {alt === undefined || alt === "" ? "Image" : alt}
  </Link>
);

const components: NonNullable<MarkdownTextPrimitiveProps["components"]> = {
  a: ({ href, children }) => <Link {...(href !== undefined && { href })}>{children}</Link>,
  img: ({ src, alt }) => (
    <Image {...(src !== undefined && { src })} {...(alt !== undefined && { alt })} />
  ),
  table: ({ children }) => (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
  CodeHeader,
  SyntaxHighlighter: CodeBody,
};

const plugins = [remarkGfm];

/** The text part in context as Markdown. Raw HTML stays text, as react-markdown has it by default. */
export const Markdown = () => (
  <MarkdownTextPrimitive
    className="markdown"
    components={components}
    remarkPlugins={plugins}
    smooth={false}
    defer
  />
);
