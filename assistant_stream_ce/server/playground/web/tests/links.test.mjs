import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { safeLink, safeWebLink } = await load("src/links.ts");
const { citationsOf, documentsOf, uniqueSources } = await load("src/sources.ts");

test("only addresses that a reader may follow are links", () => {
  for (const address of ["https://a.example/b?c=1#d", "http://a.example/", "mailto:a@b.example"]) {
    assert.equal(safeLink(` ${address}\n`), address);
  }
  for (const address of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\u0001javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "blob:https://a.example/1",
    "//a.example",
    "/admin",
    "",
    null,
    7,
  ]) {
    assert.equal(safeLink(address), undefined, String(address));
  }
  assert.equal(safeWebLink("mailto:a@b.example"), undefined);
});

test("citations are found in every form that providers give them", () => {
  const content = [
    "text",
    { type: "text", annotations: [{ type: "citation", url: "https://a.example", title: "A" }] },
    { type: "text", annotations: [{ type: "url_citation", url: "https://b.example" }] },
    { type: "text", citations: [{ type: "web_search_result_location", url: "https://c.example" }] },
    { type: "text", annotations: [{ type: "citation", title: "no address" }, null, "x"] },
    { type: "text", annotations: "x" },
  ];

  assert.deepEqual(citationsOf(content), [
    { url: "https://a.example/", title: "A" },
    { url: "https://b.example/", title: undefined },
    { url: "https://c.example/", title: undefined },
  ]);
  assert.deepEqual(citationsOf("text"), []);
});

test("documents are found in an artifact, with the address where loaders put it", () => {
  const documents = [
    { page_content: "x", metadata: { source: "https://a.example", title: "A" } },
    { page_content: "x", metadata: { url: "https://b.example" } },
    { url: "https://c.example", title: "C" },
    { page_content: "x", metadata: { source: "/tmp/file.pdf" } },
  ];
  const found = [
    { url: "https://a.example/", title: "A" },
    { url: "https://b.example/", title: undefined },
    { url: "https://c.example/", title: "C" },
  ];

  assert.deepEqual(documentsOf(documents), found);
  assert.deepEqual(documentsOf({ documents }), found);
  for (const artifact of [null, undefined, "x", 1, {}, { documents: 1 }]) {
    assert.deepEqual(documentsOf(artifact), []);
  }
});

test("a source is listed once, with a title if any mention had one", () => {
  const bare = { url: "https://a.example/", title: undefined };
  const named = { url: "https://a.example/", title: "A" };

  assert.deepEqual(uniqueSources([bare, named, bare]), [named]);
});
