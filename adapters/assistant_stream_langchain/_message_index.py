"""Which model message a LangChain message or chunk belongs to.

One answer can go by several names: its first chunk may carry the provider's id and the others
`lc_run--<uuid>`, the finished message has either, and a node that rebuilds the message gives it a
third or none. Names are global; the place only limits where an alias is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import uuid4

from langchain_core.messages import AIMessage

from assistant_stream_ce.typing import FinishReason

from ._calls import CallBook, CallState
from ._structured import NativeAnswer
from ._thinking import ThinkTag

__all__ = ("NOWHERE", "MessageIndex", "MessageState", "OpenResult", "Place")


class Place(NamedTuple):
    """Where a message comes from, as far as it is known."""

    namespace: tuple[str, ...] = ()
    """The graph, by the names around it."""
    node: str | None = None
    task: str | None = None
    """The node's run. Nodes that stream side by side, or a node that does several times over, are
    told apart by it."""


NOWHERE = Place()

_RUN_PREFIX = "lc_run-"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RUN_ID_LENGTH = len("lc_run--") + 36


@dataclass(slots=True)
class OpenResult:
    """What has come so far of the result of a call that the provider ran."""

    call: CallState
    is_error: bool
    pieces: list[str] = field(default_factory=list[str])


class MessageState:
    """One model message and how much of it has been told."""

    __slots__ = (
        "about",
        "aside",
        "book",
        "finish_reason",
        "finished",
        "has_provider_id",
        "has_run_id",
        "id",
        "open_results",
        "parent_id",
        "place",
        "reasoning",
        "reconciled",
        "settled_at",
        "started_at",
        "step_open",
        "structured",
        "text",
        "think",
        "thought",
        "time_to_first_token",
        "usage",
    )

    def __init__(self, id: str, place: Place, parent_id: str | None) -> None:
        self.id = id
        self.place = place
        self.parent_id = parent_id
        self.about: object = None
        """What is told of the model call, as LangGraph's metadata."""
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.book = CallBook()
        self.open_results: dict[int | str | None, OpenResult] = {}
        """By the content block whose text is the result."""
        self.think: ThinkTag | None = ThinkTag()
        self.structured: NativeAnswer | None = None
        """For a text that may be a value, as long as that is open."""
        self.thought: tuple[object] | None = None
        """The key of the reasoning that it told last, if it has told nothing else since."""
        self.time_to_first_token: float | None = None
        self.started_at: float | None = None
        """When the model was called, by `time.monotonic()`; `None` when nobody has said so."""
        self.usage: tuple[int, int] | None = None
        self.settled_at = 0
        """How many tasks had begun when it came complete."""
        self.finish_reason: FinishReason | None = None
        self.aside = False
        """Whether it has come complete beside the conversation, and not in there."""
        self.has_run_id = self.has_provider_id = False
        self.step_open = self.finished = self.reconciled = False

    def add_usage(self, usage: tuple[int, int] | None) -> None:
        """Add the tokens of one chunk, as LangChain does when it merges chunks."""
        if usage is not None:
            before = self.usage or (0, 0)
            self.usage = (before[0] + usage[0], before[1] + usage[1])


