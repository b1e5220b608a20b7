"""The command line's grammar: commands, options, their help, and completion in a shell."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from assistant_stream_ce import __version__

__all__ = (
    "EXIT_INTERRUPTED",
    "EXIT_OK",
    "EXIT_PROBLEMS",
    "EXIT_UNREACHABLE",
    "EXIT_UNUSABLE",
    "PROTOCOLS",
    "create_parser",
    "offer_completion",
)

EXIT_OK = 0
EXIT_PROBLEMS = 1
"""A stream was read, and it failed, was cut off or broke a rule."""
EXIT_UNUSABLE = 2
"""Nothing to serve, play or inspect; argparse has the same for a wrong option."""
EXIT_UNREACHABLE = 3
"""No server answered, or it refused."""
EXIT_INTERRUPTED = 130
"""Ctrl+C, as shells have it."""

PROTOCOLS = ("assistant-transport", "data-stream", "ui-message-stream", "ag-ui", "openai")
"""The wires that can be asked for."""

SHELLS = ("bash", "zsh", "fish")

_TOP_EPILOG = """\
commands in short:
  assistant-stream-ce demo --open
  assistant-stream-ce serve agent.py:graph --reload --open
  assistant-stream-ce inspect http://localhost:8000 --message "Hello"
  assistant-stream-ce replay run.jsonl

exit codes:
  0    it went well, or a server was stopped with Ctrl+C
  1    `inspect`, `replay`: the stream failed, was cut off or broke a rule
  2    a wrong option, or nothing there to serve, play or inspect
  3    `inspect`: no server answered, or it refused
  130  stopped with Ctrl+C

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

_REPLAY_EPILOG = """\
examples:
  assistant-stream-ce replay run.jsonl
  assistant-stream-ce replay run.jsonl --speed 4
  assistant-stream-ce replay captured.txt --instant
  assistant-stream-ce replay run.jsonl --serve --port 8000

FILE is a recording (`assistant_stream_ce.record`), or the bytes of an answer as `curl` saves them:
a data stream, assistant transport, UI message stream, AG-UI or OpenAI stream. A `-` reads them
from standard input. Bytes have no times, so they are played at once. With --serve every request
is answered with the recording: `POST /assistant`, with `?protocol=` and the name of a wire.

exit codes: 0 it was played; 1 the stream failed, was cut off or broke a rule;
2 there is no such recording; 130 stopped with Ctrl+C.
"""

_INSPECT_EPILOG = """\
examples:
  assistant-stream-ce inspect http://localhost:8000 --message "Hello"
  assistant-stream-ce inspect http://localhost:8000/chat --message "Hello" --protocol data-stream
  assistant-stream-ce inspect https://api.example/v1/chat/completions --protocol openai \\
      --message "Hello" --header "Authorization: Bearer $KEY"
  assistant-stream-ce inspect http://localhost:3000/api/chat --body request.json
  assistant-stream-ce inspect http://localhost:8000/streams/42

With --message or --body the URL is asked with POST, otherwise with GET. --protocol says how a
message is asked; by default the URL's path tells (`/assistant`, `/chat`, `/agui`,
`/v1/chat/completions`), and a URL without a path is that of a server of this package. Which wire
comes back is seen from the answer.

exit codes: 0 the stream is whole and well formed; 1 it failed, was cut off or broke a rule;
2 a wrong option; 3 no server answered, or it refused; 130 stopped with Ctrl+C.
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
    _add_replay(commands)
    _add_inspect(commands)
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


def _add_replay(commands: Any) -> None:
    parser = _add_command(commands, "replay", "play a recorded run", _REPLAY_EPILOG)
    parser.add_argument("file", metavar="FILE", help="the recording, or captured bytes")
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="FACTOR",
        help="how many times as fast as it was recorded (default: 1)",
    )
    speed.add_argument(
        "--instant", dest="speed", action="store_const", const=0.0, help="without any waiting"
    )
    parser.add_argument(
        "--frames", action="store_true", help="show the chunks one by one, not the message"
    )
    parser.add_argument(
        "--serve", action="store_true", help="answer requests with it, and serve the chat page"
    )
    _add_address(parser)
    _add_web_options(parser)
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def _add_inspect(commands: Any) -> None:
    parser = _add_command(commands, "inspect", "look at a stream, frame by frame", _INSPECT_EPILOG)
    parser.add_argument("url", metavar="URL", help="where the stream is")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--message", metavar="TEXT", help="ask this")
    asked.add_argument("--body", metavar="FILE", help="post this file, `-` for standard input")
    parser.add_argument(
        "--protocol", choices=PROTOCOLS, metavar="NAME", help=f"one of: {', '.join(PROTOCOLS)}"
    )
    parser.add_argument("--thread", metavar="ID", help="the thread that the message belongs to")
    parser.add_argument("--model", default="default", metavar="NAME", help="for `openai`")
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        type=_header,
        metavar="'NAME: VALUE'",
        help="a request header; may be repeated",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for an answer, and between two pieces of it (default: 60)",
    )
    parser.add_argument("--save", metavar="FILE", help="save the bytes, for `replay`")
    parser.add_argument("--full", action="store_true", help="do not shorten what frames carry")
    parser.add_argument("--quiet", action="store_true", help="no frames, the result alone")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


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
    parser.add_argument(
        "--on-disconnect",
        choices=("continue", "cancel"),
        default="continue",
        help="what becomes of a run when its client goes away (default: %(default)s)",
    )
    parser.add_argument(
        "--max-runs", type=_count, metavar="N", help="the most runs at a time (0: no limit)"
    )
    parser.add_argument(
        "--max-run-time",
        type=_seconds,
        metavar="SECONDS",
        help="after which a run is stopped",
    )
    _add_web_options(parser)
    parser.add_argument(
        "--debug", action="store_true", help="show tracebacks here, and errors to the client"
    )


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 up")
    return int(text)


def _speed(text: str) -> float:
    return _positive(text, "a factor above 0")


def _seconds(text: str) -> float:
    return _positive(text, "a number of seconds above 0")


def _positive(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return number


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not (colon and name.strip().isascii() and name.strip().isprintable() and name.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form `Name: value`")
    return name.strip(), value.strip()
