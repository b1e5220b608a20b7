"""Tools that run in the front end: bound to the model, and answered by the client.

The client sends the tools that it can run with its request. One pattern serves every graph: the
model is given them, and a call of one of them interrupts the run until the client has sent the
result, which becomes the one `ToolMessage` of the call.

- With `create_agent`: `middleware=[FrontendTools()]`, from `assistant_stream_langgraph.middleware`.
- In a graph of your own: `model.bind_tools([*tools, *frontend_tools(config)])`, and
  `ToolNode(tools, wrap_tool_call=wrap_frontend_call, awrap_tool_call=awrap_frontend_call)`.

A client sees the call without a result, as it does with a tool of its own; of the interrupt it sees
nothing.
"""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command, interrupt

from assistant_stream_ce._json import dumps
from assistant_stream_ce.server import ClientTool, ToolResult
from assistant_stream_langchain.messages import to_tool_message

from ._shapes import is_mapping

__all__ = (
    "ToolSchema",
    "awrap_frontend_call",
    "frontend_result",
    "frontend_tools",
    "is_frontend_interrupt",
    "run_in_front_end",
    "tool_names",
    "with_frontend_tools",
    "wrap_frontend_call",
)

_CONFIG_KEY = "frontend_tools"

_KIND = "frontend_tool"
"""The `type` in the value of the interrupts that wait for the front end."""

_RESULT = "frontend_tool_result"

ToolSchema: TypeAlias = dict[str, Any]
"""A tool in OpenAI's form, which `bind_tools` of every chat model takes:
`{"type": "function", "function": {"name", "description", "parameters"}}`."""

_Result: TypeAlias = ToolMessage | Command[Any]


def frontend_tools(config: RunnableConfig | Mapping[str, Any] | None = None) -> list[ToolSchema]:
    """Return the front end's tools of this request, for `model.bind_tools`.

    They are a claim of the client's, names and descriptions included, and the model reads them.

    Args:
        config: The config of the run; by default that of the node which is running.
    """
    fields = cast("Mapping[str, Any]", get_config() if config is None else config)
    found: Any = fields.get("configurable", {}).get(_CONFIG_KEY)
    return list(cast("list[ToolSchema]", found)) if isinstance(found, list) else []


def run_in_front_end(call: ToolCall) -> ToolMessage:
    """Wait for the front end's result of a tool call, inside of a graph.

    Returns:
        The one message that answers the call.
    """
    name, call_id = call["name"], call["id"]
    value = {"type": _KIND, "tool_call_id": call_id, "name": name, "args": call["args"]}
    answer: Any = interrupt(value)
    told: Any = answer.get(_RESULT) if is_mapping(answer) else None
    if not is_mapping(told):  # The application itself resumes the graph.
        told = {"content": answer if isinstance(answer, str) else dumps(answer)}
    return ToolMessage(**told, tool_call_id=call_id, name=name)


def frontend_result(result: ToolResult) -> dict[str, Any]:
    """Return what the interrupt of a call is resumed with, so that its message has all that the
    client has told: status, artifact, and what the model should see."""
    message = to_tool_message(result)
    told = {"content": message.content, "artifact": message.artifact, "status": message.status}
    return {_RESULT: told}


def wrap_frontend_call(
    request: ToolCallRequest, handler: Callable[[ToolCallRequest], _Result]
) -> _Result:
    """Run a call, or leave it to the front end; for `ToolNode(wrap_tool_call=...)`."""
    return run_in_front_end(request.tool_call) if _is_frontends(request) else handler(request)


async def awrap_frontend_call(
    request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[_Result]]
) -> _Result:
    """Run a call, or leave it to the front end; for `ToolNode(awrap_tool_call=...)`."""
    if _is_frontends(request):
        return run_in_front_end(request.tool_call)
    return await handler(request)


def is_frontend_interrupt(interrupt: Any) -> bool:
    """Whether an interrupt waits for a front end's tool: no question to a person."""
    value: Any = interrupt.value
    return is_mapping(value) and value.get("type") == _KIND


def tool_names(tools: Iterable[Any]) -> set[str]:
    """The names of tools, as objects or in OpenAI's form."""
    return {_name(tool) for tool in tools}


def with_frontend_tools(config: RunnableConfig, tools: Sequence[ClientTool]) -> RunnableConfig:
    """Return `config` with the tools of a request in it."""
    config = config.copy()
    schemas = [_schema(tool) for tool in tools]
    config["configurable"] = {**config.get("configurable", {}), _CONFIG_KEY: schemas}
    return config


def _is_frontends(request: ToolCallRequest) -> bool:
    # A tool of the server's own wins over one of the same name that a client claims to have.
    return request.tool is None and request.tool_call["name"] in tool_names(frontend_tools())


def _name(tool: Any) -> str:
    if not is_mapping(tool):
        return str(getattr(tool, "name", ""))
    function: Any = tool.get("function")
    return str((function if is_mapping(function) else tool).get("name", ""))


def _schema(tool: ClientTool) -> ToolSchema:
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    function = {"name": tool.name, "description": tool.description or "", "parameters": parameters}
    return {"type": "function", "function": function}
