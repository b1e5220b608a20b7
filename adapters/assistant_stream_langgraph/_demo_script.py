"""The demo's model: a script that answers any question as a good model would stream it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from assistant_stream_langchain.testing import ScriptedChatModel

__all__ = ("create_scripted_model",)

GREETING = re.compile(
    r"(hi|hello|hey|good (morning|evening)|thanks?|thank you)\b[^?]{0,20}", re.IGNORECASE
)

WELCOME = (
    "Hello! Ask me anything, for example **how a LangGraph agent gets into a web page**. "
    "I am a script and need no key, but you will see reasoning, tools, sources and state "
    "exactly as a real model streams them."
)

FIRST_THOUGHT = (
    "The question is “{topic}”. I should not answer from memory alone. I will search the "
    "documentation, and write the topic down so that it is not lost. The two do not depend on "
    "each other, so both can run at once."
)

LOOKING = "Let me look this up."

SECOND_THOUGHT = "Both tools have answered. I will sum up what they found and name the sources."

ANSWER = """\
You asked: *{topic}*. I am a script, so take my word for nothing; what carries it is real: \
the graph, its tools, its state and the stream that brings them here.

### What the search found

{findings}

### What you have just seen

1. My reasoning came before the answer, and you can unfold it.
2. Two tools ran side by side. Their arguments grew while they were being written.
3. `take_note` changed the state of the graph: this thread has {notes} now.

The same for an agent of yours:

```python
from assistant_stream_ce import create_app

app = create_app(graph, playground=True)
```
"""


def create_scripted_model(pace: float) -> ScriptedChatModel:
    """Return a model that needs no key and streams one token in `pace` seconds."""
    return ScriptedChatModel(turns=[_play], cycle=True, delay=pace)


def _play(messages: list[BaseMessage]) -> Sequence[AIMessageChunk]:
    question = next((m for m in reversed(messages) if isinstance(m, HumanMessage)), None)
    asked = " ".join(question.text.split()) if question is not None else ""
    if isinstance(messages[-1], ToolMessage):
        chunks = [*_reasoning(SECOND_THOUGHT), *_answer(_topic(asked), messages)]
    elif not asked or GREETING.fullmatch(asked):
        chunks = [*_text(WELCOME)]
    else:
        thought = FIRST_THOUGHT.format(topic=_topic(asked))
        chunks = [*_reasoning(thought), *_text(LOOKING, index=1), *_calls(_topic(asked))]
    return [*chunks, _usage(messages, len(chunks))]


def _topic(asked: str) -> str:
    topic = asked.rstrip("?!. ")
    return f"{topic[:79]}…" if len(topic) > 80 else topic


def _calls(topic: str) -> Iterator[AIMessageChunk]:
    """Two calls at once, their arguments in small pieces that take turns."""
    turn = uuid4().hex[:8]  # call ids stay unique in the whole thread
    arguments = (
        ("search_docs", {"query": topic, "limit": 3}),
        ("take_note", {"text": f"The user wants to know: {topic}"}),
    )
    for index, (name, _) in enumerate(arguments):
        yield _call_chunk(index, "", name=name, id=f"call_{turn}_{index}")
    texts = [json.dumps(args, ensure_ascii=False) for _, args in arguments]
    for pieces in zip_longest(*[re.findall(r".{1,7}", text) for text in texts]):
        for index, piece in enumerate(pieces):
            if piece is not None:
                yield _call_chunk(index, piece)


def _call_chunk(
    index: int, args: str, *, name: str | None = None, id: str | None = None
) -> AIMessageChunk:
    chunk: Any = {"type": "tool_call_chunk", "index": index, "name": name, "id": id, "args": args}
    return AIMessageChunk(content="", tool_call_chunks=[chunk])


def _answer(topic: str, messages: Sequence[BaseMessage]) -> Iterator[AIMessageChunk]:
    pages = _found_pages(messages)
    findings = [f"- **{page['title']}**: {page['content']}" for page in pages]
    count = sum(isinstance(m, ToolMessage) and m.name == "take_note" for m in messages)
    yield from _text(
        ANSWER.format(
            topic=topic,
            findings="\n".join(findings) or "Nothing, this time.",
            notes="one note" if count == 1 else f"{count} notes",
        ),
        index=1,
    )
    citations = [{"type": "citation", "url": page["url"], "title": page["title"]} for page in pages]
    yield AIMessageChunk(
        content=[{"type": "text", "text": "", "index": 1, "annotations": citations}]
    )


def _found_pages(messages: Sequence[BaseMessage]) -> list[dict[str, str]]:
    for message in reversed(messages):
        if isinstance(message, ToolMessage) and message.name == "search_docs":
            artifact: dict[str, list[dict[str, str]]] = message.artifact or {}
            return artifact.get("documents", [])
    return []


def _reasoning(text: str) -> Iterator[AIMessageChunk]:
    for token in _tokens(text):
        yield AIMessageChunk(content=[{"type": "reasoning", "reasoning": token, "index": 0}])


def _text(text: str, index: int = 0) -> Iterator[AIMessageChunk]:
    for token in _tokens(text):
        yield AIMessageChunk(content=[{"type": "text", "text": token, "index": index}])


def _tokens(text: str) -> list[str]:
    return re.findall(r"\s*\S{1,8}", text)


def _usage(messages: Sequence[BaseMessage], output_tokens: int) -> AIMessageChunk:
    input_tokens = sum(len(_tokens(message.text)) for message in messages)
    usage = UsageMetadata(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=input_tokens + output_tokens,
    )
    return AIMessageChunk(content="", usage_metadata=usage)
