"""Plans of random graphs: what their nodes, models and tools are going to do.

A plan is plain data, so that hypothesis can shrink it and a failure can be read. `random_graphs`
builds the graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from hypothesis import strategies as st

__all__ = (
    "Ask",
    "Both",
    "Drop",
    "Edit",
    "Fan",
    "Inner",
    "Loop",
    "Plan",
    "Private",
    "Say",
    "Speech",
    "Step",
    "Tell",
    "Use",
    "agents",
    "is_repeatable",
    "plans",
    "workers",
)

ToolName: TypeAlias = Literal[
    "plain",
    "structured",
    "listed",
    "artifact",
    "message",
    "command",
    "raising",
    "telling",
    "reporting",
    "emitting",
    "writing",
    "forgetting",
    "speaking",
    "agent",
    "asking",
]

Fate: TypeAlias = Literal[
    "kept",
    "bare",
    "renamed",
    "rebuilt",
    "extended",
    "dict",
    "pair",
    "lone pair",
    "aside",
    "secret",
]
"""What a node does with the message of its model: it returns it as it is, not in a list, under
another id, as a new message without one, with more text, as a dict, as a pair, in a list or not;
it keeps the text to itself, or it has asked with the tag `nostream` and does."""


@dataclass(frozen=True)
class Use:
    """A tool call."""

    tool: ToolName
    query: str = "q"
    cuts: tuple[int, ...] = ()
    """Where the text of the arguments is cut into pieces."""


@dataclass(frozen=True)
class Speech:
    """What a model says in one turn."""

    text: tuple[str, ...] = ("a",)
    thoughts: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    style: Literal["text", "blocks", "whole"] = "text"
    """Whether the content is text, blocks with an index, or comes in one piece."""
    own_id: bool = False
    """Whether the provider gives the message an id."""
    cites: bool = False
    counts: bool = False
    """Whether the provider reports how many tokens it were."""
    ends: Literal["", "stop", "length", "content_filter"] = ""
    """Why the provider says that it ended, if it does."""
    pause: bool = False
    """Whether it waits a little before it starts, so that others speak in between."""


@dataclass(frozen=True)
class Say:
    """A node that asks a model."""

    speech: Speech = Speech()
    fate: Fate = "kept"
    command: bool = False
    """Whether the node returns a `Command`."""
    silent: bool = False
    """Whether no model is asked: the node makes the message up."""


@dataclass(frozen=True)
class Both:
    """A node that asks two models at the same time."""

    first: Speech = Speech()
    second: Speech = Speech(("b",))
    keeps: Literal["both", "first", "second"] = "both"
    """Whose messages it returns."""


@dataclass(frozen=True)
class Loop:
    """An agent: a model, its tools, and the model again."""

    first: Speech = Speech(uses=(Use("plain"),))
    last: Speech = Speech()
    prebuilt: bool = False
    """Whether it is `create_agent`, as a subgraph; otherwise two nodes and a `ToolNode`."""


@dataclass(frozen=True)
class Ask:
    """A node that interrupts, perhaps after its model has spoken."""

    speech: Speech | None = None
    value: Any = "why"


@dataclass(frozen=True)
class Fan:
    """Nodes side by side: one node that is sent several pieces of work, or several nodes."""

    branches: tuple[Say | Both | Ask, ...]
    sent: bool = True


@dataclass(frozen=True)
class Drop:
    """A node that removes messages."""

    which: Literal["first", "last", "all", "all but last"] = "first"


@dataclass(frozen=True)
class Edit:
    """A node that writes a message again with more text."""

    which: Literal["first", "last"] = "last"


@dataclass(frozen=True)
class Tell:
    """A node that writes to the stream and to other channels than `messages`."""

    events: tuple[Any, ...] = ()
    ui: bool = False
    writes: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Inner:
    """A subgraph that works on the same state."""

    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Private:
    """A node that runs a graph with a state of its own, and returns its last message."""

    steps: tuple[Say, ...]
    kept: bool = True


Step: TypeAlias = Say | Both | Loop | Ask | Fan | Drop | Edit | Tell | Inner | Private


@dataclass(frozen=True)
class Plan:
    """A graph and what happens to it."""

    steps: tuple[Step, ...]
    turns: int = 1
    """How often the user says something."""
    initial: bool = False
    """Whether the thread has an old conversation."""


_WORDS = st.sampled_from(["a", "b ", "c\n", "é", "😀", '"', "<", "", "words and more "])
_PIECES = st.lists(_WORDS, min_size=1, max_size=4).map(tuple)
_JSON = st.sampled_from([1, "x", None, [1, {"a": []}], {"k": "v"}, "long " * 9, True, 1.5])
_QUIET_TOOLS: list[ToolName] = [
    "plain", "structured", "listed", "artifact", "message", "command", "raising", "telling",
    "reporting", "emitting", "writing", "forgetting",
]  # fmt: skip
_LIVE_TOOLS: list[ToolName] = ["reporting", "emitting", "writing", "forgetting", "telling"]
_TOOLS: list[ToolName] = [*_QUIET_TOOLS, "speaking", "agent"]


_QUERIES = ["q", "é\n", '"', "a longer question"]
_LONG_QUERIES = ["a longer question", 'words \\ "to" write', "é\n😀, and on"]


def _uses(
    names: list[ToolName], queries: list[str] = _QUERIES
) -> st.SearchStrategy[tuple[Use, ...]]:
    use = st.builds(
        Use,
        st.sampled_from(names),
        st.sampled_from(queries),
        st.lists(st.integers(1, 12), max_size=3).map(tuple),
    )
    return st.lists(use, min_size=1, max_size=3).map(tuple)


def _speeches(uses: st.SearchStrategy[tuple[Use, ...]]) -> st.SearchStrategy[Speech]:
    return st.builds(
        Speech,
        text=_PIECES,
        thoughts=st.one_of(st.just(()), _PIECES),
        uses=uses,
        style=st.sampled_from(["text", "text", "blocks", "whole"]),
        own_id=st.booleans(),
        cites=st.booleans(),
        counts=st.booleans(),
        ends=st.sampled_from(["", "stop", "length", "content_filter"]),
        pause=st.booleans(),
    )


_SPEECH = _speeches(st.just(()))
_CALLING = st.one_of(
    _speeches(_uses(_TOOLS)),
    _speeches(_uses(_QUIET_TOOLS)),
    _speeches(_uses(["asking", "plain", "emitting", "writing"])),
)
_SAY = st.builds(
    Say,
    _SPEECH,
    st.sampled_from(Fate.__args__),  # type: ignore[attr-defined]
    st.booleans(),
    st.sampled_from([False, False, True]),
)
_OWN_SAY = st.builds(
    Say, _SPEECH, st.sampled_from(["kept", "renamed", "rebuilt", "extended", "aside"])
)
_ASK = st.builds(Ask, st.one_of(st.none(), _SPEECH), st.sampled_from(["why", {"question": 1}]))
_EVENTS = st.sampled_from(
    ["word", {"type": "progress", "id": "p", "n": 1}, {"name": "n", "data": [1]}, {"a": None}]
)
_WRITES = st.tuples(st.sampled_from(["log", "facts", "last", "count", "draft", "note"]), _JSON)
_TELL = st.builds(
    Tell,
    st.lists(_EVENTS, max_size=2).map(tuple),
    st.booleans(),
    st.lists(_WRITES, max_size=3).map(tuple),
)
_BOTH = st.builds(Both, _SPEECH, _SPEECH, st.sampled_from(["both", "first", "second"]))
_KEPT_SAY = st.builds(Say, _SPEECH, st.sampled_from(["kept", "renamed", "aside"]))
_FAN = st.builds(
    Fan,
    st.one_of(
        st.lists(st.one_of(_SAY, _SAY, _BOTH), min_size=2, max_size=3).map(tuple),
        # Beside a pause: what is written without an id has another one each time that it is told.
        st.lists(st.one_of(_KEPT_SAY, _ASK), min_size=2, max_size=3).map(tuple),
    ),
    st.booleans(),
)
_FLAT: st.SearchStrategy[Step] = st.one_of(
    _SAY,
    _BOTH,
    st.builds(Loop, _CALLING, _SPEECH, st.booleans()),
    _ASK,
    _FAN,
    st.builds(Drop, st.sampled_from(["first", "last", "all", "all but last"])),
    st.builds(Edit, st.sampled_from(["first", "last"])),
    _TELL,
    st.builds(Private, st.lists(_OWN_SAY, min_size=1, max_size=2).map(tuple), st.booleans()),
)
_STEP: st.SearchStrategy[Step] = st.one_of(
    _FLAT, _FLAT, st.builds(Inner, st.lists(_FLAT, min_size=1, max_size=3).map(tuple))
)


def plans() -> st.SearchStrategy[Plan]:
    """Plans of up to four steps, some of them subgraphs with steps of their own."""
    steps = st.lists(_STEP, min_size=1, max_size=4).map(tuple)
    return st.builds(Plan, steps, st.sampled_from([1, 1, 2]), st.booleans())


def agents() -> st.SearchStrategy[Plan]:
    """Plans of agents, most of which ask other agents."""
    loop = st.builds(Loop, _speeches(_uses(["agent", "agent", "plain"])), _SPEECH, st.booleans())
    return st.builds(Plan, st.lists(loop, min_size=1, max_size=2).map(tuple))


def workers() -> st.SearchStrategy[Plan]:
    """Plans of agents whose tools tell how they go on, or write what they are given to the state,
    with other steps around them."""
    uses = st.one_of(
        _uses(_LIVE_TOOLS, _LONG_QUERIES),
        _uses(["writing"], _LONG_QUERIES),
        _uses([*_LIVE_TOOLS, "asking", "raising"]),
    )
    loop = st.builds(Loop, _speeches(uses), _SPEECH, st.booleans())
    inner = st.builds(Inner, st.lists(st.one_of(loop, _TELL), min_size=1, max_size=2).map(tuple))
    steps = st.lists(st.one_of(loop, loop, inner, _TELL), min_size=1, max_size=3).map(tuple)
    return st.builds(Plan, steps, st.sampled_from([1, 2]))


def is_repeatable(plan: Plan) -> bool:
    """Whether two graphs of a plan do the same. Of several tools that ask the user in one task the
    quickest one does."""
    return all(map(_is_repeatable, plan.steps))


def _is_repeatable(step: Step) -> bool:
    match step:
        case Loop(first, prebuilt=False):
            return sum(use.tool == "asking" for use in first.uses) <= 1
        case Inner(steps):
            return all(map(_is_repeatable, steps))
        case _:
            return True
