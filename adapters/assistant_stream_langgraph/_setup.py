"""What the app and the single endpoints are set up with."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict, Unpack

from langchain_core.runnables import RunnableConfig

from assistant_stream_ce.resumable import ResumableStreamStore
from assistant_stream_ce.server import DEFAULT_LIMITS, MAX_BODY_BYTES, RequestLimits

from ._access import AuthorizeHook, ConfigHook, ContextHook
from ._backend import Backend
from ._graph_source import Checkpointer, GraphFactory, create_graph_source
from ._runs import OnDisconnect, RunRegistry
from .threads import Graph, ThreadGate

__all__ = ("BackendOptions", "create_backend")

BUSY_PATIENCE = 2.0
"""Seconds. A client that stops a run and asks again does so within a moment."""

MAX_RUNS = 1_000
"""Runs at a time in one process."""

MAX_RUN_TIME = 1_800.0
"""Seconds. A run that waits for a person has ended."""

BODY_TIMEOUT = 30.0
"""Seconds a client has to send its body."""


class BackendOptions(TypedDict, total=False):
    """The options of `create_app` that are about requests and runs; see there."""

    checkpointer: Checkpointer | None
    authorize: AuthorizeHook | None
    config: RunnableConfig | ConfigHook | None
    context: ContextHook | None
    state: bool | Collection[str]
    max_body_bytes: int
    body_timeout: float
    limits: RequestLimits
    max_runs: int | None
    max_run_time: float | None
    busy_patience: float
    on_disconnect: OnDisconnect
    store: ResumableStreamStore | None
    debug: bool


def create_backend(graph: Graph | GraphFactory, **options: Unpack[BackendOptions]) -> Backend:
    """Return the backend that endpoints share.

    Raises:
        GraphError: `graph` is not a compiled graph, or has no `messages` channel.
    """
    source = create_graph_source(graph, options.get("checkpointer"))
    runs = RunRegistry(
        ThreadGate(options.get("busy_patience", BUSY_PATIENCE), source.keeper),
        options.get("store"),
        on_disconnect=options.get("on_disconnect", "continue"),
        max_runs=options.get("max_runs", MAX_RUNS),
        max_run_time=options.get("max_run_time", MAX_RUN_TIME),
    )
    return Backend(
        graph=source,
        runs=runs,
        authorize=options.get("authorize"),
        config=options.get("config"),
        context=options.get("context"),
        state=_client_keys(options.get("state", True)),
        max_body_bytes=options.get("max_body_bytes", MAX_BODY_BYTES),
        body_timeout=options.get("body_timeout", BODY_TIMEOUT),
        limits=options.get("limits", DEFAULT_LIMITS),
        debug=options.get("debug", False),
    )


def _client_keys(state: bool | Collection[str]) -> bool | Collection[str]:
    if state is True:
        return True
    return {"messages", *(state or ())}
