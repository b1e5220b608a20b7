"""The command `assistant-stream-ce`: serve a graph, or look at the demo."""

# What needs LangChain is imported where it is used: `--help` and a wrong option answer at once.
# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TypeAlias

from assistant_stream_ce import AssistantStreamError, __version__

__all__ = ("main",)

_ServeApp: TypeAlias = Callable[..., Awaitable[None]]
"""`serve_app`, whose module needs an extra and is therefore not imported here."""

FAILED = 2
"""The exit code when there is nothing to serve; argparse has the same for a wrong option."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`, the process's own by default, and return its exit code."""
    options = _parser().parse_args(argv)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        # Outside of an event loop: a module may run one of its own while it is imported.
        found = _find(options)
        asyncio.run(_serve(options, found))
    except KeyboardInterrupt:
        return 0
    except AssistantStreamError as error:
        if options.debug:
            traceback.print_exception(error)
        print(f"assistant-stream-ce: {error}", file=sys.stderr)
        if error.__cause__ is not None and not options.debug:
            print("(--debug shows where it comes from)", file=sys.stderr)
        return FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="assistant-stream-ce", description="A chat backend and page for any LangGraph graph."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve a graph of yours, with a chat page")
    serve.add_argument(
        "target",
        metavar="GRAPH",
        help="the graph, or a function that makes it: `package.module:graph` or `agent.py:graph`",
    )
    _add_serving_options(serve)
    demo = commands.add_parser("demo", help="serve a scripted agent that needs no key")
    demo.add_argument(
        "--model",
        metavar="PROVIDER:NAME",
        help="a real model instead of the script, for example `openai:gpt-5-mini`",
    )
    _add_serving_options(demo)
    return parser


def _add_serving_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="the address (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8000, help="the port, 0 for any (default: %(default)s)"
    )
    parser.add_argument(
        "--checkpoint",
        metavar="WHERE",
        help="keep threads in `sqlite:///FILE`, or in `memory` "
        "(default: the graph's own checkpointer, else memory)",
    )
    parser.add_argument(
        "--cors-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin use the server; may be repeated",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="answer under this host name too, behind a proxy or tunnel; may be repeated",
    )
    parser.add_argument("--no-playground", action="store_true", help="serve no chat page")
    parser.add_argument(
        "--debug", action="store_true", help="show tracebacks here, and errors to the client"
    )


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 65535")
    return int(text)


def _find(options: argparse.Namespace) -> object:
    if options.command == "demo":
        from .demo import create_demo_graph

        return create_demo_graph(options.model)
    from ._loading import find_target

    return find_target(options.target)


async def _serve(options: argparse.Namespace, found: object) -> None:
    from ._checkpoints import open_checkpointer
    from ._loading import open_graph
    from .app import create_app

    name = options.target if options.command == "serve" else "the demo"
    serve_app = _import_server()
    async with AsyncExitStack() as stack:
        graph = await open_graph(found, name, stack)
        checkpointer = None
        if options.checkpoint is not None:
            checkpointer = await open_checkpointer(options.checkpoint, stack)
        app = create_app(
            graph,
            checkpointer=checkpointer,
            playground=not options.no_playground,
            cors_origins=options.cors_origin,
            debug=options.debug,
        )

        def announce(url: str) -> None:
            print(f"Serving {name} on {url} (Ctrl+C stops it)", flush=True)

        await serve_app(app, options.host, options.port, announce, allowed_hosts=options.allow_host)


def _import_server() -> _ServeApp:
    try:
        from ._serving import serve_app
    except ModuleNotFoundError as error:
        if error.name != "uvicorn":
            raise
        raise AssistantStreamError(
            'serving needs an extra: pip install "assistant-stream-ce[serve]".'
        ) from error
    return serve_app
