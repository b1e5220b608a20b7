"""The endpoints around a thread: its list, its history, its run."""

# LangGraph ships generics that pyright cannot fill in from here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import re
from typing import Any, cast

from langgraph.types import StateSnapshot
from starlette.requests import Request
from starlette.responses import Response

from assistant_stream_ce import RequestError
from assistant_stream_ce.server import check_thread_id
from assistant_stream_ce.typing import JSONValue
from assistant_stream_langchain.history import (
    to_ag_ui_messages,
    to_thread_messages,
    to_ui_messages,
)

from ._access import ThreadCall, client_thread_id
from ._backend import Backend, assistant_wire
from ._errors import json_response
from ._graph_source import Checkpointer
from ._history import thread_history, with_approvals
from ._questions import Questions, open_questions
from ._screen import create_screen
from ._thread_list import MAX_LIMIT, delete_thread, list_threads
from .threads import Graph, thread_exists, thread_messages

__all__ = ("ThreadEndpoints",)

FORMATS = {
    "thread": to_thread_messages,
    "ui": to_ui_messages,
    "ag-ui": to_ag_ui_messages,
}
"""The forms of a thread's messages, by the client that loads them."""


_CHECKPOINT_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class ThreadEndpoints:
    """What clients can do with threads besides running them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def list(self, request: Request) -> Response:
        """Answer `GET /threads`: those of the client's own."""
        limit, before = _limit(request), _before(request)
        call = await self._backend.admit(ThreadCall(request, ""))
        graph, _ = await self._backend.open_thread(call)

        def is_own(stored: str) -> bool:
            return client_thread_id(call.owner, stored) is not None

        page = await list_threads(
            _checkpointer(graph),
            limit=limit,
            before=before,
            is_running=lambda stored: self._backend.runs.active(stored) is not None,
            is_visible=is_own,
            screen=create_screen(graph),
        )
        threads: list[JSONValue] = [
            {
                "id": client_thread_id(call.owner, thread.id),
                "title": thread.title,
                "updatedAt": thread.updated_at,
                "status": thread.status,
            }
            for thread in page.threads
        ]
        return json_response({"threads": threads, "next": page.next})

    async def state(self, request: Request) -> Response:
        """Answer `GET /threads/{thread_id}/state`."""
        call, snapshot, questions = await self._thread(request)
        state, run_id = self._backend.state, self._run_id(call)
        history = await thread_history(call.thread_id, snapshot, questions, state, run_id)
        return json_response(history)

    async def messages(self, request: Request) -> Response:
        """Answer `GET /threads/{thread_id}/messages`."""
        name = request.query_params.get("format", "thread")
        convert = FORMATS.get(name)
        if convert is None:
            raise RequestError(f"Unknown format {name!r}; known are {', '.join(FORMATS)}.")
        call, snapshot, questions = await self._thread(request)
        messages: list[Any] = [*convert(thread_messages(snapshot))]
        if name == "ui":
            messages = with_approvals(messages, questions)
        return json_response(
            {
                "threadId": call.thread_id,
                "runId": self._run_id(call),
                "messages": messages,
                "interrupts": questions.to_json(),
            }
        )

    async def delete(self, request: Request) -> Response:
        """Answer `DELETE /threads/{thread_id}`."""
        call = await self._backend.admit(_call(request))
        graph, _ = await self._backend.open_thread(call)
        release = await self._backend.runs.hold(call.stored_thread_id)
        try:
            if not await delete_thread(_checkpointer(graph), call.stored_thread_id):
                raise _missing(call.thread_id)
        finally:
            release()
        return Response(status_code=204)

    async def cancel(self, request: Request) -> Response:
        """Answer `POST /threads/{thread_id}/cancel`, when the run has ended; 503 when it does not
        end within some seconds."""
        call = await self._backend.admit(_call(request))
        cancelled = await self._backend.runs.cancel(call.stored_thread_id)
        return json_response({"cancelled": cancelled})

    async def resume_state(self, request: Request) -> Response:
        """Answer `POST /resume-state`: what the run's operations are relative to."""
        name, _ = assistant_wire(request)
        call, _ = await self._resuming(request)
        call = await self._backend.admit(call)
        run = self._backend.runs.active(call.stored_thread_id)
        if run is None or run.wire.name != name:
            return Response(status_code=204)
        return json_response({"runId": run.id, "state": dict(run.wire.shown or {})})

    async def resume(self, request: Request) -> Response:
        """Answer `POST /resume`: the run from its start, then as it goes on."""
        name, _ = assistant_wire(request)
        call, run_id = await self._resuming(request)
        if run_id is None:
            raise RequestError("`body.runId` is missing: ask `/resume-state` for it.")
        response = await self._backend.resume(call, name, run_id)
        if response is None:
            raise RequestError("This run cannot be read any more.", status_code=404)
        return response

    def _run_id(self, call: ThreadCall) -> str | None:
        run = self._backend.runs.active(call.stored_thread_id)
        return None if run is None else run.id

    async def _thread(self, request: Request) -> tuple[ThreadCall, StateSnapshot, Questions]:
        call = await self._backend.admit(_call(request))
        graph, config = await self._backend.open_thread(call)
        snapshot = await graph.aget_state(config)
        if not thread_exists(snapshot):
            raise _missing(call.thread_id)
        questions, screen = await open_questions(graph, config, snapshot), create_screen(graph)
        return call, await screen.snapshot(snapshot), await screen.questions(questions)

    async def _resuming(self, request: Request) -> tuple[ThreadCall, str | None]:
        body = await self._backend.read_body(request)
        fields = body if isinstance(body, dict) else {}
        thread_id, run_id = fields.get("threadId"), fields.get("runId")
        if not isinstance(thread_id, str):
            raise RequestError("`body.threadId` must be a text.")
        if not (run_id is None or isinstance(run_id, str)):
            raise RequestError("`body.runId` must be a text.")
        return ThreadCall(request, check_thread_id(thread_id, "body.threadId")), run_id


def _call(request: Request) -> ThreadCall:
    return ThreadCall(request, check_thread_id(request.path_params["thread_id"]))


def _checkpointer(graph: Graph) -> Checkpointer:
    return cast("Checkpointer", graph.checkpointer)


def _missing(thread_id: str) -> RequestError:
    return RequestError(f"There is no thread {thread_id!r}.", status_code=404)


def _before(request: Request) -> str | None:
    before = request.query_params.get("before")
    if before is not None and not _CHECKPOINT_ID.fullmatch(before):
        raise RequestError("`before` must be the `next` of the page before.")
    return before


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "20")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= MAX_LIMIT):
        raise RequestError(f"`limit` must be a number from 1 to {MAX_LIMIT}.")
    return int(text)
