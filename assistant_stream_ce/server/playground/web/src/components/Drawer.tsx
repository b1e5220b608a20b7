import { useEffect, useRef, type ReactNode } from "react";

type Props = {
  readonly label: string;
  readonly className: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
};

/** Something modal over the page: the browser keeps the focus in it, and Escape closes it. */
export const Drawer = ({ label, className, onClose, children }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className={className}
      aria-label={label}
      onClose={onClose}
      onClick={(event) => {
        // A click on the backdrop is a click on the dialog itself.
        if (event.target === dialog.current) onClose();
      }}
    >
      {children}
    </dialog>
  );
};
