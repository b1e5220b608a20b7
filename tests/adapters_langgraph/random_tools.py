"""The tools of random graphs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolRuntime
from langgraph.types import Command

from tests.adapters_langgraph.random_plans import Loop, Speech
from tests.adapters_langgraph.random_stage import Owner, Stage, ToolFailed, Where, Written

__all__ = ("tools_of",)

_Body = Callable[..., Coroutine[Any, Any, Any]]


def tools_of(stage: Stage, where: Where, loop: Loop) -> list[Any]:
    """The tools that the model of an agent calls."""
    owner: Owner = "known" if len(loop.first.uses) == 1 else "unknown"
    if loop.prebuilt and owner == "unknown":
        owner = "by task"
    bodies = (*_QUIET, *_telling(stage, where, owner), *_asking(stage, where, owner))
    # Each takes a while to make, more than many a run.
    used = {use.tool for use in loop.first.uses}
    return [_made(stage, body) for body in bodies if body.__name__ in used]


def _made(stage: Stage, body: _Body) -> Any:
    how: Any = "content_and_artifact" if body is artifact else "content"
    return tool(response_format=how)(stage.function(body))


async def plain(query: str) -> str:
    """Answer."""
    return f"answer to {query}"


async def structured(query: str) -> dict[str, Any]:
    """Answer with an object."""
    return {"query": query, "n": [1, None]}


async def listed(query: str) -> list[Any]:
    """Answer with blocks."""
    return [{"type": "text", "text": query}]


async def artifact(query: str) -> tuple[str, Any]:
    """Answer with an artifact."""
    return query, {"of": query}


async def message(query: str, call: Annotated[str, InjectedToolCallId]) -> Any:
    """Answer with a message."""
    return ToolMessage(f"message {query}", tool_call_id=call, status="error")


async def command(query: str, call: Annotated[str, InjectedToolCallId]) -> Any:
    """Answer with a command."""
    answer = ToolMessage(f"command {query}", tool_call_id=call)
    return Command(update={"messages": [answer]})


async def raising(query: str) -> str:
    """Fail."""
    raise ToolFailed(query)


async def writing(query: str, call: Annotated[str, InjectedToolCallId]) -> Any:
    """Write to the state what the client has been shown there, and more."""
    answer = ToolMessage("written", tool_call_id=call)
    return Command(update={"draft": f"{query}.", "messages": [answer]})


async def forgetting(query: str) -> str:
    """Write nothing of it to the state."""
    return "forgotten"


_QUIET: tuple[_Body, ...] = (
    plain,
    structured,
    listed,
    artifact,
    message,
    command,
    raising,
    writing,
    forgetting,
)


def _telling(stage: Stage, where: Where, owner: Owner) -> tuple[_Body, ...]:
    """Tools that tell how they go on."""
    depth = where.depth

    async def telling(query: str, call: Annotated[str, InjectedToolCallId]) -> str:
        """Tell how it goes."""
        event = {"type": "progress", "id": "tool", "n": query}
        stage.tell(event, depth, call_id=call, owner=owner)
        return "told"

    async def reporting(query: str, call: Annotated[str, InjectedToolCallId]) -> str:
        """Tell how it goes, and in which call."""
        for number in range(2):
            event = {"type": "report", "n": number, "tool_call_id": call}
            stage.tell(event, depth, call_id=call, owner="named")
        return "reported"

    async def emitting(query: str, runtime: ToolRuntime) -> str:
        """Give the output piece by piece."""
        for piece in (query, {"type": "piece", "of": query}, query):
            how = {"call_id": runtime.tool_call_id, "owner": "named", "is_output": True}
            stage.told.append(Written(piece, depth, **how))
            runtime.emit_output_delta(piece)
        return "emitted"

    return telling, reporting, emitting


def _asking(stage: Stage, where: Where, owner: Owner) -> tuple[_Body, ...]:
    """Tools that ask a model, an agent or the user."""
    depth = where.depth

    async def speaking(query: str, call: Annotated[str, InjectedToolCallId]) -> str:
        """Ask a model."""
        speech = Speech(("inner ", "voice"))
        how = {"parent_id": call, "owner": owner, "kept": False, "depth": depth}
        said = await stage.ask(speech, query, call, **how)
        return str(said.message.text)

    async def agent(query: str, call: Annotated[str, InjectedToolCallId]) -> str:
        """Ask another agent."""
        inner: StateGraph[Any] = StateGraph(MessagesState)

        async def work(state: MessagesState) -> Any:
            speech = Speech(("sub ", f"agent on {query}"))
            how = {"parent_id": call, "owner": owner, "kept": False, "depth": depth + 1}
            how["agent"] = True
            event = {"type": "inner", "on": query}
            stage.tell(event, depth + 1, call_id=call, owner=owner, agent=True)
            said = await stage.ask(speech, state["messages"], call, **how)
            return {"messages": [said.message]}

        inner.add_node("work", stage.function(work))
        inner.add_edge(START, "work")
        result = await stage.run(inner.compile(), {"messages": [HumanMessage(query)]})
        return str(result["messages"][-1].text)

    async def asking(query: str) -> str:
        """Ask the user."""
        return f"they said {stage.interrupt({'query': query})}"

    return speaking, agent, asking
