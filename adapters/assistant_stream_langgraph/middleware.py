"""Middleware for `create_agent`; needs the package `langchain`."""

# LangChain's middleware is generic over what cannot be filled in from here.
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportMissingTypeArgument=false

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import ToolMessage
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command

from .frontend_tools import (
    ToolSchema,
    awrap_frontend_call,
    frontend_tools,
    run_in_front_end,
    tool_names,
    wrap_frontend_call,
)

__all__ = ("FrontendTools",)


class FrontendTools(AgentMiddleware[Any, Any, Any]):
    """Lets an agent use the tools of the front end.

    ```python
    agent = create_agent(model, tools, middleware=[FrontendTools()])
    ```

    The tools of the request are bound to the model, beside the agent's own. A call of one waits
    for the client, and its result becomes the call's one `ToolMessage`. Where a name is taken, the
    agent's own tool wins.

    Args:
        tools: Tools that the front end always has, in OpenAI's form, for clients that send none:
            the AI SDK's `useChat`.
    """

    def __init__(self, *tools: ToolSchema) -> None:
        super().__init__()
        self._always = tools
        self._names = tool_names(tools)

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Bind the tools, for one call of the model."""
        return handler(self._with_tools(request))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Bind the tools, for one call of the model."""
        return await handler(self._with_tools(request))

    def wrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], ToolMessage | Command[Any]],
    ) -> ToolMessage | Command[Any]:
        """Run a call, or leave it to the front end."""
        if self._is_known(request):
            return run_in_front_end(request.tool_call)
        return wrap_frontend_call(request, handler)

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]],
    ) -> ToolMessage | Command[Any]:
        """Run a call, or leave it to the front end."""
        if self._is_known(request):
            return run_in_front_end(request.tool_call)
        return await awrap_frontend_call(request, handler)

    def _with_tools(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        taken = tool_names(request.tools)
        tools: list[Any] = list(request.tools)
        for tool in (*self._always, *frontend_tools()):
            if tool_names([tool]).isdisjoint(taken):
                tools.append(tool)
                taken |= tool_names([tool])
        return request.override(tools=tools)

    def _is_known(self, request: ToolCallRequest) -> bool:
        return request.tool is None and request.tool_call["name"] in self._names
