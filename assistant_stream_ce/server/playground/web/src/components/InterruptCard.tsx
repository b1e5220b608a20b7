import { useAssistantTransportSendCommand, useAuiState } from "@assistant-ui/react";
import { useId, useState, type FormEvent } from "react";
import { approvalOf, choicesOf, questionOf } from "../approvals";
import type { Interrupt } from "../convert";
import { isObject, parseJSON, type JSONValue } from "../json";
import { useGraphState } from "../runtime";
import { ApprovalCard } from "./ApprovalCard";
import { PauseIcon } from "./icons";
import { JsonTree } from "./JsonTree";

const NONE: readonly Interrupt[] = [];

const isInterrupt = (value: unknown): value is Interrupt =>
  isObject(value) && typeof value.id === "string" && "value" in value;

/** The questions the graph is waiting on. */
export const useInterrupts = (): readonly Interrupt[] => {
  const pending = useGraphState((state) => state.interrupts);
  return Array.isArray(pending) ? pending.filter(isInterrupt) : NONE;
};

const Question = ({ value }: { readonly value: JSONValue }) => {
  const { text, rest } = questionOf(value);
  return (
    <>
      {text !== undefined && <p className="interrupt-question">{text}</p>}
      {rest !== null && (
        <div className="interrupt-tree">
          <JsonTree value={rest} openDepth={4} />
        </div>
      )}
    </>
  );
};

type Format = "text" | "json";

const inWords = (choice: JSONValue): string =>
  choice === true ? "Yes" : choice === false ? "No" : String(choice);

const QuestionCard = ({ interrupt }: { readonly interrupt: Interrupt }) => {
  const send = useAssistantTransportSendCommand();
  const id = useId();
  const [answer, setAnswer] = useState("");
  const isPlain = questionOf(interrupt.value).text !== undefined;
  // A question with a structure usually wants a structured answer.
  const [format, setFormat] = useState<Format>(isPlain ? "text" : "json");
  const [problem, setProblem] = useState<string>();
  const choices = choicesOf(interrupt);
  const give = (value: JSONValue) => send({ type: "resume", id: interrupt.id, value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const value = format === "json" ? parseJSON(answer) : answer;
    if (value === undefined) return setProblem("This is not valid JSON.");
    give(value as JSONValue);
  };
  return (
    <form className="interrupt" onSubmit={submit} aria-label="The agent asks">
      <h4>
        <PauseIcon />
        The agent is waiting for your answer
      </h4>
      <Question value={interrupt.value} />
      {choices.length > 0 && (
        <div className="interrupt-choices">
          {choices.map((choice) => (
            <button
              key={String(choice)}
              type="button"
              className="button"
              onClick={() => give(choice)}
            >
              {inWords(choice)}
            </button>
          ))}
        </div>
      )}
      <label htmlFor={id} className="visually-hidden">
        Your answer
      </label>
      <textarea
        id={id}
        rows={choices.length > 0 ? 1 : 2}
        value={answer}
        placeholder={format === "json" ? "Your answer, as JSON" : "Your answer"}
        className={format === "json" ? "mono" : undefined}
        aria-invalid={problem !== undefined}
        onChange={(event) => {
          setAnswer(event.target.value);
          setProblem(undefined);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.currentTarget.form?.requestSubmit();
          }
        }}
      />
      {problem !== undefined && (
        <p className="interrupt-problem" role="alert">
          {problem}
        </p>
      )}
      <div className="interrupt-actions">
        <fieldset className="segmented">
          <legend className="visually-hidden">Format of the answer</legend>
          {(["text", "json"] as const).map((item) => (
            <label key={item}>
              <input
                type="radio"
                name={`${id}-format`}
                checked={format === item}
                onChange={() => setFormat(item)}
              />
              <span>{item === "text" ? "Text" : "JSON"}</span>
            </label>
          ))}
        </fieldset>
        <button type="submit" className="button button-primary" disabled={answer.trim() === ""}>
          Send the answer
        </button>
      </div>
    </form>
  );
};

export const Interrupts = () => {
  const interrupts = useInterrupts();
  const isRunning = useAuiState((s) => s.thread.isRunning);
  if (isRunning) return null;
  return interrupts.map((interrupt) => {
    const approval = approvalOf(interrupt);
    return approval === undefined ? (
      <QuestionCard key={interrupt.id} interrupt={interrupt} />
    ) : (
      <ApprovalCard key={interrupt.id} interrupt={interrupt} approval={approval} />
    );
  });
};
