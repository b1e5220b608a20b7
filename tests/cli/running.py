"""Commands in a process of their own, in a folder with an agent in it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

REPOSITORY = Path(__file__).parents[2]

AGENT = """
    from langchain_core.messages import AIMessage
    from langgraph.graph import START, MessagesState, StateGraph

    def answer(state):
        return {"messages": [AIMessage(f"You said: {state['messages'][-1].text}", id=None)]}

    builder = StateGraph(MessagesState)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    graph = builder.compile()

    def factory():
        return graph

    async def async_factory(config):
        return graph

    class Opened:
        async def __aenter__(self):
            return graph
        async def __aexit__(self, *error):
            print("closed", flush=True)

    def opening():
        return Opened()

    def broken():
        raise ValueError("no database")

    def demanding(a, b):
        return graph

    number = 7
"""

PROGRAM = "import sys; from assistant_stream_cli import main; sys.exit(main())"


def command(*arguments: str) -> list[str]:
    # `-P`: like a console script, it does not put the current folder first on the path.
    return [sys.executable, "-P", "-c", PROGRAM, *arguments]


def environment(**variables: str) -> Mapping[str, str]:
    sources = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "adapters")])
    return {**os.environ, "PYTHONPATH": sources, **variables}


class Running:
    """A command that runs, and what it has said so far."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        home = {"XDG_STATE_HOME": str(folder / "state"), "BROWSER": "true"}
        self.process = subprocess.Popen(
            command(*arguments),
            cwd=folder,
            env=environment(**home, **variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # So that `kill` reaches what it has started.
        )
        self.out: list[str] = []
        self.error: list[str] = []
        self._said = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in [(self.process.stdout, self.out), (self.process.stderr, self.error)]
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, pipe: IO[str], lines: list[str]) -> None:
        for line in pipe:
            with self._said:
                lines.append(line)
                self._said.notify_all()

    def wait_for(self, pattern: str, count: int = 1, patience: float = 40) -> re.Match[str]:
        """Wait until `count` lines have the pattern in them; gives the last match."""
        with self._said:
            found: list[re.Match[str]] = []

            def is_there() -> bool:
                lines = [*self.out, *self.error]
                found[:] = [match for line in lines if (match := re.search(pattern, line))]
                return len(found) >= count

            assert self._said.wait_for(is_there, patience), (self.out, self.error)
            return found[-1]

    def wait_until_serving(self) -> str:
        """Wait for the server, and return its URL."""
        return self.wait_for(r"^Serving .* on (http://\S+)/ ")[1]

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end."""
        code = self.process.wait(timeout=20)
        for reader in self._readers:
            reader.join()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def kill(self) -> None:
        """End it and what it has started, whatever they do."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.wait()


@contextmanager
def started(folder: Path, *arguments: str, **variables: str) -> Generator[Running, None, None]:
    """Start a command, which has ended with the block at the latest."""
    run = Running(folder, *arguments, **variables)
    try:
        yield run
    finally:
        run.kill()


@contextmanager
def serving(folder: Path, *arguments: str) -> Generator[tuple[httpx.Client, Running], None, None]:
    """Run a command that serves, on a free port; gives a client of it.

    At the end it is stopped as with Ctrl+C, and must end well and without a word of complaint.
    """
    with started(folder, *arguments, "--port", "0") as run:
        url = run.wait_until_serving()
        with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
            yield client, run
        assert run.stop() == 0, run.error
        assert [line for line in run.error if not line.startswith("Threads are kept ")] == []


def ask(client: httpx.Client, text: str, thread_id: str = "t1") -> str:
    message = {"role": "user", "parts": [{"type": "text", "text": text}]}
    body = {"commands": [{"type": "add-message", "message": message}], "threadId": thread_id}
    response = client.post("/assistant", json=body)
    assert response.status_code == 200, response.text
    return response.text
