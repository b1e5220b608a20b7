import { ComposerPrimitive, MessagePrimitive } from "@assistant-ui/react";

/** A message of the user, while it is being changed. */
export const EditComposer = () => (
  <MessagePrimitive.Root className="message message-edit" aria-label="You">
    <ComposerPrimitive.Root className="edit">
      <ComposerPrimitive.Input
        className="edit-input"
        aria-label="Change your message"
        autoFocus
        maxRows={12}
      />
      <div className="edit-actions">
        <ComposerPrimitive.Cancel className="button button-quiet">Cancel</ComposerPrimitive.Cancel>
        <ComposerPrimitive.Send className="button button-primary">Ask again</ComposerPrimitive.Send>
      </div>
    </ComposerPrimitive.Root>
  </MessagePrimitive.Root>
);
