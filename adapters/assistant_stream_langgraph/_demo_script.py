"""The demo's model: a script that answers any question as a good model would stream it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any
from uuid import uuid4

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata

from assistant_stream_langchain.testing import ScriptedChatModel

from ._demo_scenes import HELP, HELP_QUESTION, Call, Scene, Step, scene_for
from ._shapes import is_dict

__all__ = ("create_researcher", "create_scripted_model")

GREETING = re.compile(
    r"(hi|hello|hey|good (morning|evening)|thanks?|thank you)\b[^?]{0,20}", re.IGNORECASE
)

WELCOME = (
    "Hello! Ask me anything, for example **how a LangGraph agent gets into a web page**, or "
    "**what I can show you**. I am a script and need no key, but you will see reasoning, tools, "
    "sources and state exactly as a real model streams them."
)

RESEARCH = Step(
    "I am to find this out. The documentation will know.",
    "I will search for it.",
    (("search_docs", {"query": "{topic}", "limit": 2}),),
)

FOUND = "Two pages speak of it: {titles}. In short: {first}"


def create_scripted_model(pace: float) -> ScriptedChatModel:
    """Return a model that needs no key and streams one token in `pace` seconds."""
    return ScriptedChatModel(turns=[_play], cycle=True, delay=pace)


def create_researcher(pace: float) -> ScriptedChatModel:
    """Return the model of the demo's sub-agent, which searches once and sums up."""
    return ScriptedChatModel(turns=[_research], cycle=True, delay=pace)


def _play(messages: list[BaseMessage]) -> Sequence[AIMessageChunk]:
    place = next((i for i, m in enumerate(reversed(messages)) if isinstance(m, HumanMessage)), None)
    question = messages[-1 - place] if place is not None else None
    asked = " ".join(question.text.split()) if question is not None else ""
    since = messages[-place:] if place else []
    files = _files(question)
    if HELP_QUESTION.fullmatch(asked.rstrip("?!. ")):
        chunks = [*_text(HELP)]
    elif (not asked and not files) or GREETING.fullmatch(asked):
        chunks = [*_text(WELCOME)]
    else:
        chunks = [*_turn(_topic(asked or files), files, since, messages)]
    return [*chunks, _usage(messages, len(chunks))]


def _turn(
    topic: str, files: str, since: Sequence[BaseMessage], messages: Sequence[BaseMessage]
) -> Iterator[AIMessageChunk]:
    """The next turn on a question, of which `since` has been said and done."""
    scene = scene_for(topic)
    done = sum(isinstance(message, AIMessage) for message in since)
    if done < len(scene.steps):
        yield from _step(scene.steps[done], topic)
        return
    yield from _reasoning(scene.thought)
    yield from _answer(scene, topic, files, since, messages)


def _step(step: Step, topic: str) -> Iterator[AIMessageChunk]:
    yield from _reasoning(step.thought.replace("{topic}", topic))
    yield from _text(step.said, index=1)
    yield from _calls([_filled(call, topic) for call in step.calls])


def _research(messages: list[BaseMessage]) -> Sequence[AIMessageChunk]:
    last = messages[-1]
    if isinstance(last, ToolMessage):
        pages = _found_pages(messages)
        titles = " and ".join(f"*{page['title']}*" for page in pages)
        chunks = [*_text(FOUND.format(titles=titles, first=pages[0]["content"]))]
    else:
        chunks = [*_step(RESEARCH, _topic(last.text.rpartition(":")[2].strip()))]
    return [*chunks, _usage(messages, len(chunks))]


def _topic(asked: str) -> str:
    topic = asked.rstrip("?!. ")
    return f"{topic[:79]}…" if len(topic) > 80 else topic


def _files(question: BaseMessage | None) -> str:
    """What the user has attached, in words."""
    blocks: list[Any] = (
        question.content if question is not None and isinstance(question.content, list) else []
    )
    found = [block for block in blocks if is_dict(block) and block.get("type") != "text"]
    return ", ".join(map(_file_name, found))


def _file_name(block: Mapping[str, Any]) -> str:
    # LangChain puts what it has no place for into `extras`.
    extras: Any = block.get("extras") or {}
    other = "a file" if block.get("type") == "file" else "an image"
    return str(block.get("filename") or extras.get("filename") or other)


def _filled(call: Call, topic: str) -> Call:
    name, args = call
    return name, {key: _fill(value, topic) for key, value in args.items()}


def _fill(value: Any, topic: str) -> Any:
    return value.replace("{topic}", topic) if isinstance(value, str) else value


def _calls(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[AIMessageChunk]:
    """Calls at once, their arguments in small pieces that take turns."""
    turn = uuid4().hex[:8]  # call ids stay unique in the whole thread
    for index, (name, _) in enumerate(calls):
        yield _call_chunk(index, "", name=name, id=f"call_{turn}_{index}")
    texts = [json.dumps(args, ensure_ascii=False) for _, args in calls]
    for pieces in zip_longest(*[re.findall(r".{1,7}", text) for text in texts]):
        for index, piece in enumerate(pieces):
            if piece is not None:
                yield _call_chunk(index, piece)


def _call_chunk(
    index: int, args: str, *, name: str | None = None, id: str | None = None
) -> AIMessageChunk:
    chunk: Any = {"type": "tool_call_chunk", "index": index, "name": name, "id": id, "args": args}
    return AIMessageChunk(content="", tool_call_chunks=[chunk])


def _answer(
    scene: Scene,
    topic: str,
    files: str,
    since: Sequence[BaseMessage],
    messages: Sequence[BaseMessage],
) -> Iterator[AIMessageChunk]:
    pages = _found_pages(since)
    findings = [f"- **{page['title']}**: {page['content']}" for page in pages]
    count = sum(isinstance(m, ToolMessage) and m.name == "take_note" for m in messages)
    text = scene.answer.format(
        topic=topic,
        findings="\n".join(findings) or "Nothing, this time.",
        notes="one note" if count == 1 else f"{count} notes",
        results="\n".join(_result_line(m) for m in since if isinstance(m, ToolMessage)),
    )
    yield from _text(f"You have attached {files}.\n\n{text}" if files else text, index=1)
    citations = [{"type": "citation", "url": page["url"], "title": page["title"]} for page in pages]
    yield AIMessageChunk(
        content=[{"type": "text", "text": "", "index": 1, "annotations": citations}]
    )


def _result_line(result: ToolMessage) -> str:
    said = " ".join(result.text.split()) or "an image"
    return f"- `{result.name}`: {said[:119]}{'…' if len(said) > 119 else ''}"


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
