"""The two backends under load, each in a process of its own: ours, and the usual one on upstream.

`python -m tests.load.server ours|upstream PACE` serves the demo's scripted agent on a free port of
the loopback interface, says which, and ends when its standard input does. `/stats` tells what the
process has used. Threads are kept in memory by both.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel, Field

from assistant_stream_langgraph.demo import create_demo_graph
from tests.bench.server import stats


class ChatRequest(BaseModel):
    """What the assistant-ui client sends."""

    commands: list[dict[str, Any]]
    state: dict[str, Any] | None = None
    thread_id: str = Field(alias="threadId")


def our_app(graph: Any) -> Any:
    from assistant_stream_langgraph.app import create_app

    return create_app(graph)


def upstream_app(graph: Any) -> Any:
    """What upstream's examples do: an endpoint, a run that appends LangGraph's events to the
    state, and a data stream response."""
    from fastapi import FastAPI
    from langchain_core.messages import HumanMessage

    from tests.bench.peers import upstream

    package = upstream()
    append = upstream("modules.langgraph").append_langgraph_event
    response_class = upstream("serialization").DataStreamResponse

    async def chat(request: ChatRequest) -> Any:
        said = [
            HumanMessage(part["text"])
            for command in request.commands
            if command["type"] == "add-message"
            for part in command["message"]["parts"]
        ]

        async def run(controller: Any) -> None:
            if "messages" not in controller.state:
                controller.state["messages"] = []
            for message in said:
                controller.state["messages"].append(message.model_dump())
            config: Any = {"configurable": {"thread_id": request.thread_id}}
            async for namespace, mode, payload in graph.astream(
                {"messages": said}, config, stream_mode=["messages", "updates"], subgraphs=True
            ):
                append(controller.state, namespace, mode, payload)

        return response_class(package.create_run(run, state=request.state or {}))

    async def thread_state(thread_id: str) -> dict[str, Any]:
        snapshot = await graph.aget_state({"configurable": {"thread_id": thread_id}})
        messages = snapshot.values.get("messages", [])
        return {"values": {"messages": [message.model_dump() for message in messages]}}

    app = FastAPI()
    app.post("/assistant", response_model=None)(chat)
    app.get("/threads/{thread_id}/state")(thread_state)
    return app


def with_stats(app: Any) -> Any:
    """Answer `/stats` before `app`."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/stats":
            await app(scope, receive, send)
            return
        body = json.dumps(stats()).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return answer


def main() -> None:
    import uvicorn

    graph: Any = create_demo_graph(pace=float(sys.argv[2]), tool_time=0)
    graph = graph.copy({"checkpointer": InMemorySaver()})
    app = with_stats(our_app(graph) if sys.argv[1] == "ours" else upstream_app(graph))
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    # Small, so that a client that stops reading is felt.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)

    def wait_for_the_end() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    asyncio.run(server.serve([listener]))


if __name__ == "__main__":
    main()
