import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { indentJSON, isEqual, summarise } = await load("src/json.ts");

const VALUES = [
  {},
  [],
  { a: 1 },
  { city: "Lisbon", days: 2, deep: { list: [1, [], {}, [[2]]], flag: true, none: null } },
  [{ a: "x" }, "y", -1.5e3],
  { text: 'braces {[,:]} "quotes" \\ back\nslash \u2028 ü' },
  { "odd: key, {": [" "] },
];

test("indented JSON is what JSON.stringify makes of it", () => {
  for (const value of VALUES) {
    assert.equal(indentJSON(JSON.stringify(value)), JSON.stringify(value, null, 2));
    assert.equal(indentJSON(JSON.stringify(value, null, "\t")), JSON.stringify(value, null, 2));
  }
});

test("JSON that grows keeps the lines that it has", () => {
  for (const value of VALUES) {
    const text = JSON.stringify(value);
    const whole = indentJSON(text);
    for (let end = 0; end <= text.length; end++) {
      const part = indentJSON(text.slice(0, end));
      assert.ok(whole.startsWith(part), `${JSON.stringify(part)} begins ${JSON.stringify(whole)}`);
    }
  }
});

test("equality looks into containers and tells types apart", () => {
  for (const [i, a] of VALUES.entries()) {
    for (const [j, b] of VALUES.entries()) {
      assert.equal(isEqual(a, structuredClone(b)), i === j, `${i} and ${j}`);
    }
  }
  assert.ok(!isEqual({ a: undefined }, { b: undefined }));
  assert.ok(!isEqual([1], { 0: 1 }));
});

test("a summary is one line of bounded length", () => {
  assert.equal(summarise({ city: "Lisbon", days: [1, 2] }), "city: Lisbon, days: [1, 2]");
  assert.equal(summarise("two\nlines"), "two lines");
  assert.equal(summarise([1, { a: null }]), "1, { a: null }");
  assert.ok(summarise({ text: "x".repeat(10_000) }).length <= 120);
  assert.ok(summarise(Array.from({ length: 1000 }, () => ({}))).length <= 120);
});
