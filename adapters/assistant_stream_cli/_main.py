"""From a command line to an exit code."""

# What needs LangChain, rich or a server is imported where it is used: `--help`, completion and a
# wrong option answer at once.
# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import traceback
from collections.abc import Callable, Sequence

from assistant_stream_ce import AssistantStreamError

from ._options import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNUSABLE, create_parser, offer_completion
from ._terminal import say

__all__ = ("main", "run_child")

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`, the process's own by default, and return its exit code.

    Raises:
        SystemExit: The command line asks for help, or is wrong.
    """
    parser = create_parser()
    offer_completion(parser)
    options = parser.parse_args(argv)
    logging.basicConfig(format=LOG_FORMAT)
    try:
        return _run(options)
    except KeyboardInterrupt:
        # A server is meant to be stopped; whoever stops another command learns that it was.
        return EXIT_OK if _is_server(options) else EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Python would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except (AssistantStreamError, OSError) as error:
        _complain(error, debug=options.debug)
        return EXIT_UNUSABLE


def run_child(
    options: argparse.Namespace, listener: socket.socket, announce: Callable[[str], None]
) -> int:
    """Serve in a process that `serve --reload` has started, and return its exit code."""
    from ._serve import serve_here

    logging.basicConfig(format=LOG_FORMAT)
    try:
        serve_here(options, listener, announce)
    except KeyboardInterrupt:
        return EXIT_OK
    except (AssistantStreamError, OSError) as error:
        _complain(error, debug=options.debug)
        say("Waiting for a change")
        return EXIT_UNUSABLE
    return EXIT_OK


def _is_server(options: argparse.Namespace) -> bool:
    return options.command in {"serve", "demo"} or getattr(options, "serve", False)


def _run(options: argparse.Namespace) -> int:
    if options.command == "replay":
        from ._replay import run_replay

        return run_replay(options)
    if options.command == "inspect":
        from ._inspect import run_inspect

        return run_inspect(options)
    from ._serve import run_serve

    return run_serve(options)


def _complain(error: BaseException, *, debug: bool) -> None:
    if debug:
        traceback.print_exception(error)
    print(f"assistant-stream-ce: {error}", file=sys.stderr)
    if error.__cause__ is not None and not debug:
        print("(--debug shows where it comes from)", file=sys.stderr)
