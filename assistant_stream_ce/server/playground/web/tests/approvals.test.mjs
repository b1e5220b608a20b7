import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { approvalOf, choicesOf, decide, questionOf, textsOf } = await load("src/approvals.ts");

const request = { name: "pay", args: { to: "Ada", amount: 40 } };
const draft = { decision: "approve", texts: textsOf(request.args), message: "" };

test("the middleware's requests are told from plain questions", () => {
  const batch = approvalOf({
    id: "i",
    value: {
      action_requests: [
        { ...request, description: "Look\n\nTool: pay\nArgs: {'to': 'Ada'}" },
        { name: "x", args: null },
      ],
      review_configs: [{ action_name: "pay", allowed_decisions: ["approve", "reject"] }],
    },
  });
  assert.deepEqual(batch.actions[0].allowed, ["approve", "reject"]);
  assert.equal(batch.actions[0].description, "Look");
  assert.deepEqual(batch.actions[1].args, {});
  assert.equal(batch.isBatch, true);

  const single = approvalOf({
    id: "i",
    value: { type: "tool_approval", ...request },
    actions: [{ allowed_decisions: ["edit"] }],
  });
  assert.deepEqual(single.actions[0].allowed, ["edit"]);
  assert.equal(single.isBatch, false);

  for (const value of [null, "Go on?", 1, [], {}, { action_requests: [] }, { action_requests: 1 }]) {
    assert.equal(approvalOf({ id: "i", value }), undefined);
  }
});

test("each decision has the form that the middleware reads", () => {
  const [action] = approvalOf({ id: "i", value: { action_requests: [request] } }).actions;
  const decided = (change) => decide(action, { ...draft, ...change });

  assert.deepEqual(decided({}).value, { type: "approve" });
  assert.deepEqual(decided({ decision: "edit", texts: { to: "1", amount: "41" } }).value, {
    type: "edit",
    edited_action: { name: "pay", args: { to: "1", amount: 41 } },
  });
  assert.match(decided({ decision: "edit", texts: { to: "", amount: "4o" } }).problem, /amount/);
  assert.deepEqual(decided({ decision: "reject" }).value, { type: "reject" });
  assert.deepEqual(decided({ decision: "reject", message: " no " }).value.message, "no");
  assert.deepEqual(decided({ decision: "respond", message: "42" }).value.message, "42");
  assert.ok(decided({ decision: "respond" }).problem);
});

test("a question is told in words, with the answers that it offers", () => {
  const value = { question: "How long?", options: ["short", "long"], by: "me" };
  assert.deepEqual(questionOf(value), { text: "How long?", rest: { by: "me" } });
  assert.deepEqual(questionOf("Go on?"), { text: "Go on?", rest: null });
  assert.deepEqual(questionOf({ a: 1 }), { text: undefined, rest: { a: 1 } });
  assert.deepEqual(choicesOf({ id: "i", value }), ["short", "long"]);
  assert.deepEqual(choicesOf({ id: "i", value: "?", response_schema: { type: "boolean" } }), [true, false]);
  assert.deepEqual(choicesOf({ id: "i", value: { options: [{}] } }), []);
});
