"""The command line's grammar: commands, options, their help, and completion in a shell."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from assistant_stream_ce import __version__

__all__ = (
    "EXIT_OK",
    "EXIT_UNUSABLE",
    "create_parser",
    "offer_completion",
)

EXIT_OK = 0
EXIT_UNUSABLE = 2
"""Nothing to serve, play or inspect; argparse has the same for a wrong option."""
SHELLS = ("bash", "zsh", "fish")

_TOP_EPILOG = """\
commands in short:
  assistant-stream-ce demo --open
  assistant-stream-ce serve agent.py:graph --reload --open

exit codes:
  0    it went well, or a server was stopped with Ctrl+C
  2    a wrong option, or nothing there to serve

`COMMAND --help` has the options and examples of a command.
Completion in bash: eval "$(assistant-stream-ce --print-completion bash)"
"""

_SERVE_EPILOG = """\
examples:
  assistant-stream-ce serve agent.py:graph --open
  assistant-stream-ce serve my_bot.graphs:make_graph --reload --port 9000
  assistant-stream-ce serve agent.py:graph --checkpoint sqlite:///threads.db
  assistant-stream-ce serve agent.py:graph --checkpoint postgresql://user@db/threads --host 0.0.0.0

GRAPH is a compiled graph, a function that returns one (with a config or without, async or not),
or one that returns a context manager that gives one. Ctrl+C stops the server within seconds.
"""

_DEMO_EPILOG = """\
examples:
  assistant-stream-ce demo --open
  assistant-stream-ce demo --model openai:gpt-5-mini
"""


class _PrintCompletion(argparse.Action):
    """`--print-completion SHELL`: print the shell's script and end, as `--version` does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        try:
            from argcomplete.shell_integration import shellcode  # noqa: PLC0415 - an extra
        except ModuleNotFoundError:
            parser.error('completion needs an extra: pip install "assistant-stream-ce[serve]"')
        sys.stdout.write(shellcode([parser.prog], shell=str(values)))
        parser.exit()


def offer_completion(parser: argparse.ArgumentParser) -> None:
    """Answer a shell that asks what can follow; returns at once when none does."""
    try:
        import argcomplete  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        return
    argcomplete.autocomplete(parser)


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="assistant-stream-ce",
        description="A chat backend and page for any LangGraph graph, and tools to look at runs.",
        epilog=_TOP_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=SHELLS,
        metavar="SHELL",
        help=f"print the script that completes commands and options in {', '.join(SHELLS)}",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_serve(commands)
    _add_demo(commands)
    return parser


def _add_command(commands: Any, name: str, summary: str, epilog: str) -> argparse.ArgumentParser:
    # `Any`: the class of the subparsers is private to argparse.
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def _add_serve(commands: Any) -> None:
    parser = _add_command(
        commands, "serve", "serve a graph of yours, with a chat page", _SERVE_EPILOG
    )
    parser.add_argument(
        "target",
        metavar="GRAPH",
        help="the graph, or a function that makes it: `package.module:graph` or `agent.py:graph`",
    )
    _add_address(parser)
    _add_serving_options(parser)
    parser.add_argument(
        "--reload",
        action="store_true",
        help="start anew when a Python file beside the graph changes",
    )
    parser.add_argument(
        "--reload-dir",
        action="append",
        default=[],
        metavar="FOLDER",
        help="a further folder to watch, with --reload; may be repeated",
    )


def _add_demo(commands: Any) -> None:
    parser = _add_command(
        commands, "demo", "serve a scripted agent that needs no key", _DEMO_EPILOG
    )
    parser.add_argument(
        "--model",
        metavar="PROVIDER:NAME",
        help="a real model instead of the script, for example `openai:gpt-5-mini`",
    )
    _add_address(parser)
    _add_serving_options(parser)
    parser.set_defaults(reload=False, reload_dir=[], target=None)


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="the address (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8000, help="the port, 0 for any (default: %(default)s)"
    )


def _add_web_options(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def _add_serving_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint",
        metavar="WHERE",
        help="keep threads in `sqlite:///FILE`, in a `postgresql://` database (extra `postgres`), "
        "or in `memory` (default: the graph's own checkpointer, else an SQLite file that is named "
        "at the start)",
    )
    _add_web_options(parser)
    parser.add_argument(
        "--debug", action="store_true", help="show tracebacks here, and errors to the client"
    )


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 65535")
    return int(text)
