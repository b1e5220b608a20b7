"""Every kind of Runnable in every way of calling it, with the handler and without.

What comes out, and what is raised, is the same with the handler as without it; and what a client
shows is the same whichever way the chain was called.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from pydantic import BaseModel

from assistant_stream_ce.controller import RunController
from assistant_stream_ce.create_run import create_run
from assistant_stream_langchain import AssistantCallbackHandler, _voices
from assistant_stream_langchain._session import ChainSession
from assistant_stream_langchain.testing import ScriptedChatModel
from tests.npm import Decoded

from .shown import call, kinds, results, show, sources

Run = Runnable[Any, Any]
Config = dict[str, Any]


def merged(pieces: Iterable[Any]) -> Any:
    """What a stream adds up to, or its pieces where they do not add up."""
    items = list(pieces)
    try:
        total = items[0]
        for item in items[1:]:
            total = total + item
    except TypeError:
        return items
    return total


async def read(stream: Any) -> Any:
    return merged([piece async for piece in stream])


WAYS: dict[str, Callable[[Run, Any, Config], Any]] = {
    "invoke in a thread": lambda r, x, c: asyncio.to_thread(r.invoke, x, c),
    "ainvoke": lambda r, x, c: r.ainvoke(x, c),
    "stream in a thread": lambda r, x, c: asyncio.to_thread(lambda: merged(r.stream(x, c))),
    "astream": lambda r, x, c: read(r.astream(x, c)),
    "batch in a thread": lambda r, x, c: asyncio.to_thread(r.batch, [x], c),
    "abatch": lambda r, x, c: r.abatch([x], c),
    "with_config": lambda r, x, c: r.with_config(c).ainvoke(x),
}


async def in_the_loop(runnable: Run, value: Any, config: Config) -> Any:
    return runnable.invoke(value, config)


WAYS["invoke in the loop"] = in_the_loop


def model(*turns: Any) -> ScriptedChatModel:
    return ScriptedChatModel(turns=turns, cycle=True)


def chain(*turns: Any) -> Run:
    return ChatPromptTemplate.from_template("{x}") | model(*turns) | StrOutputParser()


class Archive(BaseRetriever):
    """Two pages."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        if query == "nothing":
            raise LookupError("no index")
        return [
            Document("A", metadata={"source": "https://a.example/p", "title": "Page A"}),
            Document("B", metadata={"source": "https://b.example/q"}),
        ]


@tool
def add(a: int, b: int) -> int:
    """Add."""
    if a < 0:
        raise ValueError("no luck")
    return a + b


@tool
def ask_another(task: str) -> str:
    """Let another model do it."""
    return str(chain("From inside").invoke({"x": task}))


def asks(name: str, **args: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"id": "c1", "name": name, "args": args}])


class Person(BaseModel):
    """Somebody."""

    name: str


PERSON = [
    AIMessageChunk("", tool_call_chunks=[{"name": n, "args": a, "id": i, "index": 0}])
    for n, a, i in (("Person", '{"name":', "c"), (None, '"Ada"}', None))
]


@dataclass
class Case:
    """A Runnable, made anew for each call, and what a client shows of it."""

    make: Callable[[], Run]
    value: Any = field(default_factory=lambda: {"x": "?"})
    text: str = ""
    kinds: list[str] = field(default_factory=lambda: ["text"])
    also: Callable[[Decoded], bool] = lambda shown: True


QUESTION = {"messages": [("user", "?")]}

