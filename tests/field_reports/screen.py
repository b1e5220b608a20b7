"""What a person sees of a run: it goes over the wires, and real npm clients read them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from assistant_stream_ce import AssistantStreamResponse, DataStreamResponse
from assistant_stream_ce.chunks import AssistantStreamChunk
from assistant_stream_ce.serialization import AGUIEncoder, AssistantTransportEncoder
from assistant_stream_ce.testing import collect
from assistant_stream_langchain.testing import ScriptedChatModel
from assistant_stream_langgraph import stream_graph
from tests.adapters_langchain.shown import show
from tests.adapters_langgraph.runs import FORMS, Graph, play
from tests.npm import Decoded, decode
from tests.npm import ask as ask_client

__all__ = (
    "FOUR_FORMS",
    "THREAD",
    "Conversation",
    "agent",
    "ask",
    "call_part",
    "human",
    "received",
    "see",
    "see_ag_ui",
    "see_form",
    "see_states",
)

THREAD = {"configurable": {"thread_id": "1"}}

FOUR_FORMS = ("tuples", "v2", "events v2", "events v3")
"""The forms of stream that people ask a graph for most."""


def human(text: str = "go") -> dict[str, Any]:
    """The input of a run."""
    return {"messages": [HumanMessage(text)]}


def agent(turns: Sequence[Any], tools: Sequence[Any] = (), **options: Any) -> Graph:
    """An agent around a scripted model, with a memory."""
    options = {"checkpointer": InMemorySaver(), **options}
    graph: Graph = create_agent(ScriptedChatModel(turns=turns), list(tools), **options)
    return graph


async def see(stream: AsyncIterable[AssistantStreamChunk]) -> Decoded:
    """The message that both assistant-ui wires show of a run."""
    return show(await collect(stream))


async def ask(graph: Graph, given: Any = None, config: Any = THREAD, **options: Any) -> Decoded:
    """Run a graph and see its answer."""
    return await see(stream_graph(graph, given or human(), config, **options))


async def see_form(form: str, graph: Graph, given: Any = None, **options: Any) -> Decoded:
    """The answer of a graph whose stream is held in one of the forms."""
    return show((await play(FORMS[form](graph, given or human(), THREAD), **options)).chunks)


async def see_states(
    graph: Graph, given: Any = None, form: str | None = None, initial_state: Any = None
) -> list[Any]:
    """Every state, one per chunk, that a client shows that renders from state.

    Args:
        graph: The graph to run.
        given: Its input.
        form: The form of its stream; without one, `stream_graph` chooses.
        initial_state: What the client shows already.
    """
    options: Any = {"parts": False, "initial_state": initial_state}
    if form is None:
        chunks = await collect(stream_graph(graph, given or human(), THREAD, **options))
    else:
        chunks = (await play(FORMS[form](graph, given or human(), THREAD), **options)).chunks
    encoder = AssistantTransportEncoder()
    wire = "".join([*map(encoder.encode_chunk, chunks), encoder.encode_end()])
    shown = decode(
        wire, "assistant-transport", messages=True, initial_state=initial_state
    ).checked()
    return [message["metadata"]["unstable_state"] for message in shown.messages]


@dataclass(frozen=True)
class Conversation:
    """What an AG-UI client has after a run."""

    history: list[dict[str, Any]]
    state: Any
    run_error: dict[str, Any] | None

    @property
    def calls(self) -> dict[str, str]:
        """The text of the arguments of every tool call, by its id."""
        return {
            call["id"]: call["function"]["arguments"]
            for message in self.history
            for call in message.get("toolCalls") or ()
        }


def see_ag_ui(chunks: Sequence[AssistantStreamChunk], *, failed: bool = False) -> Conversation:
    """What AG-UI's own client has after a run."""
    encoder = AGUIEncoder()
    wire = "".join([*map(encoder.encode_chunk, chunks), encoder.encode_end()])
    answer = ask_client("agui1", encoder.escape(wire))
    assert bool(answer["error"] or answer["runError"]) is failed, answer
    return Conversation(answer["history"], answer["state"], answer["runError"])


def call_part(shown: Decoded, call_id: str) -> dict[str, Any]:
    """The part of one tool call."""
    [part] = [part for part in shown.parts if part.get("toolCallId") == call_id]
    return part


async def received(
    stream: AsyncIterable[AssistantStreamChunk],
    response: type[AssistantStreamResponse] = DataStreamResponse,
) -> bytes:
    """The body that a server sends of a stream, whatever happens in it."""
    body = b""

    async def send(message: Any) -> None:
        nonlocal body
        body += message.get("body", b"")

    await response(stream).stream_response(send)
    return body
