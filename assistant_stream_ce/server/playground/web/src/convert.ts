import {
  unstable_convertExternalMessages as convertExternalMessages,
  unstable_createExternalMessageConversionCache as createConversionCache,
  type AssistantTransportConnectionMetadata,
  type useExternalMessageConverter,
} from "@assistant-ui/react";
import { convertLangChainMessages, type LangChainMessage } from "@assistant-ui/react-langgraph";
import { namedFileOf } from "./attachments";
import { isObject, type JSONObject, type JSONValue } from "./json";
import { citationsOf } from "./sources";

export type Interrupt = {
  readonly id: string;
  readonly value: JSONValue;
  /** The tool calls that it is about, as far as the server could tell. */
  readonly actions?: unknown;
  readonly response_schema?: unknown;
};

export type GraphState = {
  readonly messages?: readonly JSONObject[];
  readonly interrupts?: readonly Interrupt[];
  readonly [key: string]: unknown;
};

type Dict = Record<string, unknown>;
type Callback = useExternalMessageConverter.Callback<JSONObject>;

const TYPES: Record<string, "human" | "ai" | "tool"> = {
  human: "human",
  HumanMessage: "human",
  HumanMessageChunk: "human",
  user: "human",
  ai: "ai",
  AIMessage: "ai",
  AIMessageChunk: "ai",
  assistant: "ai",
  tool: "tool",
  ToolMessage: "tool",
};

const normaliseBlock = (block: unknown): Dict | undefined => {
  if (typeof block === "string") return { type: "text", text: block };
  if (!isObject(block)) return undefined;
  switch (block.type) {
    case "text":
    case "text_delta":
      return typeof block.text === "string" ? block : undefined;
    case "image": {
      const data = block.base64 ?? block.data;
      const image =
        typeof data === "string" ? `data:${String(block.mime_type)};base64,${data}` : block.url;
      return typeof image === "string" ? { type: "image_url", image_url: image } : undefined;
    }
    default:
      return block;
  }
};

const normaliseContent = (content: unknown): string | Dict[] => {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map(normaliseBlock).filter((block) => block !== undefined);
};

const normaliseToolCalls = (calls: unknown): Dict[] =>
  (Array.isArray(calls) ? calls : []).filter(isObject).map((call) => ({
    ...call,
    name: typeof call.name === "string" && call.name !== "" ? call.name : "tool",
    args: isObject(call.args) ? call.args : {},
  }));

const reasoningBlock = (kwargs: Dict): Dict | undefined => {
  if (isObject(kwargs.reasoning)) return { type: "reasoning", ...kwargs.reasoning };
  const text = kwargs.reasoning_content ?? kwargs.reasoning;
  return typeof text === "string" && text !== "" ? { type: "reasoning", reasoning: text } : undefined;
};

/**
 * The message in the shape the converter of assistant-ui draws, or `undefined` for one that is not shown.
 *
 * The graph is the user's own, so a message may be anything: one odd field must not blank the whole thread.
 */
const normaliseMessage = (message: Dict): Dict | undefined => {
  const type = TYPES[String(message.type ?? message.role)];
  const id = typeof message.id === "string" ? message.id : undefined;
  const content = normaliseContent(message.content);
  switch (type) {
    case "human":
      return { type, id, content };
    case "ai": {
      const kwargs = isObject(message.additional_kwargs) ? message.additional_kwargs : {};
      const chunks = Array.isArray(message.tool_call_chunks)
        ? message.tool_call_chunks.filter(isObject)
        : undefined;
      return {
        type,
        id,
        content,
        tool_calls: normaliseToolCalls(message.tool_calls),
        tool_call_chunks: chunks,
        additional_kwargs: { ...kwargs, reasoning: reasoningBlock(kwargs) },
      };
    }
    case "tool":
      // No `name`: it is only compared with the call's, and a difference would throw.
      return typeof message.tool_call_id === "string" && message.tool_call_id !== ""
        ? { ...message, type, content: message.content ?? "", name: undefined }
        : undefined;
    default:
      return undefined;
  }
};

export const convertMessage: Callback = (raw, metadata) => {
  const message = normaliseMessage(raw);
  if (message === undefined) return [];
  const converted = convertLangChainMessages(message as unknown as LangChainMessage, metadata);
  if (message.type !== "ai" || Array.isArray(converted) || converted.role === "tool") {
    return converted;
  }
  const sources = citationsOf(raw.content).map((source, index) => ({
    type: "source" as const,
    sourceType: "url" as const,
    id: `${String(message.id)}-source-${index}`,
    url: source.url,
    ...(source.title !== undefined && { title: source.title }),
  }));
  return { ...converted, content: [...converted.content, ...sources] } as typeof converted;
};

type Commands = AssistantTransportConnectionMetadata["pendingCommands"];

const optimisticBlock = (part: { type: string; text?: string; image?: string }): JSONObject => {
  if (part.type === "text") return { type: "text", text: part.text ?? "" };
  const address = part.image ?? "";
  const file = namedFileOf(address);
  if (file === undefined) return { type: "image_url", image_url: address };
  const { mimeType, name, data } = file;
  return { type: "file", mime_type: mimeType, source_type: "base64", data, metadata: { filename: name } };
};

/** What the user has just sent, shown until the server's state holds it. */
const optimisticMessages = (commands: Commands): JSONObject[] =>
  commands
    .filter((command) => command.type === "add-message")
    .map((command) => ({ type: "human", content: command.message.parts.map(optimisticBlock) }));

/** What stays of the thread while a message is asked again, or another way. */
const beforeFork = (messages: readonly JSONObject[], commands: Commands): readonly JSONObject[] => {
  for (const command of commands) {
    const id =
      command.type === "add-message"
        ? command.sourceId
        : command.type === "regenerate"
          ? command.messageId
          : null;
    const index = id === null ? -1 : messages.findIndex((message) => message.id === id);
    if (index < 0) continue;
    // A question that is asked again stays; its answers go.
    const isAsked = command.type === "regenerate" && messages[index]!.type === "human";
    return messages.slice(0, isAsked ? index + 1 : index);
  }
  return messages;
};

const NO_METADATA = {};

/** The converter of one thread: a message that did not change keeps its converted object. */
export const createConverter = () => {
  const cache = createConversionCache();
  return (state: GraphState, connection: AssistantTransportConnectionMetadata) => {
    const stored = Array.isArray(state.messages) ? state.messages.filter(isObject) : [];
    const messages = [
      ...beforeFork(stored as JSONObject[], connection.pendingCommands),
      ...optimisticMessages(connection.pendingCommands),
    ];
    return {
      messages: convertExternalMessages(
        messages,
        convertMessage,
        connection.isSending,
        NO_METADATA,
        cache,
      ),
      state: state as JSONValue,
      isRunning: connection.isSending,
    };
  };
};
