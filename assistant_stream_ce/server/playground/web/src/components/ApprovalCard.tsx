import { useAssistantTransportSendCommand } from "@assistant-ui/react";
import { useId, useState, type FormEvent } from "react";
import {
  decide,
  textsOf,
  type Action,
  type Approval,
  type Decision,
  type Draft,
} from "../approvals";
import type { Interrupt } from "../convert";
import { PauseIcon } from "./icons";

const NAMES: Record<Decision, string> = {
  approve: "Approve",
  edit: "Edit",
  reject: "Reject",
  respond: "Respond",
};

const SENDS: Record<Decision, string> = {
  approve: "Approve",
  edit: "Run it as edited",
  reject: "Reject",
  respond: "Send the response",
};

const draftOf = (action: Action): Draft => ({
  decision: action.allowed[0]!,
  texts: textsOf(action.args),
  message: "",
});

type ArgsProps = {
  readonly action: Action;
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
};

/** The arguments, one below the other; fields while they are edited. */
const Args = ({ action, draft, onChange }: ArgsProps) => {
  const id = useId();
  const entries = Object.entries(draft.texts);
  if (entries.length === 0) return <p className="tool-empty">It has no arguments.</p>;
  const change = (name: string, text: string) =>
    onChange({ ...draft, texts: { ...draft.texts, [name]: text } });
  return (
    <div className="approval-args">
      {entries.map(([name, text], index) => {
        const isText = typeof action.args[name] === "string";
        const lines = Math.min(12, text.split("\n").length);
        return (
          <div key={name}>
            <label htmlFor={`${id}-${index}`}>{name}</label>
            {draft.decision === "edit" ? (
              <textarea
                id={`${id}-${index}`}
                rows={lines}
                className={isText ? undefined : "mono"}
                spellCheck={isText}
                value={text}
                onChange={(event) => change(name, event.target.value)}
              />
            ) : (
              <output id={`${id}-${index}`} className={isText ? undefined : "mono"}>
                {text}
              </output>
            )}
          </div>
        );
      })}
    </div>
  );
};

type ActionProps = {
  readonly action: Action;
  readonly draft: Draft;
  readonly problem: string | undefined;
  readonly onChange: (draft: Draft) => void;
};

const ActionFields = ({ action, draft, problem, onChange }: ActionProps) => {
  const id = useId();
  const { decision } = draft;
  const isText = decision === "reject" || decision === "respond";
  const label = decision === "reject" ? "Reason, for the model (optional)" : "Result of the tool";
  return (
    <fieldset className="approval-action">
      <legend>
        <code>{action.name}</code>
      </legend>
      {action.description !== undefined && <p className="approval-text">{action.description}</p>}
      <Args action={action} draft={draft} onChange={onChange} />
      {action.allowed.length > 1 && (
        <div className="segmented" role="radiogroup" aria-label={`Decision about ${action.name}`}>
          {action.allowed.map((item) => (
            <label key={item}>
              <input
                type="radio"
                name={`${id}-decision`}
                checked={decision === item}
                onChange={() => onChange({ ...draft, decision: item })}
              />
              <span>{NAMES[item]}</span>
            </label>
          ))}
        </div>
      )}
      {isText && (
        <textarea
          aria-label={label}
          placeholder={label}
          rows={2}
          value={draft.message}
          aria-invalid={problem !== undefined}
          onChange={(event) => onChange({ ...draft, message: event.target.value })}
        />
      )}
      {problem !== undefined && (
        <p className="interrupt-problem" role="alert">
          {problem}
        </p>
      )}
    </fieldset>
  );
};

type Props = { readonly interrupt: Interrupt; readonly approval: Approval };

/** Tool calls that run only when somebody agrees: one decision for each. */
export const ApprovalCard = ({ interrupt, approval }: Props) => {
  const send = useAssistantTransportSendCommand();
  const { actions, isBatch } = approval;
  const [drafts, setDrafts] = useState(() => actions.map(draftOf));
  const [isTried, setTried] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const decided = actions.map((action, index) => decide(action, drafts[index]!));
    const values = decided.flatMap(({ value }) => (value === undefined ? [] : [value]));
    if (values.length < actions.length) return;
    send({
      type: "resume",
      id: interrupt.id,
      ...(isBatch ? { decisions: values } : { value: values[0]! }),
    });
  };
  const change = (index: number, draft: Draft) =>
    setDrafts(drafts.map((old, i) => (i === index ? draft : old)));
  const one = drafts.length === 1 ? drafts[0] : undefined;
  return (
    <form className="interrupt" onSubmit={submit} aria-label="The agent asks">
      <h4>
        <PauseIcon />
        {one === undefined
          ? `${actions.length} actions need your decision`
          : "This needs your decision"}
      </h4>
      {actions.map((action, index) => (
        <ActionFields
          key={index}
          action={action}
          draft={drafts[index]!}
          problem={isTried ? decide(action, drafts[index]!).problem : undefined}
          onChange={(draft) => change(index, draft)}
        />
      ))}
      <div className="interrupt-actions">
        <span />
        <button
          type="submit"
          className={`button ${one?.decision === "reject" ? "button-danger" : "button-primary"}`}
        >
          {one === undefined ? `Send ${actions.length} decisions` : SENDS[one.decision]}
        </button>
      </div>
    </form>
  );
};
