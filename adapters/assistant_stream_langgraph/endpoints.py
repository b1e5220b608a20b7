"""Single endpoints of `create_app`, for a server that has its own routes.

```python
app = FastAPI()
app.add_route("/api/chat", chat_endpoint(agent), methods=["POST"])
```

Each is an ASGI app, and takes the options of `create_app` that are about requests and runs. Two
endpoints with one checkpointer, the same object, keep their threads together and let one run at a
time into each. What is about a run that goes on, such as reading it again, is in `create_app`.
"""

from __future__ import annotations

from functools import partial
from typing import Unpack

from starlette.types import ASGIApp

from ._backend import Endpoint
from ._endpoint_ag_ui import respond_to_ag_ui
from ._endpoint_chat import respond_to_chat
from ._endpoint_openai import OpenAIEndpoint, respond_to_openai
from ._errors import FailureGuard
from ._graph_source import GraphFactory
from ._setup import BackendOptions, create_backend
from .threads import Graph

__all__ = ("ag_ui_endpoint", "assistant_endpoint", "chat_endpoint", "openai_endpoint")


def assistant_endpoint(graph: Graph | GraphFactory, **options: Unpack[BackendOptions]) -> ASGIApp:
    """Return the endpoint for `useAssistantTransportRuntime`.

    Raises:
        GraphError: `graph` is not a compiled graph, or has no `messages` channel.
    """
    backend = create_backend(graph, **options)
    return FailureGuard(Endpoint(backend.respond), debug=backend.debug)


def chat_endpoint(graph: Graph | GraphFactory, **options: Unpack[BackendOptions]) -> ASGIApp:
    """Return the endpoint for `useDataStreamRuntime`, and for `useChat` of the AI SDK.

    Raises:
        GraphError: `graph` is not a compiled graph, or has no `messages` channel.
    """
    backend = create_backend(graph, **options)
    return FailureGuard(Endpoint(partial(respond_to_chat, backend)), debug=backend.debug)


def ag_ui_endpoint(graph: Graph | GraphFactory, **options: Unpack[BackendOptions]) -> ASGIApp:
    """Return the endpoint for `useAgUiRuntime`, `HttpAgent` and CopilotKit.

    Raises:
        GraphError: `graph` is not a compiled graph, or has no `messages` channel.
    """
    backend = create_backend(graph, **options)
    return FailureGuard(Endpoint(partial(respond_to_ag_ui, backend)), debug=backend.debug)


def openai_endpoint(graph: Graph | GraphFactory, **options: Unpack[BackendOptions]) -> ASGIApp:
    """Return the endpoint `chat/completions` for OpenAI's clients.

    Raises:
        GraphError: `graph` is not a compiled graph, or has no `messages` channel.
    """
    backend = create_backend(graph, **options)
    return OpenAIEndpoint(partial(respond_to_openai, backend), debug=backend.debug)
