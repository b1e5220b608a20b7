import type { Interrupt } from "./convert";
import { isObject, parseJSON, type JSONObject, type JSONValue } from "./json";

export const DECISIONS = ["approve", "edit", "reject", "respond"] as const;

export type Decision = (typeof DECISIONS)[number];

/** A tool call that waits for a person's decision. */
export type Action = {
  readonly name: string;
  readonly args: JSONObject;
  readonly description: string | undefined;
  readonly allowed: readonly Decision[];
};

/** Actions to decide about: all at once (`isBatch`), or the one that the interrupt is about. */
export type Approval = { readonly actions: readonly Action[]; readonly isBatch: boolean };

const allowedIn = (value: unknown): readonly Decision[] => {
  const named = Array.isArray(value) ? value : [];
  const allowed = DECISIONS.filter((decision) => named.includes(decision));
  return allowed.length > 0 ? allowed : DECISIONS;
};

/** Without what the middleware repeats by default: the tool and its arguments stand in the card. */
const descriptionOf = (value: unknown): string | undefined => {
  if (typeof value !== "string") return undefined;
  const text = value.replace(/\s*\n\nTool: [^\n]*\nArgs: [\s\S]*$/, "").trim();
  return text === "" ? undefined : text;
};

const actionOf = (value: unknown, allowed: unknown): Action => {
  const fields = isObject(value) ? value : {};
  return {
    name: typeof fields.name === "string" ? fields.name : "tool",
    args: isObject(fields.args) ? (fields.args as JSONObject) : {},
    description: descriptionOf(fields.description),
    allowed: allowedIn(allowed),
  };
};

const ruleFor = (name: unknown, rules: unknown): unknown =>
  Array.isArray(rules)
    ? rules.filter(isObject).find((rule) => rule.action_name === name)?.allowed_decisions
    : undefined;

/** The approval that an interrupt asks for, when it is one of LangChain's human in the loop. */
export const approvalOf = (interrupt: Interrupt): Approval | undefined => {
  const { value } = interrupt;
  if (!isObject(value)) return undefined;
  // The server has matched the rules to the actions already, where it could.
  const told = Array.isArray(interrupt.actions) ? interrupt.actions.filter(isObject) : [];
  const { action_requests: requests, review_configs: rules } = value;
  if (Array.isArray(requests) && requests.length > 0) {
    const actions = requests.map((request, index) => {
      const name = isObject(request) ? request.name : undefined;
      return actionOf(request, told[index]?.allowed_decisions ?? ruleFor(name, rules));
    });
    return { actions, isBatch: true };
  }
  if (value.type !== "tool_approval") return undefined;
  return { actions: [actionOf(value, told[0]?.allowed_decisions)], isBatch: false };
};

/** The arguments as they are being edited: a text as it is, everything else as JSON. */
export type ArgTexts = Readonly<Record<string, string>>;

export const textsOf = (args: JSONObject): ArgTexts =>
  Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value, null, 2),
    ]),
  );

/** The edited arguments, or the name of the first that is not JSON. */
export const argsOf = (args: JSONObject, texts: ArgTexts): JSONObject | string => {
  const edited: Record<string, JSONValue> = {};
  for (const [name, value] of Object.entries(args)) {
    const text = texts[name] ?? "";
    const parsed = typeof value === "string" ? text : parseJSON(text);
    if (parsed === undefined) return name;
    edited[name] = parsed as JSONValue;
  }
  return edited;
};

export type Draft = { readonly decision: Decision; readonly texts: ArgTexts; readonly message: string };

export type Decided =
  | { readonly value: JSONValue; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: string };

/** What is decided about one action, or what is missing. */
export const decide = (action: Action, { decision, texts, message }: Draft): Decided => {
  const text = message.trim();
  switch (decision) {
    case "approve":
      return { value: { type: "approve" } };
    case "edit": {
      const args = argsOf(action.args, texts);
      if (typeof args === "string") return { problem: `“${args}” must be JSON.` };
      return { value: { type: "edit", edited_action: { name: action.name, args } } };
    }
    case "reject":
      return { value: text === "" ? { type: "reject" } : { type: "reject", message: text } };
    case "respond":
      if (text === "") return { problem: "Write what the tool would have answered." };
      return { value: { type: "respond", message: text } };
  }
};

/** The answers that a plain question offers: those it lists, or yes and no. */
export const choicesOf = (interrupt: Interrupt): readonly JSONValue[] => {
  const value = isObject(interrupt.value) ? interrupt.value : {};
  const schema = isObject(interrupt.response_schema) ? interrupt.response_schema : {};
  const listed = [value.options, value.choices, schema.enum].find(Array.isArray) ?? [];
  const choices = listed.filter((item) => typeof item === "string" || typeof item === "number");
  if (choices.length > 0 && choices.length <= 8) return choices as JSONValue[];
  return schema.type === "boolean" ? [true, false] : [];
};

/** The question in words, and what else comes with it. */
export const questionOf = (value: JSONValue): { text: string | undefined; rest: JSONValue } => {
  if (!isObject(value)) return { text: typeof value === "string" ? value : JSON.stringify(value), rest: null };
  const { question, options: _options, choices: _choices, ...rest } = value as JSONObject;
  if (typeof question !== "string") return { text: undefined, rest: value as JSONObject };
  return { text: question, rest: Object.keys(rest).length > 0 ? rest : null };
};
