"""The same conversation over every wire, for real client runtimes to hold.

Asked for the weather, the backend calls a tool and answers it itself. Asked for a colour, it calls
a tool that only the client can run, and waits for the client to send the result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from assistant_stream_ce import (
    AGUIResponse,
    AssistantTransportResponse,
    DataStreamResponse,
    RunController,
    UIMessageStreamResponse,
    create_run,
)
from assistant_stream_ce.serialization import AISDKVersion

__all__ = ("CLIENTS", "COLOR", "WEATHER", "Backend", "ClientPage", "client_page")

WEATHER = "How is the weather in Oslo?"
COLOR = "Which colour for the wall?"

PICK_COLOR = "pick_color"


@dataclass(frozen=True)
class ClientPage:
    """A client in the page: a bundle, and the options in its query string."""

    bundle: str
    api: str
    options: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join(
            [self.bundle, self.api.strip("/").replace("?", "-"), *self.options.values()]
        )


CLIENTS = [
    ClientPage("use_data_stream_runtime", "/data-stream"),
    ClientPage("use_data_stream_runtime", "/data-stream?steps=1"),
    ClientPage("use_data_stream_runtime", "/ui-message-stream?version=6", {"maxSteps": "5"}),
    ClientPage("use_assistant_transport_runtime", "/state-over-data-stream"),
    ClientPage(
        "use_assistant_transport_runtime",
        "/state-over-assistant-transport",
        {"protocol": "assistant-transport"},
    ),
    ClientPage("use_chat", "/ui-message-stream?version=5", {"version": "5"}),
    ClientPage("use_chat", "/ui-message-stream?version=6", {"version": "6"}),
    ClientPage("use_chat", "/ui-message-stream?version=7", {"version": "7"}),
    ClientPage("use_chat", "/ui-message-stream?version=7&steps=1", {"version": "7"}),
    ClientPage("use_chat_runtime", "/ui-message-stream?version=7"),
    ClientPage("use_ag_ui_runtime", "/ag-ui", {"agent": "0"}),
    ClientPage("use_ag_ui_runtime", "/ag-ui", {"agent": "1"}),
    ClientPage("use_ag_ui_runtime", "/ag-ui?steps=1", {"agent": "1"}),
]


class Backend:
    """Serves the page of a client and an endpoint for each wire, and remembers the requests."""

    def __init__(self, bundles: Path) -> None:
        self.requests: list[dict[str, Any]] = []
        self.app = Starlette(
            routes=[
                Route("/page/{bundle}", client_page),
                Route("/data-stream", self._data_stream, methods=["POST"]),
                Route("/ui-message-stream", self._ui_message_stream, methods=["POST"]),
                Route("/ag-ui", self._ag_ui, methods=["POST"]),
                Route("/state-over-{wire}", self._state, methods=["POST"]),
                Mount("/bundles", StaticFiles(directory=bundles)),
            ]
        )

    async def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        self.requests.append(body)
        return body

    async def _data_stream(self, request: Request) -> Response:
        body = await self._body(request)
        return DataStreamResponse(create_run(_answer(body["messages"], request)))

    async def _ui_message_stream(self, request: Request) -> Response:
        body = await self._body(request)
        version = cast("AISDKVersion", int(request.query_params["version"]))
        stream = create_run(_answer(body["messages"], request))
        return UIMessageStreamResponse(stream, version=version)

    async def _ag_ui(self, request: Request) -> Response:
        body = await self._body(request)
        stream = create_run(_answer(_from_ag_ui(body["messages"]), request))
        return AGUIResponse(
            stream,
            thread_id=body["threadId"],
            run_id=body["runId"],
            known_message_ids=[message["id"] for message in body["messages"]],
        )

    async def _state(self, request: Request) -> Response:
        body = await self._body(request)
        stream = create_run(_answer_in_state(body["commands"]), state=body["state"])
        if request.path_params["wire"] == "data-stream":
            return DataStreamResponse(stream)
        return AssistantTransportResponse(stream)


async def client_page(request: Request) -> Response:
    """The page that loads a bundle."""
    script = f"/bundles/{request.path_params['bundle']}.js"
    return HTMLResponse(
        f'<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="{script}">'
        "</script>"
    )


# -- The conversation as parts ----------------------------------------------------------------


def _answer(messages: list[Any], request: Request) -> Callable[[RunController], Any]:
    question = _texts([message for message in messages if message["role"] == "user"])[-1]
    has_steps = "steps" in request.query_params

    async def run(controller: RunController) -> None:
        if has_steps:
            controller.add_step_start("step1")
        if question == WEATHER:
            await _weather(controller, has_steps)
        elif _has_result(messages):
            await _say(controller, "Blue it is.")
        else:
            await _pick_color(controller)
            return
        if has_steps:
            controller.add_step_finish("stop")
        controller.add_message_finish("stop")

    return run


async def _weather(controller: RunController, has_steps: bool) -> None:
    await _say(controller, "Let me look.")
    call = await controller.add_tool_call("get_weather")
    for piece in ('{"ci', 'ty":"Os', 'lo"}'):
        call.append_args_text(piece)
        await asyncio.sleep(0.01)
    if has_steps:
        controller.add_step_finish("tool-calls")
    call.set_response({"sky": "rain"})
    if has_steps:
        controller.add_step_start("step2")
    await _say(controller, "It rains.")


async def _pick_color(controller: RunController) -> None:
    call = await controller.add_tool_call(PICK_COLOR)
    call.append_args_text('{"of":"wall"}')
    call.finish_args()
    controller.add_message_finish("tool-calls")


async def _say(controller: RunController, text: str) -> None:
    for word in text.split(" "):
        controller.append_text(word if word == text.split(" ", maxsplit=1)[0] else f" {word}")
        await asyncio.sleep(0.01)


def _texts(messages: list[Any]) -> list[str]:
    parts = [part for message in messages for part in message.get("content") or message["parts"]]
    return [part["text"] for part in parts if part["type"] == "text"]


def _from_ag_ui(messages: list[Any]) -> list[Any]:
    """The same with parts as content, which a result's tool is named in."""
    names = {
        call["id"]: call["function"]["name"]
        for message in messages
        for call in message.get("toolCalls") or []
    }
    parts: list[Any] = []
    for message in messages:
        content = message.get("content") or []
        if message["role"] == "tool":
            content = [{"type": "tool-result", "toolName": names[message["toolCallId"]]}]
        elif isinstance(content, str):
            content = [{"type": "text", "text": content}]
        parts.append({"role": message["role"], "content": content, "parts": []})
    return parts


