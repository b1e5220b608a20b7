"""What a run of a random graph must have shown beside what is said: sources, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage

from assistant_stream_langchain._usage import read_finish_reason
from tests.adapters_langgraph.random_live import check_data, check_predicted
from tests.adapters_langgraph.random_runs import FORMS, Shown
from tests.adapters_langgraph.random_stage import Spoken

__all__ = ("Answer", "answers_of", "check_account")


def check_account(shown: Shown) -> None:
    """Check the sources, the tokens that were counted and the finish reason."""
    check_data(shown)
    check_predicted(shown)
    if not shown.options.parts or not shown.snapshots:
        return
    parts = shown.snapshots[-1]["parts"]
    answers = answers_of(shown)
    _check_sources(shown, [part["url"] for part in parts if part["type"] == "source"], answers)
    if not shown.failed:
        _check_finish(shown, parts, answers)
        _check_steps(shown, answers)


@dataclass(frozen=True)
class Answer:
    """What a model has said, as the form of stream tells it."""

    message: AIMessage
    certain: bool
    """Whether it is told, or only may be."""
    extras: bool = True
    """Whether what stands beside its content is told."""
    nested: bool = False
    beside: bool = False


def answers_of(shown: Shown) -> list[Answer]:
    """The answers that are told, in the order in which they were given."""
    known = {message.id for message in shown.before}
    kept: dict[Any, AIMessage] = {}
    for messages in shown.history:
        for message in messages:
            if isinstance(message, AIMessage) and message.id not in known:
                kept[message.id or id(message)] = message
    told = list(_told(shown, kept))
    # What is left was said before a pause, and only now an outer graph has come to know it; or its
    # subgraph has told it and removed it.
    earlier = [Answer(message, True) for message in kept.values()]
    removed = [m for m in shown.removed if isinstance(m, AIMessage) and m.id not in known]
    return [*(Answer(message, False) for message in removed), *earlier, *told]


def _told(shown: Shown, kept: dict[Any, AIMessage]) -> Iterator[Answer]:
    """What was said in this run, as it is told; takes it out of what is `kept`."""
    carries = FORMS[shown.form]
    named = {
        getattr(message, "id", None)
        for spoken in shown.spoken
        for message in (spoken.message, spoken.written)
    }
    for spoken in shown.spoken:
        nested = spoken.parent_id is not None
        nameless = {i: m for i, m in kept.items() if i not in named}
        forms = [kept.pop(name, None) for name in _names(spoken, nameless)]
        last = next((form for form in reversed(forms) if form is not None), None)
        if spoken.secret:
            continue
        seen = spoken.streamed and carries.tokens and (carries.subgraphs or not spoken.depth)
        if seen and not spoken.broken_off:
            # What is done beside a pause stands in no state yet.
            extras = carries.extras or (last is not None and not shown.interrupts)
            yield Answer(spoken.message, True, extras, nested, spoken.beside)
        elif last is not None:
            # Tokens and messages are all that the mode `messages` has; a dict or a pair is neither.
            is_message = carries.state != "none" or isinstance(spoken.written, AIMessage)
            yield Answer(last, is_message, True, nested, spoken.beside)
        elif spoken.depth or carries.tokens:
            # A graph inside may have removed it before it came to the state.
            yield Answer(spoken.message, False, True, nested, spoken.beside)
        if not carries.same and spoken.depth and isinstance(spoken.written, AIMessage):
            yield Answer(spoken.written, False, True, nested, spoken.beside)  # Perhaps once more.
        if not carries.names and isinstance(spoken.written, tuple) and last is not None:
            yield Answer(last, False, True, nested, spoken.beside)  # It is, when written again.


def _names(spoken: Spoken, nameless: dict[Any, AIMessage]) -> Iterator[Any]:
    """The ids of the message, and of what its node has made of it."""
    yield spoken.message.id
    if isinstance(spoken.written, AIMessage) and spoken.written.id != spoken.message.id:
        yield spoken.written.id
    if isinstance(spoken.written, tuple):
        text = spoken.written[1]  # Its id is LangGraph's, and known to nobody.
        yield next((i for i, m in nameless.items() if str(m.text).startswith(text)), None)


def _check_sources(shown: Shown, urls: list[str], answers: list[Answer]) -> None:
    """Every source is shown once."""
    assert len(set(urls)) == len(urls), "a source is shown twice"
    told = {url for answer in answers if answer.certain for url in _cited(answer)}
    assert shown.failed or told <= set(urls), "a source is lost"
    every = (Answer(answer.message, certain=False) for answer in answers)
    assert {url for answer in every for url in _cited(answer)} >= set(urls)


def _cited(answer: Answer) -> Iterator[str]:
    yield from _urls(answer.message.content)
    if answer.extras:
        yield from _urls(answer.message.additional_kwargs)


def _urls(value: Any) -> Iterator[str]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        if isinstance(item, str) and item.startswith("https://example.com/"):
            yield item
        yield from _urls(item)


def _usage(answer: Answer) -> tuple[int, int]:
    counted = answer.message.usage_metadata
    return (counted["input_tokens"], counted["output_tokens"]) if counted else (0, 0)


def _check_finish(shown: Shown, parts: list[dict[str, Any]], answers: list[Answer]) -> None:
    """The message ends once, with the tokens of all answers and the reason of the last one."""
    assert shown.finish is not None
    counted = shown.finish["usage"]
    must = _total(_usage(answer) for answer in answers if answer.certain)
    rest = (counted["inputTokens"] - must[0], counted["outputTokens"] - must[1])
    assert rest in _sums([_usage(answer) for answer in answers if not answer.certain])
    waits = any(part["type"] == "tool-call" and "result" not in part for part in parts)
    reason = shown.finish["finishReason"]
    assert reason == "tool-calls" if waits else reason in _last_reasons(answers)


def _total(usages: Iterable[tuple[int, int]]) -> tuple[int, int]:
    given, made = 0, 0
    for usage in usages:
        given, made = given + usage[0], made + usage[1]
    return given, made


def _sums(usages: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """What any choice of them adds up to."""
    sums = {(0, 0)}
    for usage in usages:
        sums |= {(given + usage[0], made + usage[1]) for given, made in sums}
    return sums


def _last_reasons(answers: list[Answer]) -> set[str]:
    """Why the last answer ended; any of those that may have been the last."""
    reasons: set[str] = set()
    own = [answer for answer in answers if not answer.nested]
    for answer in reversed(own):
        reasons.add(_reason(answer.message))
        if answer.certain and not answer.beside:
            return reasons
    return reasons | {"stop"}


def _reason(message: AIMessage) -> str:
    reason = read_finish_reason(message.response_metadata)
    return reason if reason in ("length", "content-filter") else "stop"


def _check_steps(shown: Shown, answers: list[Answer]) -> None:
    """The steps of the message say the same as its end."""
    assert shown.finish is not None
    steps = shown.snapshots[-1]["metadata"]["steps"]
    assert all(step["state"] == "finished" for step in steps)
    usages = [(s["usage"]["inputTokens"], s["usage"]["outputTokens"]) for s in steps]
    whole = shown.finish["usage"]
    if steps:
        assert _total(usages) == (whole["inputTokens"], whole["outputTokens"])
    if shown.options.steps == "run":
        assert len(steps) <= 1
        assert all(step["finishReason"] == shown.finish["finishReason"] for step in steps)
        return
    carries = FORMS[shown.form]
    assert len(steps) >= sum(answer.certain for answer in answers), "an answer has no step"
    if carries.same and carries.names:
        assert len(steps) <= len(answers), "a step is nobody's answer"
