import { Drawer } from "./Drawer";
import { CrossIcon } from "./icons";

const KEYS: readonly (readonly [string, readonly string[]])[] = [
  ["Send the message", ["Enter"]],
  ["Start a line", ["Shift", "Enter"]],
  ["Stop the answer", ["Esc"]],
  ["Change your last message", ["↑"]],
  ["Go to the message field", ["/"]],
  ["New thread", ["Ctrl", "Shift", "O"]],
  ["List of threads", ["Ctrl", "Shift", "L"]],
  ["State and wire", ["Ctrl", "Shift", "E"]],
  ["These keys", ["?"]],
];

export const HelpDialog = ({ onClose }: { readonly onClose: () => void }) => (
  <Drawer label="Keys" className="help" onClose={onClose}>
    <div className="panel-head">
      <h2>Keys</h2>
      <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
        <CrossIcon />
      </button>
    </div>
    <dl className="help-keys">
      {KEYS.map(([what, keys]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd>
            {keys.map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  </Drawer>
);
