import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

globalThis.window = { sessionStorage: { getItem: () => null, setItem: () => {} } };

const { Branches, siblingsOf } = await load("src/branches.ts");

const state = (...ids) => ({ messages: ids.map((id) => ({ id })), interrupts: [{ id: "i" }] });
const idsOf = (siblings) => siblings?.states.map((s) => s.messages.map((m) => m.id).join(""));

test("what stood in the place of a message is found by the ids before it", () => {
  const branches = new Branches("t");
  branches.keep(state("a", "b", "c", "d"));
  branches.keep(state("a", "b", "e", "f"));
  const shown = state("a", "b", "g");
  const paths = branches.paths.get();

  assert.deepEqual(idsOf(siblingsOf(shown, paths, "g")), ["abcd", "abef", "abg"]);
  assert.equal(siblingsOf(shown, paths, "g").index, 2);
  assert.equal(siblingsOf(shown, paths, "b"), undefined);
  assert.equal(siblingsOf(shown, paths, "nobody"), undefined);
});

test("a branch that goes on takes the place of what it was", () => {
  const branches = new Branches("t");
  branches.keep(state("a", "b"));
  branches.keep(state("a", "c"));
  branches.keep(state("a", "b", "h"));

  assert.deepEqual(idsOf({ states: branches.paths.get() }), ["abh", "ac"]);
  assert.deepEqual(branches.paths.get()[0].interrupts, []);
});

test("branches are bounded, and an empty thread is none", () => {
  const branches = new Branches("t");
  branches.keep(state());
  for (let n = 0; n < 100; n++) branches.keep(state("a", `b${n}`));

  assert.equal(branches.paths.get().length, 40);
});