def _has_result(messages: list[Any]) -> bool:
    """Whether the client has sent the colour: as a part of the answer, or as a message."""
    return any(
        part.get("state") == "output-available"
        if part["type"] == f"tool-{PICK_COLOR}"
        else (part["type"], part.get("toolName")) == ("tool-result", PICK_COLOR)
        for message in messages
        if not isinstance(message.get("content"), str)
        for part in message.get("content") or message["parts"]
    )


# -- The conversation as state ----------------------------------------------------------------


def _answer_in_state(commands: list[dict[str, Any]]) -> Callable[[RunController], Any]:
    async def run(controller: RunController) -> None:
        state: Any = controller.state
        messages = state["messages"]
        for command in commands:
            if command["type"] == "add-message":
                parts = command["message"]["parts"]
                messages.append({"id": f"u{len(messages)}", "role": "user", "content": parts})
                question = parts[0]["text"]
            else:
                call = next(_calls(messages, command["toolCallId"]))
                call["result"] = command["result"]
                question = "the result"
        messages.append({"id": f"a{len(messages)}", "role": "assistant", "content": []})
        content = messages[-1]["content"]
        if question == WEATHER:
            await _grow(content, "Let me look.")
            content.append(_call("get_weather", {"city": "Oslo"}, f"w{len(messages)}"))
            await asyncio.sleep(0.02)
            content[-1]["result"] = {"sky": "rain"}
            await _grow(content, "It rains.")
        elif question == COLOR:
            content.append(_call(PICK_COLOR, {"of": "wall"}, f"p{len(messages)}"))
        else:
            await _grow(content, "Blue it is.")

    return run


def _calls(messages: Any, tool_call_id: str) -> Iterator[Any]:
    for message in messages:
        for part in message["content"]:
            if part["type"] == "tool-call" and part["toolCallId"] == tool_call_id:
                yield part


def _call(name: str, args: dict[str, str], call_id: str) -> dict[str, Any]:
    ids = {"toolCallId": call_id, "toolName": name}
    return {"type": "tool-call", **ids, "args": args}


async def _grow(content: Any, text: str) -> None:
    content.append({"type": "text", "text": ""})
    for letter in text:
        content[-1]["text"] += letter
        await asyncio.sleep(0.002)
