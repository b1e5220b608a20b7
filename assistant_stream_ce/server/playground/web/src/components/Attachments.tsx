import { AttachmentPrimitive, ComposerPrimitive, useAuiState } from "@assistant-ui/react";
import { useEffect, useState } from "react";
import { isDrawnImage, sizeInWords } from "../attachments";
import { safeWebLink } from "../links";
import { CrossIcon, FileIcon } from "./icons";

const usePreview = (file: File | undefined): string | undefined => {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (file === undefined || !isDrawnImage(file.type)) return;
    const made = URL.createObjectURL(file);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return address;
};

const ComposerFile = () => {
  const name = useAuiState((s) => s.attachment.name);
  const file = useAuiState((s) => s.attachment.file);
  const sent = useAuiState((s) => {
    const part = s.attachment.content?.[0];
    return s.attachment.type === "image" && part?.type === "image" ? part.image : undefined;
  });
  const preview = usePreview(file) ?? sent;
  return (
    <AttachmentPrimitive.Root className="attached" title={name}>
      {preview === undefined ? <FileIcon /> : <img src={preview} alt="" />}
      <span className="attached-name">{name}</span>
      {file !== undefined && <span className="attached-size">{sizeInWords(file.size)}</span>}
      <AttachmentPrimitive.Remove
        className="icon-button icon-button-small"
        aria-label={`Remove ${name}`}
        title="Remove"
      >
        <CrossIcon />
      </AttachmentPrimitive.Remove>
    </AttachmentPrimitive.Root>
  );
};

/** What goes with the message that is being written. */
export const ComposerFiles = () => (
  <div className="attached-list" role="group" aria-label="Attached files">
    <ComposerPrimitive.Attachments>{() => <ComposerFile />}</ComposerPrimitive.Attachments>
  </div>
);

/** An image that came with the message; one on another host is only linked to. */
export const ImagePart = ({ image }: { readonly image: string }) => {
  if (/^(data:image\/|blob:)/i.test(image)) {
    return <img className="image-part" src={image} alt="Attached image" />;
  }
  const href = safeWebLink(image);
  return href === undefined ? null : (
    <p>
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        Open the image
      </a>
    </p>
  );
};

type FileProps = {
  readonly filename?: string | undefined;
  readonly mimeType: string;
  readonly data?: unknown;
};

const BASE64 = /^[A-Za-z0-9+/=_-]+$/;

const bytesOf = (data: string): number =>
  Math.floor((data.replace(/=+$/, "").length * 3) / 4);

/** A file that came with the message: to be saved, never opened in the page. */
export const FilePart = ({ filename, mimeType, data }: FileProps) => {
  const name = filename ?? "File";
  const isHere = typeof data === "string" && BASE64.test(data);
  const href = safeWebLink(data);
  const content = (
    <>
      <FileIcon />
      <span className="file-name">{name}</span>
      <span className="file-type">{isHere ? sizeInWords(bytesOf(data)) : mimeType}</span>
    </>
  );
  if (isHere) {
    // As bytes that no browser shows: a page among them must not run on this host.
    return (
      <a className="file-part" download={name} href={`data:application/octet-stream;base64,${data}`}>
        {content}
      </a>
    );
  }
  if (href !== undefined) {
    return (
      <a className="file-part" href={href} target="_blank" rel="noopener noreferrer nofollow">
        {content}
      </a>
    );
  }
  return <p className="file-part">{content}</p>;
};
