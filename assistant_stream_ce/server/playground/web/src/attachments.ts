import type {
  AttachmentAdapter,
  CompleteAttachment,
  CreateAttachment,
  PendingAttachment,
} from "@assistant-ui/react";
import { newId } from "./address";
import { isObject, type JSONObject } from "./json";

/** Bytes of one file; the server takes up to 8 MiB of base64 text. */
export const MOST_FILE_BYTES = 5_000_000;
/** Bytes of all files of a message; the server takes a body of up to 10 MiB. */
export const MOST_BYTES = 6_500_000;
export const MOST_FILES = 10;

// The transport carries texts and images only. A file travels to `toFileParts` below as an image
// whose address says its type and name.
const NAMED_FILE = /^data:([^;,]+);name=([^;,]*);base64,(.*)$/s;

export type NamedFile = { readonly mimeType: string; readonly name: string; readonly data: string };

/** The file in an address that `readAttachment` has made. */
export const namedFileOf = (address: string): NamedFile | undefined => {
  const match = NAMED_FILE.exec(address);
  if (match === null) return undefined;
  return { mimeType: match[1]!, name: decodeURIComponent(match[2]!), data: match[3]! };
};

const DRAWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

export const isDrawnImage = (type: string): boolean => DRAWN.has(type);

const readAsDataUrl = (file: Blob): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error("The file cannot be read."));
    reader.readAsDataURL(file);
  });

const readAttachment = async (file: File): Promise<string> => {
  const type = /^[\w.+-]+\/[\w.+-]+$/.test(file.type) ? file.type : "application/octet-stream";
  const address = await readAsDataUrl(file);
  const base64 = address.slice(address.indexOf(",") + 1);
  if (isDrawnImage(type)) return `data:${type};base64,${base64}`;
  return `data:${type};name=${encodeURIComponent(file.name)};base64,${base64}`;
};

const inWords = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1).replace(/\.0$/, "")} MB`;

/** A file's size in words. */
export const sizeInWords = (bytes: number): string =>
  bytes < 1_000 ? `${bytes} B` : bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} KB` : inWords(bytes);

/** Why a file is not taken beside those that are there already, as a sentence. */
export const refusalOf = (file: File, others: readonly number[]): string | undefined => {
  if (file.size === 0) return `“${file.name}” is empty.`;
  if (file.size > MOST_FILE_BYTES) {
    return `“${file.name}” has ${inWords(file.size)}; a file may have up to ${inWords(MOST_FILE_BYTES)}.`;
  }
  if (others.length >= MOST_FILES) return `A message takes up to ${MOST_FILES} files.`;
  const sum = others.reduce((total, size) => total + size, file.size);
  if (sum <= MOST_BYTES) return undefined;
  return `With “${file.name}” the files would have ${inWords(sum)}; a message may have up to ${inWords(MOST_BYTES)}.`;
};

const kindOf = (type: string): "image" | "file" => (isDrawnImage(type) ? "image" : "file");

/** Reads the files of a message when it is sent. */
export const fileAttachments: AttachmentAdapter = {
  accept: "*",
  add: async ({ file }): Promise<PendingAttachment> => ({
    id: newId(),
    type: kindOf(file.type),
    name: file.name || "file",
    contentType: file.type,
    file,
    status: { type: "requires-action", reason: "composer-send" },
  }),
  remove: async () => undefined,
  send: async (attachment): Promise<CompleteAttachment> => {
    const image = await readAttachment(attachment.file);
    return { ...attachment, status: { type: "complete" }, content: [{ type: "image", image }] };
  },
};

/** A file that was sent, to be attached again. */
export const attachmentOf = (address: string): CreateAttachment => {
  const file = namedFileOf(address);
  const contentType = file?.mimeType ?? /^data:([^;,]+)/.exec(address)?.[1] ?? "image/png";
  return {
    type: kindOf(contentType),
    name: file?.name ?? "image",
    contentType,
    content: [{ type: "image", image: address }],
  };
};

type Part = { readonly type: string; readonly image?: string; readonly [key: string]: unknown };

/** The parts of a message as the server reads them: what is a file is sent as one. */
export const toFileParts = (parts: readonly Part[]): Part[] =>
  parts.map((part) => {
    const file = part.type === "image" ? namedFileOf(part.image ?? "") : undefined;
    if (file === undefined) return part;
    return { type: "file", data: file.data, mimeType: file.mimeType, filename: file.name };
  });

/** The files of a stored message, as parts: an edited message keeps them. */
export const filePartsOf = (message: JSONObject): Part[] => {
  if (!Array.isArray(message.content)) return [];
  return message.content.filter(isObject).flatMap((block): Part[] => {
    const data = block.data ?? block.base64 ?? block.url;
    if (block.type !== "file" || typeof data !== "string") return [];
    const name = typeof block.filename === "string" ? { filename: block.filename } : {};
    return [{ type: "file", data, mimeType: String(block.mime_type ?? ""), ...name }];
  });
};