CASES: dict[str, Case] = {
    "prompt chain": Case(lambda: chain("Hello big world"), text="Hello big world"),
    "model": Case(lambda: model("Hello"), value="?", text="Hello"),
    "model that does not stream": Case(
        lambda: ScriptedChatModel(turns=["Hello"], disable_streaming=True),
        value="?",
        text="Hello",
    ),
    "parallel": Case(lambda: RunnableParallel(a=chain("same"), b=chain("same")), text="samesame"),
    "a model inside a function": Case(
        lambda: RunnableLambda(lambda x: chain("Hello").invoke(x)), text="Hello"
    ),
    "retriever": Case(
        Archive,
        value="?",
        kinds=["source", "source"],
        also=lambda shown: sources(shown)[0] == ("https://a.example/p", "Page A"),
    ),
    "retriever in a chain": Case(
        lambda: {"x": Archive()} | chain("Hello"),
        value="?",
        text="Hello",
        kinds=["source", "source", "text"],
    ),
    "tool by hand": Case(
        lambda: add,
        value={"a": 1, "b": 2},
        kinds=["tool-call"],
        also=lambda shown: list(results(shown).values()) == [3],
    ),
    "fallback": Case(
        lambda: chain(RuntimeError("down")).with_fallbacks([chain("Hello")]), text="Hello"
    ),
    "agent": Case(
        lambda: create_agent(model(asks("add", a=1, b=2), "It is 3."), [add]),
        value=QUESTION,
        text="It is 3.",
        kinds=["tool-call", "text"],
        also=lambda shown: results(shown) == {"c1": "3"},
    ),
    "a model inside an agent's tool": Case(
        lambda: create_agent(model(asks("ask_another", task="t"), "Outside."), [ask_another]),
        value=QUESTION,
        text="From insideOutside.",
        kinds=["tool-call", "text", "text"],
        also=lambda shown: (
            [part.get("parentId") for part in shown.parts] == [None, "c1", None]
            and results(shown) == {"c1": "From inside"}
        ),
    ),
    "structured output": Case(
        lambda: model(PERSON).with_structured_output(Person),
        value="?",
        kinds=["data"],
        also=lambda shown: shown.parts[0]["data"] == {"name": "Ada"},
    ),
}


def plain(value: Any) -> Any:
    """A result without the ids that LangChain makes up."""
    if isinstance(value, BaseMessage):
        return {k: v for k, v in value.model_dump().items() if k != "id"}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", CASES)
async def test_the_result_is_unchanged_and_the_client_shows_it(kind: str, way: str) -> None:
    case = CASES[kind]
    without = await WAYS[way](case.make(), case.value, {})

    chunks, returned = await call(lambda h: WAYS[way](case.make(), case.value, {"callbacks": [h]}))

    assert plain(returned) == plain(without)
    shown = show(chunks)
    assert shown.text == case.text
    assert kinds(shown) == case.kinds
    assert case.also(shown)
    assert shown.status == {"type": "complete", "reason": "stop"}


