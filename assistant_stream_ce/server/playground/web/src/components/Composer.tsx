import {
  AuiIf,
  ComposerPrimitive,
  useAui,
  useAuiState,
} from "@assistant-ui/react";
import { useRef, useState, type ClipboardEvent, type DragEvent, type KeyboardEvent, type ReactNode } from "react";
import { refusalOf } from "../attachments";
import { useMediaQuery } from "../hooks";
import { useSession } from "../runtime";
import { useStore } from "../store";
import { ComposerFiles } from "./Attachments";
import { CrossIcon, PaperclipIcon, SendIcon, StopIcon } from "./icons";

type Files = { readonly add: (files: Iterable<File>) => void; readonly refusal: string | undefined; readonly forget: () => void };

/** Attaches files to the message, within the limits. */
const useFiles = (): Files => {
  const aui = useAui();
  const [refusal, setRefusal] = useState<string>();
  const add = (files: Iterable<File>) => {
    setRefusal(undefined);
    const composer = aui.thread.composer();
    const sizes = composer.getState().attachments.map((attachment) => attachment.file?.size ?? 0);
    for (const file of files) {
      const problem = refusalOf(file, sizes);
      if (problem !== undefined) {
        setRefusal(problem);
        continue;
      }
      sizes.push(file.size);
      void composer.addAttachment(file);
    }
  };
  return { add, refusal, forget: () => setRefusal(undefined) };
};

const StopButton = () => {
  const session = useSession();
  const { isStopping } = useStore(session.status);
  return (
    <button
      type="button"
      className="round-button"
      aria-label="Stop"
      title="Stop (Escape)"
      disabled={isStopping}
      onClick={() => void session.stop()}
    >
      {isStopping ? <span className="spinner" /> : <StopIcon />}
    </button>
  );
};

/** The last message of the user goes back into a field when the arrow is pressed in an empty one. */
const useEditLast = () => {
  const aui = useAui();
  return (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key !== "ArrowUp" || event.currentTarget.value !== "") return;
    if (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
    const buttons = document.querySelectorAll<HTMLElement>('[data-action="edit"]');
    const last = [...buttons].at(-1);
    if (last === undefined || aui.thread.getState().isRunning) return;
    event.preventDefault();
    last.click();
  };
};

const AttachButton = ({ onFiles }: { readonly onFiles: (files: Iterable<File>) => void }) => {
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={field}
        type="file"
        multiple
        hidden
        aria-label="Files to attach"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      <button
        type="button"
        className="icon-button composer-attach"
        aria-label="Attach files"
        title="Attach files (or paste, or drop them)"
        onClick={() => field.current?.click()}
      >
        <PaperclipIcon />
      </button>
    </>
  );
};

const isFileDrag = (event: DragEvent): boolean => event.dataTransfer.types.includes("Files");

/** Takes files that are dropped anywhere on the thread. */
export const DropZone = ({ children }: { readonly children: (files: Files) => ReactNode }) => {
  const files = useFiles();
  const [isOver, setOver] = useState(false);
  return (
    <div
      className="drop-zone"
      data-over={isOver || undefined}
      onDragOver={(event) => {
        if (!isFileDrag(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        if (!isFileDrag(event)) return;
        event.preventDefault();
        setOver(false);
        files.add([...event.dataTransfer.files]);
      }}
    >
      {children(files)}
      {isOver && (
        <p className="drop-hint" aria-hidden="true">
          Drop to attach
        </p>
      )}
    </div>
  );
};

export const Composer = ({ files }: { readonly files: Files }) => {
  const isTouch = useMediaQuery("(pointer: coarse)");
  const hasFiles = useAuiState((s) => s.composer.attachments.length > 0);
  const editLast = useEditLast();
  const onPaste = (event: ClipboardEvent) => {
    const pasted = [...event.clipboardData.files];
    if (pasted.length === 0) return;
    event.preventDefault();
    files.add(pasted);
  };
  return (
    <>
      {files.refusal !== undefined && (
        <p className="refusal" role="alert">
          <span>{files.refusal}</span>
          <button
            type="button"
            className="icon-button icon-button-small"
            aria-label="Dismiss this notice"
            onClick={files.forget}
          >
            <CrossIcon />
          </button>
        </p>
      )}
      <ComposerPrimitive.Root className="composer" data-files={hasFiles || undefined}>
        {hasFiles && <ComposerFiles />}
        <div className="composer-row">
          <AttachButton onFiles={files.add} />
          <ComposerPrimitive.Input
            className="composer-input"
            rows={1}
            maxRows={8}
            placeholder="Ask anything"
            aria-label="Your message"
            // On a phone the keyboard would cover the page before anything was read.
            autoFocus={!isTouch}
            cancelOnEscape={false}
            addAttachmentOnPaste={false}
            onPaste={onPaste}
            onKeyDown={editLast}
          />
          <AuiIf condition={(s) => s.thread.isRunning}>
            <StopButton />
          </AuiIf>
          <AuiIf condition={(s) => !s.thread.isRunning}>
            <ComposerPrimitive.Send
              className="round-button round-button-primary"
              aria-label="Send"
              title="Send (Enter)"
            >
              <SendIcon />
            </ComposerPrimitive.Send>
          </AuiIf>
        </div>
      </ComposerPrimitive.Root>
    </>
  );
};
