import assert from "node:assert/strict";
import { test } from "node:test";
import { convertLangChainMessages } from "@assistant-ui/react-langgraph";
import { load } from "./bundle.mjs";

const { convertMessage, createConverter } = await load("src/convert.ts");

const plain = (value) => JSON.parse(JSON.stringify(value));

const IMAGE = "data:image/png;base64,AA";

test("messages as LangChain dumps them are converted as assistant-ui does it", () => {
  const call = { name: "search", args: { q: "x" }, id: "1", type: "tool_call" };
  for (const message of [
    { type: "human", id: "h", content: "Hi" },
    { type: "human", id: "h", content: [{ type: "image_url", image_url: { url: IMAGE } }] },
    { type: "ai", id: "a", content: "Hello" },
    {
      type: "ai",
      id: "a",
      content: [
        { type: "reasoning", reasoning: "so" },
        { type: "text", text: "Hello" },
      ],
    },
    { type: "ai", id: "a", content: [{ type: "thinking", thinking: "so" }], tool_calls: [call] },
    {
      type: "ai",
      id: "a",
      content: "",
      tool_calls: [{ ...call, args: {} }],
      tool_call_chunks: [{ id: "1", index: 0, name: "search", args: '{"q": "x' }],
    },
    { type: "tool", id: "t", content: "found", tool_call_id: "1", status: "error", artifact: [1] },
  ]) {
    assert.deepEqual(
      plain(convertMessage(message, {})),
      plain(convertLangChainMessages(message, {})),
      JSON.stringify(message),
    );
  }
});

test("no message can break the thread", () => {
  const types = ["human", "ai", "AIMessageChunk", "tool", "system", "remove", "chat", undefined, 3];
  const odd = [undefined, null, 0, "", "x", [], {}, [null], [{ type: "text", text: null }]];
  const connection = { pendingCommands: [], isSending: true, toolStatuses: {} };
  const convert = createConverter();
  for (const type of types) {
    for (const content of odd) {
      for (const other of odd) {
        const messages = [
          { type: "ai", id: "a", content: "", tool_calls: [{ name: "search", args: {}, id: "1" }] },
          { type, id: other, content, name: other, tool_call_id: "1", tool_calls: other },
          { type, content, additional_kwargs: other, status: other, tool_call_id: other },
          { type, content, tool_calls: [other, { args: other, id: "2" }] },
        ];
        convert({ messages }, connection);
      }
    }
  }
});

test("what was sent is shown until the state holds it", () => {
  const convert = createConverter();
  const parts = [
    { type: "text", text: "Hi" },
    { type: "image", image: IMAGE },
  ];
  const pendingCommands = [
    { type: "add-message", message: { role: "user", parts }, parentId: null, sourceId: null },
    { type: "resume", id: "1", value: true },
  ];
  const connection = { pendingCommands, isSending: true, toolStatuses: {} };

  const { messages, isRunning } = convert({}, connection);

  assert.equal(isRunning, true);
  assert.equal(messages.length, 1);
  assert.equal(messages[0].role, "user");
  assert.deepEqual(
    messages[0].content.map((part) => part.type),
    ["text", "image"],
  );
});

test("a message that did not change keeps its converted object", () => {
  const convert = createConverter();
  const connection = { pendingCommands: [], isSending: false, toolStatuses: {} };
  const question = { type: "human", id: "1", content: "Hi" };
  const answer = { type: "ai", id: "2", content: "Hello" };

  const before = convert({ messages: [question] }, connection).messages[0];
  const after = convert({ messages: [question, answer] }, connection).messages[0];

  assert.equal(after, before);
});
