"""`serve` and `demo`: a graph behind `create_app`, until Ctrl+C."""

# What needs LangChain is imported late, so that what comes before is told before.
# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

from assistant_stream_ce import AssistantStreamError

from ._options import EXIT_OK
from ._terminal import say, waiting

__all__ = ("announce", "announce_graph", "check_extra", "run_serve", "serve_here")


def run_serve(options: argparse.Namespace) -> int:
    """Serve what the options name, and return the exit code.

    Raises:
        AssistantStreamError: There is nothing to serve, or no address to serve it on.
    """
    if options.reload:
        _run_reloading(options)
    else:
        serve_here(options, None, lambda url: announce_graph(options, url))
    return EXIT_OK


def serve_here(
    options: argparse.Namespace,
    listener: socket.socket | None,
    on_start: Callable[[str], None],
) -> None:
    """Serve in this process, on an address of the options, or on a socket that is bound already;
    `on_start` gets the URL.

    Raises:
        AssistantStreamError: There is nothing to serve, or no address to serve it on.
    """
    check_extra("uvicorn")
    name = _name(options)
    # Outside of an event loop: a module may run one of its own while it is imported.
    with waiting(f"Loading {name}"):
        found = _find(options)
    asyncio.run(_serve(options, name, found, listener, on_start))


def check_extra(module: str) -> None:
    """Make sure that what comes with the extra is there.

    Raises:
        AssistantStreamError: It is not.
    """
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise AssistantStreamError(
            'serving needs an extra: pip install "assistant-stream-ce[serve]".'
        ) from error


def _name(options: argparse.Namespace) -> str:
    return options.target or "the demo"


def _find(options: argparse.Namespace) -> object:
    if options.command == "demo":
        from assistant_stream_langgraph.demo import create_demo_graph

        return create_demo_graph(options.model)
    from ._loading import find_target

    return find_target(options.target)


async def _serve(
    options: argparse.Namespace,
    name: str,
    found: object,
    listener: socket.socket | None,
    on_start: Callable[[str], None],
) -> None:
    from assistant_stream_langgraph.app import create_app

    from ._checkpoints import choose_checkpointer
    from ._loading import open_graph
    from ._server import bind, serve_app

    # Before anything is opened: a port in use is the commonest mistake.
    listener = listener or bind(options.host, options.port)
    async with AsyncExitStack() as stack:
        stack.enter_context(listener)
        with waiting(f"Preparing {name}"):
            opened = await open_graph(found, name, stack)
        with waiting("Opening the threads"):
            kept = await choose_checkpointer(
                options.checkpoint, opened.graph, options.target, stack
            )
        app = create_app(
            opened.served,
            checkpointer=kept.checkpointer,
            playground=not options.no_playground,
            cors_origins=options.cors_origin,
            on_disconnect=options.on_disconnect,
            debug=options.debug,
            **_limits(options),
        )

        def announce_all(url: str) -> None:
            on_start(url)
            say(kept.told)

        await serve_app(app, listener, options.host, announce_all, allowed_hosts=options.allow_host)


def _limits(options: argparse.Namespace) -> dict[str, Any]:
    """The limits that were given; `create_app` has its own for the others."""
    limits: dict[str, Any] = {}
    if options.max_runs is not None:
        limits["max_runs"] = options.max_runs or None
    if options.max_run_time is not None:
        limits["max_run_time"] = options.max_run_time
    return limits


def announce_graph(options: argparse.Namespace, url: str) -> None:
    """Say where the graph is served, and open the page if that is asked for."""
    announce(_name(options), url, is_opened=options.open)


def announce(name: str, url: str, *, is_opened: bool) -> None:
    """Say where the server is, and open it if that is asked for."""
    print(f"Serving {name} on {url} (Ctrl+C stops it)", flush=True)
    if is_opened:
        _open_browser(url)


def _open_browser(url: str) -> None:
    """Open a page in the user's browser, without waiting for it; says when there is none."""
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        browser = None
    # A browser in the terminal would take it away from the server.
    if browser is None or type(browser) is webbrowser.GenericBrowser:
        say(f"There is no browser to open here: visit {url}")
        return
    # Some wait until the browser has started, or is closed.
    threading.Thread(target=browser.open, args=(url,), daemon=True).start()


def _run_reloading(options: argparse.Namespace) -> None:
    check_extra("uvicorn")
    check_extra("watchfiles")
    from ._reload import Child, run_reloader
    from ._server import bind

    with bind(options.host, options.port) as listener:
        run_reloader(Child(options), listener, options)
