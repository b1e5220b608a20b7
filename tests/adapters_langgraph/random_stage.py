"""What the nodes of a random graph share: names for what is said, and a record of it."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.config import get_stream_writer
from langgraph.errors import GraphInterrupt
from langgraph.types import interrupt

from assistant_stream_langchain.testing import ScriptedChatModel
from tests.adapters_langgraph.random_plans import Speech, Use
from tests.adapters_langgraph.random_scripts import script

__all__ = ("Owner", "Spoken", "Stage", "ToolFailed", "Where", "Written", "sign")


def sign(name: str) -> str:
    """How a message of a signed stage begins."""
    return f"⟦{name}⟧"


class ToolFailed(Exception):
    """What the tool raises that is to fail."""


@dataclass(frozen=True)
class Where:
    """Where in a plan a node is."""

    place: str
    depth: int = 0
    """How many graphs are around the one that it is in."""
    beside: bool = False
    """Whether others are at work at the same time."""

    def inside(self) -> Where:
        """In a graph that runs here."""
        return Where(f"{self.place}.", self.depth + 1)

    def branch(self, number: int) -> Where:
        """Beside others."""
        return Where(f"{self.place}/{number}", self.depth, beside=True)


Owner: TypeAlias = Literal["known", "by task", "unknown"]
"""Whether a stream can tell which of several calls something was said in: when it is the only one
of its answer, or when each call has a task of its own and the stream tells of tasks."""


@dataclass
class Spoken:
    """What a model has said, or what a node has made up, in one run."""

    message: AIMessage
    written: Any = None
    """What its node has made of it, if it is anything else."""
    parent_id: str | None = None
    """The tool call that it was said in."""
    owner: Owner = "known"
    agent: bool = False
    """Whether a graph in that tool has said it, and not the tool itself."""
    depth: int = 0
    """How many graphs are around the one that it was said in."""
    kept: bool = True
    """Whether it goes to the graph's messages."""
    secret: bool = False
    streamed: bool = True
    beside: bool = False
    """Whether others were speaking at the same time."""
    broken_off: bool = False
    """Whether something else has failed meanwhile: then any beginning of it may have been told."""


@dataclass(frozen=True)
class Written:
    """What a node or a tool has written to the stream."""

    event: Any
    depth: int
    """How many graphs are around the one that it comes from."""
    call_id: str | None = None
    """The call of the tool that has written it."""
    owner: Owner | Literal["named"] = "unknown"
    """Whether a stream can tell which call that is; it is `named` if the event says so itself."""
    agent: bool = False
    """Whether a graph in that tool has written it, and not the tool itself."""
    is_output: bool = False
    """Whether it is a piece of the tool's output."""


@dataclass
class Stage:
    """What the nodes of one graph share: names for what is said, and a record of what they do."""

    signed: bool = False
    """Whether each message begins with its name."""
    sync: bool = False
    """Whether the graph is run with `stream`: then its functions are no coroutines."""
    spoken: list[Spoken] = field(default_factory=list)
    told: list[Written] = field(default_factory=list)
    """The custom events, and the pieces of tools' output."""
    called: list[Use] = field(default_factory=list)
    """The tool calls that models have made, or have begun to, before a pause too: not every form
    has told them by then."""
    asked: set[str] = field(default_factory=set[str])
    """The ids of the interrupts that were raised; when something else fails, the graph forgets
    them."""
    edited: list[AnyMessage] = field(default_factory=list)
    """Messages before nodes have written them again; an outer graph knows them as they are then."""
    removed: list[AnyMessage] = field(default_factory=list)
    """The messages that nodes have removed, of which an outer graph may never have known."""
    names: Counter[str] = field(default_factory=Counter[str])
    fails: type[Exception] = ToolFailed
    """What a run may fail with."""

    def begin(self, *, resumes: bool) -> None:
        """Begin a run: the records are of one run."""
        self.spoken, self.told, self.edited, self.removed, self.asked = [], [], [], [], set()
        if not resumes:
            self.called = []

    def name(self, place: str) -> str:
        """A name for what is said next at a place. Another graph of the same plan gives the same,
        whatever runs side by side in it."""
        self.names[place] += 1
        return f"{place}-{self.names[place]}"

    def signed_speech(self, speech: Speech, name: str) -> Speech:
        """A speech as it is given at this stage."""
        self.called.extend(speech.uses)
        if not self.signed:
            return speech
        thoughts = (sign(name), *speech.thoughts) if speech.thoughts else ()
        return replace(speech, text=(sign(name), *speech.text), thoughts=thoughts)

    def function(self, body: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
        """A coroutine function as a graph of this stage may run it."""
        if not self.sync:
            return body

        @functools.wraps(body)
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                body(*args, **kwargs).send(None)  # It never waits.
            except StopIteration as stop:
                return stop.value
            raise AssertionError("a sync function has waited")

        return run

    async def ask(
        self, speech: Speech, messages: Any, place: str, *, of: str = "model", **spoken: Any
    ) -> Spoken:
        """Have a model say something; it is told and recorded."""
        name = self.name(place)
        tags = ["nostream"] if spoken.get("secret") else None
        speech = self.signed_speech(speech, name)
        # A provider names its messages or it does not, so one that does is another one.
        about = {"ls_provider": "named" if speech.own_id else "plain", "ls_model_name": of}
        model = ScriptedChatModel(turns=[script(speech, name)], tags=tags, metadata=about)
        record = Spoken(_whole(speech), broken_off=True, **spoken)
        self.spoken.append(record)
        message = model.invoke(messages) if self.sync else await model.ainvoke(messages)
        record.message, record.broken_off = message, False
        return record

    async def run(self, graph: Any, given: Any) -> Any:
        """Run a graph inside a node or a tool."""
        return graph.invoke(given) if self.sync else await graph.ainvoke(given)

    def interrupt(self, value: Any) -> Any:
        """Pause the graph, or go on with the answer."""
        try:
            return interrupt(value)
        except GraphInterrupt as raised:
            self.asked.update(item.id for item in raised.args[0])
            raise

    def tell(self, event: Any, depth: int, **written: Any) -> None:
        """Write to the graph's stream."""
        self.told.append(Written(event, depth, **written))
        get_stream_writer()(event)


def _whole(speech: Speech) -> AIMessage:
    """The words of a model that has not ended."""
    kwargs = {"reasoning_content": "".join(speech.thoughts)}
    return AIMessage("".join(speech.text), additional_kwargs=kwargs)