BROKEN: dict[str, Case] = {
    "prompt chain": Case(lambda: chain(["Hel", RuntimeError("down")]), text="Hel"),
    "parallel": Case(
        lambda: RunnableParallel(a=chain(RuntimeError("down")), b=RunnableLambda(len)), kinds=[]
    ),
    "retriever": Case(Archive, value="nothing", kinds=[]),
    "tool by hand": Case(
        lambda: add,
        value={"a": -1, "b": 2},
        kinds=["tool-call"],
        also=lambda shown: shown.parts[0]["isError"] is True,
    ),
    "tool with wrong arguments": Case(
        lambda: add,
        value={"a": "x"},
        kinds=["tool-call"],
        also=lambda shown: shown.parts[0]["isError"] is True,
    ),
    "fallbacks": Case(
        lambda: chain(["Hel", RuntimeError("a")]).with_fallbacks([chain(RuntimeError("b"))]),
        text="Hel",
    ),
    "agent's model": Case(
        lambda: create_agent(model(RuntimeError("down")), [add]), value=QUESTION, kinds=[]
    ),
    "agent's tool": Case(
        lambda: create_agent(model(asks("add", a=-1, b=2)), [add]),
        value=QUESTION,
        kinds=["tool-call"],
        also=lambda shown: results(shown) == {"c1": "no luck"},
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", BROKEN)
async def test_the_exception_is_unchanged_and_what_was_said_is_closed(kind: str, way: str) -> None:
    case = BROKEN[kind]
    with pytest.raises(Exception) as without:
        await WAYS[way](case.make(), case.value, {})

    async def use(handler: AssistantCallbackHandler) -> None:
        with pytest.raises(type(without.value)) as raised:
            await WAYS[way](case.make(), case.value, {"callbacks": [handler]})
        assert type(raised.value) is type(without.value)
        assert str(raised.value) == str(without.value)

    chunks, _ = await call(use)

    shown = show(chunks) if chunks else None
    assert (kinds(shown) if shown else []) == case.kinds
    assert (shown.text if shown else "") == case.text
    assert shown is None or case.also(shown)


async def the_writer(handler: AssistantCallbackHandler | None, *, in_thread: bool) -> list[Any]:
    """What `get_stream_writer` wrote in a tool, beside the messages."""

    @tool
    def work() -> str:
        """Say how far it is."""
        writer = get_stream_writer()
        for percent in (50, 100):
            writer({"percent": percent})
        return "done"

    graph = create_agent(model(asks("work"), "Done."), [work])
    config: Any = {"callbacks": [handler]} if handler else {}
    modes: Any = ["custom", "updates"]
    if in_thread:
        written = await asyncio.to_thread(
            lambda: list(graph.stream(QUESTION, config, stream_mode=modes))
        )
    else:
        written = [item async for item in graph.astream(QUESTION, config, stream_mode=modes)]
    return [item for mode, item in written if mode == "custom"]


@pytest.mark.parametrize("in_thread", [True, False])
async def test_what_a_tool_writes_to_the_stream_still_arrives(in_thread: bool) -> None:
    without = await the_writer(None, in_thread=in_thread)

    chunks, written = await call(lambda handler: the_writer(handler, in_thread=in_thread))

    assert written == without == [{"percent": 50}, {"percent": 100}]
    shown = show(chunks)
    assert results(shown) == {"c1": "done"}
    assert shown.text == "Done."


async def test_a_loop_that_stands_still_and_a_reader_that_reads_nothing_stop_no_chain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # On a busy machine a thread may not run for a second, and would lose the floor.
    monkeypatch.setattr(_voices, "PATIENCE", 60.0)
    tokens = [f"{number} " for number in range(2_000)]
    done = threading.Event()

    async def callback(controller: RunController) -> None:
        handler = AssistantCallbackHandler(controller)
        runs = [
            threading.Thread(
                target=chain(tokens).invoke, args=({"x": "?"}, {"callbacks": [handler]})
            )
            for _ in range(2)
        ]
        for run in runs:
            run.start()
        for run in runs:
            run.join(20)  # In the event loop's own thread: nobody can read meanwhile.
        assert not any(run.is_alive() for run in runs)
        done.set()

    chunks = [chunk async for chunk in create_run(callback)]

    assert done.is_set()
    assert show(chunks).text == "".join(tokens) * 2


@pytest.mark.parametrize("kind", CASES)
async def test_whatever_fails_in_the_handler_the_chain_goes_on(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*args: Any, **kwargs: Any) -> None:
        raise LookupError("a fault of ours")

    case = CASES[kind]
    without = await case.make().ainvoke(case.value)

    async def use(handler: AssistantCallbackHandler) -> Any:
        for name in [name for name in dir(ChainSession) if not name.startswith("_")]:
            monkeypatch.setattr(ChainSession, name, explode)
        return await case.make().ainvoke(case.value, {"callbacks": [handler]})

    chunks, returned = await call(use)

    assert plain(returned) == plain(without)
    assert chunks == []
    assert "the chain goes on" in caplog.text


@pytest.mark.parametrize("kind", CASES)
async def test_a_handler_of_a_run_that_has_ended_disturbs_nobody(kind: str) -> None:
    case = CASES[kind]
    without = await case.make().ainvoke(case.value)
    handlers: list[AssistantCallbackHandler] = []

    async def keep(handler: AssistantCallbackHandler) -> None:
        handlers.append(handler)

    chunks, _ = await call(keep)
    returned = await case.make().ainvoke(case.value, {"callbacks": handlers})

    assert plain(returned) == plain(without)
    assert chunks == []
