"""Tools that run in the front end: bound to the model, and left for the client to answer.

A client sends the tools that it can run with its request. In a graph of your own, bind them:

```python
async def agent(state: MessagesState, config: RunnableConfig) -> dict:
    model = chat_model.bind_tools([*tools, *frontend_tools(config)])
    return {"messages": [await model.ainvoke(state["messages"])]}
```

and end the turn at a call of one of them (`has_frontend_call`). The call then waits in the thread
without a result; the client runs the tool and sends the result with its next request, which
becomes the one `ToolMessage` of the call, and the model goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from assistant_stream_ce.server import ClientTool

__all__ = (
    "CONFIG_KEY",
    "ToolSchema",
    "frontend_tools",
    "has_frontend_call",
    "with_frontend_tools",
)

CONFIG_KEY = "frontend_tools"
"""Where in a config's `configurable` the tools of the request are."""

ToolSchema: TypeAlias = dict[str, Any]
"""A tool in OpenAI's form, which every chat model's `bind_tools` takes."""


def frontend_tools(config: RunnableConfig | Mapping[str, Any]) -> list[ToolSchema]:
    """Return the front end's tools of this request, for `model.bind_tools`.

    They are a claim of the client's, names and descriptions included: the model reads them.

    Args:
        config: The config of the run, as a node gets it. Empty outside of `create_app`.
    """
    fields = cast("Mapping[str, Any]", config)
    found: Any = fields.get("configurable", {}).get(CONFIG_KEY)
    tools = cast("list[ToolSchema]", found) if isinstance(found, list) else []
    return list(tools)


def has_frontend_call(
    messages: Sequence[BaseMessage], config: RunnableConfig | Mapping[str, Any]
) -> bool:
    """Whether the last message calls a tool of the front end: then the turn has to end."""
    names = {tool["function"]["name"] for tool in frontend_tools(config)}
    last = messages[-1] if messages else None
    return isinstance(last, AIMessage) and any(call["name"] in names for call in last.tool_calls)


def with_frontend_tools(config: RunnableConfig, tools: Iterable[ClientTool]) -> RunnableConfig:
    """Return `config` with the tools of a request in it."""
    schemas = [_schema(tool) for tool in tools]
    config = config.copy()
    config["configurable"] = {**config.get("configurable", {}), CONFIG_KEY: schemas}
    return config


def _schema(tool: ClientTool) -> ToolSchema:
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    function = {"name": tool.name, "description": tool.description or "", "parameters": parameters}
    return {"type": "function", "function": function}
