"""Whatever a model or a tool says, in whatever field, is read and never run."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from assistant_stream_ce import (
    AnnotationsChunk,
    AssistantStreamChunk,
    DataChunk,
    DataPartChunk,
    ErrorChunk,
    FileChunk,
    ReasoningDeltaChunk,
    ReasoningPartStartChunk,
    SourceChunk,
    StepStartChunk,
    TextDeltaChunk,
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
    UpdateStateChunk,
)
from assistant_stream_jupyter import RunRecord, render_html
from tests.adapters_jupyter.views import record_of

ATTACKS = [
    "<script>window.hacked=1</script>",
    '<img src=x onerror="window.hacked=1">',
    "<svg/onload=window.hacked=1>",
    '"><script>window.hacked=1</script>',
    "' onmouseover='window.hacked=1' x='",
    '" autofocus onfocus="window.hacked=1" x="',
    "</style><script>window.hacked=1</script><style>",
    "</pre></details></div><script>window.hacked=1</script>",
    "</textarea></title><iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "<iframe src=javascript:parent.hacked=1></iframe>",
    "<math><mtext></p><script>window.hacked=1</script>",
    "<!-- <script>window.hacked=1</script> -->",
    "<a href=javascript:window.hacked=1>a</a>",
    "[a](javascript:window.hacked=1) [b](JaVaScRiPt:window.hacked=1)",
    "[a](java\tscript:window.hacked=1) [b](&#106;avascript:window.hacked=1)",
    "[a](data:text/html,<script>window.hacked=1</script>) <javascript:window.hacked=1>",
    "[a]: javascript:window.hacked=1\n\n[a]",
    '[a](https://example.com/"onmouseover="window.hacked=1)',
    '[a](https://example.com "x" onmouseover="window.hacked=1")',
    '![a](https://tracker.example/a.png) ![b](x" onerror="window.hacked=1)',
    "```html\n</code></pre><script>window.hacked=1</script>\n```",
    '``` "><script>window.hacked=1</script>\nx\n```',
    "| a |\n|---|\n| <img src=x onerror=window.hacked=1> |",
    "<b><i><u unclosed <p <div class='asc'>",
    "\x00<script\x00>window.hacked=1</script>",
    "javascript:window.hacked=1",
    "data:text/html;base64,PHNjcmlwdD5wYXJlbnQuaGFja2VkPTE8L3NjcmlwdD4=",
    "data:image/svg+xml,<svg onload=window.hacked=1>",
    'data:image/png;base64,x" onerror="window.hacked=1',
    "style=background:url(https://tracker.example/b.png)",
]


def every_field(text: str) -> list[AssistantStreamChunk]:
    """A run with the same text in every place that has one."""
    transcript = [
        {"role": text, "content": text},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": text},
                {"type": "reasoning", "text": text},
                {"type": text, text: text},
                {"type": "tool-call", "toolName": text, "args": {text: text}, "result": text},
                text,
            ],
        },
    ]
    return [
        StepStartChunk(text),
        ReasoningPartStartChunk(text),
        ReasoningDeltaChunk(text),
        TextDeltaChunk(text),
        ToolCallBeginChunk("1", text),
        ToolCallDeltaChunk("1", text),
        ToolCallArgsTextFinishChunk("1"),
        ToolResultChunk(
            "1", text, artifact=text, is_error=True, model_content=[text], messages=transcript
        ),
        ToolCallBeginChunk(text, "tool"),
        ToolCallDeltaChunk(text, '{"a": 1}'),
        TextDeltaChunk(text, parent_id=text),
        ToolResultChunk(text, {text: text}, artifact={"data": text, "mime_type": "image/png"}),
        SourceChunk(text, text, title=text),
        SourceChunk("s", f"https://example.com/{text}", title=text),
        FileChunk(text, text),
        FileChunk(text, "image/png"),
        DataPartChunk(text, {text: [text]}, text),
        DataChunk({text: text}),
        AnnotationsChunk([text]),
        UpdateStateChunk([{"type": "set", "path": [], "value": {text: [text, {text: text}]}}]),
        TextDeltaChunk(text),
        ErrorChunk(text, code=text),
    ]


def paused(text: str) -> list[AssistantStreamChunk]:
    state = {"interrupts": [{"id": text, "value": {"question": text, text: [text]}}]}
    return [UpdateStateChunk([{"type": "set", "path": [], "value": state}])]


def answered_in_state(text: str) -> list[AssistantStreamChunk]:
    blocks = [{"type": "text", "text": text}, {"type": "reasoning", "reasoning": text}]
    calls = [{"name": text, "args": {text: text}, "id": text}]
    messages = [
        {"type": "human", "content": text},
        {"type": "ai", "content": blocks, "tool_calls": calls},
        {"type": "tool", "tool_call_id": text, "content": text, "artifact": text},
    ]
    return [UpdateStateChunk([{"type": "set", "path": [], "value": {"messages": messages}}])]


def views(text: str) -> list[str]:
    runs = [every_field(text), paused(text), answered_in_state(text)]
    done = [record_of(run, wire="data-stream") for run in runs]
    return [
        *(render_html(record.snapshot(), hint=text) for record in done),
        render_html(record_of(every_field(text), is_live=True).snapshot()),
    ]


CHECK = """
() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  const problems = [];
  const allowed = new Set(["asc"]);
  for (const element of document.body.querySelectorAll("*")) {
    const name = element.tagName.toLowerCase();
    if (["script", "iframe", "object", "embed", "form", "input", "link", "meta", "base", "svg",
         "math", "video", "audio", "textarea"].includes(name)) problems.push(name);
    for (const attribute of element.attributes) {
      if (attribute.name.startsWith("on")) problems.push(attribute.name);
      if (["style", "srcset", "srcdoc", "action"].includes(attribute.name))
        problems.push(attribute.name);
      if (attribute.name === "src" && !/^data:image\\/(png|jpeg|gif|webp|avif|bmp);base64,/
          .test(attribute.value)) problems.push(attribute.value);
      if (attribute.name === "href" && !/^(https?|mailto):/.test(attribute.value))
        problems.push(attribute.value);
    }
    element.dispatchEvent(new MouseEvent("mouseover", {bubbles: true}));
    if (name !== "a") element.click?.();
  }
  const roots = document.body.children.length;
  if (roots !== COUNT) problems.push(`${roots} roots: a view has broken out of its box`);
  return {problems, hacked: window.hacked ?? null};
}
"""


@pytest.mark.browser
async def test_nothing_runs_and_nothing_loads(browser: Browser) -> None:
    html = [view for attack in ATTACKS for view in views(attack)]
    page = await browser.new_page()
    requests: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))

    await page.set_content(f"<!doctype html><body>{''.join(html)}</body>")
    await page.wait_for_timeout(300)
    found = await page.evaluate(CHECK.replace("COUNT", str(len(html))))

    assert found == {"problems": [], "hacked": None}
    assert [url for url in requests if not url.startswith("data:image/")] == []
    assert dialogs == []
    await page.close()


@pytest.mark.browser
async def test_the_check_itself_finds_an_attack(browser: Browser) -> None:
    page = await browser.new_page()
    await page.set_content('<!doctype html><body><div><img src=x onerror="window.hacked=1"></div>')
    await page.wait_for_function("window.hacked === 1")
    found = await page.evaluate(CHECK.replace("COUNT", "1"))

    assert found == {"problems": ["x", "onerror"], "hacked": 1}
    await page.close()


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_text_of_an_attack_stays_readable(attack: str) -> None:
    [view, *_] = views(attack)

    assert "hacked" not in attack or "hacked" in view


@pytest.mark.parametrize(
    ("markdown", "link"),
    [
        ("[a](https://example.com/x)", 'href="https://example.com/x"'),
        ("<mailto:a@example.com>", 'href="mailto:a@example.com"'),
        ("![look](https://example.com/i.png)", 'href="https://example.com/i.png"'),
    ],
)
def test_good_links_are_links_that_tell_nothing(markdown: str, link: str) -> None:
    record = RunRecord()
    record.add(TextDeltaChunk(markdown))
    record.finish()
    view = render_html(record.snapshot())

    assert link in view
    assert 'rel="noopener noreferrer nofollow"' in view
    assert "<img" not in view