class MessageIndex:
    """The messages of a run by every name they go by."""

    def __init__(self) -> None:
        self.newest: MessageState | None = None
        """The message that began last."""
        self._by_name: dict[str, MessageState] = {}
        self._nameless: dict[int, tuple[AIMessage, MessageState]] = {}
        """Complete messages that had no id, by identity; held so that none is reused."""
        self._begun: dict[str, int] = {}
        """The tasks that have begun, by id, each with its number."""
        self._open: dict[Place, list[MessageState]] = {}
        self._unsettled: dict[tuple[str, ...], list[MessageState]] = {}
        """By namespace: what may come complete, or come again under an id of its own."""
        self._asides: dict[tuple[str, ...], list[MessageState]] = {}

    def get(self, name: str | None) -> MessageState | None:
        """Return the message with this exact name."""
        return self._by_name.get(name) if name is not None else None

    def open_messages(self) -> list[MessageState]:
        """Every message that has not been finished, oldest first in its place."""
        return [message for group in self._open.values() for message in group]

    def messages(self) -> list[MessageState]:
        """Every message, in the order in which they began."""
        return list(dict.fromkeys(self._by_name.values()))

    def find_streamed(
        self, name: str | None, place: Place, run_id: str | None, about: object = None
    ) -> MessageState | None:
        """Return the message that a chunk belongs to, if any of its chunks came before; `about` is
        what is told of the model call."""
        if run_id is not None:
            known = self._by_name.get(run_id)
        elif name in self._by_name:
            return self._by_name[name]
        else:
            known = self.get(_without_suffix(name)) or self._guess(name, place, about)
        if known is not None:
            self.remember(known, name)
        return known

    def find_whole(self, whole: AIMessage, run_id: str | None) -> MessageState | None:
        """Return the message that a complete message finishes or repeats, by its names.

        A run's own message is all that its answer can be: a cache gives two runs the same one.
        """
        if run_id is not None:
            return self.get(run_id)
        found = self.get(whole.id) or self.get(_without_suffix(whole.id))
        if found is None and id(whole) in self._nameless:
            return self._nameless[id(whole)][1]
        if found is None and whole.id is not None:
            # LangGraph names the very object that was told, and a node may write it once more.
            named = (state for told, state in self._nameless.values() if told.id == whole.id)
            return next(named, None)
        return found

    def remember_whole(self, message: MessageState, whole: AIMessage) -> None:
        """Let `message` go by the name of its complete form, which may get one later."""
        if whole.id is None:
            self._nameless[id(whole)] = (whole, message)
        else:
            self._nameless.pop(id(whole), None)
        self.remember(message, whole.id)

    def unsettled(self, place: Place, name: str | None) -> list[MessageState]:
        """What a complete message of an unknown id, or of none, may be a repetition of; the
        latest first: streamed messages that have not come complete, where one of `place` may have
        been streamed, and those that have come complete without an id, if this one may be theirs:
        a state names what it has, and LangGraph by an id of its own kind. What was not yet told
        when a task began, that task does not repeat."""
        named = name is not None and (place.node is None or _is_uuid(name))
        begun = self._begun.get((place.task or "").rpartition(":")[2])
        found = [
            message
            for message in reversed(self._unsettled.get(place.namespace, ()))
            if (
                named and (begun is None or message.settled_at < begun)
                if message.reconciled
                else _is_around(message.place, place)
            )
        ]
        # What a graph inside the node has said, and the node gives back as its own.
        for namespace, group in self._unsettled.items():
            if _is_inside(namespace, place):
                found.extend(m for m in reversed(group) if named or not m.reconciled)
        return found

    def asides(self, place: Place) -> list[MessageState]:
        """What has come complete beside the conversation and may come again in there, as what a
        node at `place` has written; the latest first."""
        return [
            message
            for namespace, group in self._asides.items()
            for message in reversed(group)
            if message.aside
            and (
                _is_around(message.place, place)
                if namespace == place.namespace
                else _is_inside(namespace, place)
            )
        ]

    def settle(self, message: MessageState, *, named: bool, aside: bool = False) -> None:
        """A message has come complete; it may come again under an id if it has none yet, and in
        the conversation if it stands beside that."""
        if not aside:
            message.aside = False
        elif not message.reconciled:
            message.aside = True
            self._asides.setdefault(message.place.namespace, []).append(message)
        message.reconciled, message.settled_at = True, len(self._begun)
        group = self._unsettled.setdefault(message.place.namespace, [])
        if named and message in group:
            group.remove(message)
        elif not named and message not in group:
            group.append(message)

    def begin_task(self, task_id: str) -> None:
        """A task has begun, and with it what can be known to it."""
        self._begun.setdefault(task_id, len(self._begun) + 1)

    def settle_named(self, names: Iterable[str | None]) -> None:
        """Messages have come complete by these names, those of them that are known: no other
        message that says the same is one of them."""
        for name in names:
            message = self.get(name) or self.get(_without_suffix(name))
            if message is not None:
                self.settle(message, named=True)

    def settle_all(self, namespace: tuple[str, ...]) -> None:
        """Of what was told in a namespace nothing more comes again under another id."""
        self._unsettled.pop(namespace, None)
        self._asides.pop(namespace, None)

    def add(
        self,
        name: str | None,
        place: Place,
        parent_id: str | None,
        run_id: str | None,
        *,
        streamed: bool,
    ) -> MessageState:
        """Begin a message; one without an id gets one of its own."""
        message = MessageState(name or f"msg_{uuid4().hex}", place, parent_id)
        self.remember(message, message.id)
        if name is None:
            message.has_provider_id = False  # It may still turn out to have one.
        if run_id is not None:
            self._by_name[run_id] = message
        self.newest = message
        self._open.setdefault(place, []).append(message)
        if streamed:
            self._unsettled.setdefault(place.namespace, []).append(message)
        return message

    def remember(self, message: MessageState, name: str | None) -> None:
        """Let `message` go by one more name."""
        if name is None or self._by_name.get(name) is message:
            return
        self._by_name[name] = message
        if name.startswith(_RUN_PREFIX):
            message.has_run_id = True
            self._by_name[_without_suffix(name) or name] = message
        else:
            message.has_provider_id = True

    def close(self, message: MessageState) -> None:
        """Take a finished message out of the open ones."""
        message.finished = True
        group = self._open.get(message.place)
        if group and message in group:
            group.remove(message)
            if not group:
                del self._open[message.place]

    def _guess(self, name: str | None, place: Place, about: object) -> MessageState | None:
        """The open message that an unknown name is the second name of.

        A message has at most one name of LangChain's and usually one of the provider's, so one
        that has the kind already is another message. So is one of another model. Of several calls
        of one model, those are the same of which the very same is told.
        """
        group = [m for m in self._open.get(place, ()) if m.about is about or m.about == about]
        if name is None:
            return next((m for m in group if not (m.has_run_id or m.has_provider_id)), None)
        if name.startswith(_RUN_PREFIX):
            candidates = [m for m in group if not m.has_run_id]
        else:
            candidates = [m for m in group if not m.has_provider_id]
        if len(candidates) > 1:
            candidates = [m for m in candidates if m.about is about]
        return candidates[0] if len(candidates) == 1 else None


def _is_around(streamed: Place, place: Place) -> bool:
    """Whether a message from `place`, of which less may be known, may have been streamed there."""
    return (place.node is None or streamed.node in (None, place.node)) and (
        place.task is None or streamed.task in (None, place.task)
    )


def _is_inside(namespace: tuple[str, ...], place: Place) -> bool:
    """Whether a graph runs inside the node of a place, as far as its task is known in that."""
    if place.task is not None:
        inside = tuple(place.task.split("|"))
        return namespace[: len(inside)] == inside
    depth = len(place.namespace)
    return (
        place.node is not None
        and len(namespace) > depth
        and namespace[:depth] == place.namespace
        and namespace[depth].partition(":")[0] == place.node
    )


def _is_uuid(name: str) -> bool:
    return _UUID.fullmatch(name) is not None


def _without_suffix(name: str | None) -> str | None:
    """`lc_run--<uuid>-0` is `lc_run--<uuid>` to LangChain's streaming side."""
    if name is not None and name.startswith(_RUN_PREFIX):
        return name[:_RUN_ID_LENGTH]
    return name
