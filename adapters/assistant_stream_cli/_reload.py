"""`serve --reload`: a process that watches, and one that serves and is replaced.

The socket belongs to the first, so that a request that comes in between waits, and is answered.
"""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from pathlib import Path

import uvicorn
from uvicorn._subprocess import get_subprocess
from uvicorn.supervisors.basereload import HANDLED_SIGNALS
from uvicorn.supervisors.watchfilesreload import WatchFilesReload

from assistant_stream_ce import AssistantStreamError

from ._target import folder_of
from ._terminal import say

__all__ = ("Child", "run_reloader")

BACKLOG = 2048
"""Connections that may wait; uvicorn's own number."""


class Child:
    """What the serving process runs; it is pickled on its way there.

    Args:
        options: The command line, as it was parsed.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.is_first = True

    def __call__(self, sockets: list[socket.socket] | None) -> None:
        """Serve until the watching process says otherwise."""
        from ._main import run_child  # noqa: PLC0415 - the other process

        assert sockets
        sys.exit(run_child(self.options, sockets[0], self._announce))

    def _announce(self, url: str) -> None:
        from ._serve import announce_graph  # noqa: PLC0415 - the other process

        if self.is_first:
            announce_graph(self.options, url)
        else:
            say(f"Serving again on {url}")


def run_reloader(child: Child, listener: socket.socket, options: argparse.Namespace) -> None:
    """Serve with `child`, and with a new one after each change, until a signal comes.

    Raises:
        AssistantStreamError: A folder to watch does not exist.
    """
    folders = [Path(folder) for folder in options.reload_dir]
    for folder in folders:
        if not folder.is_dir():
            raise AssistantStreamError(f"there is no folder {folder} to watch.")
    folders.insert(0, folder_of(options.target))
    # A string, as uvicorn demands for its own use; the target is what is run.
    config = uvicorn.Config(
        "assistant_stream_cli:main",
        reload=True,
        reload_dirs=[str(folder) for folder in folders],
        log_level="error",
    )
    say(f"Watching {', '.join(map(str, folders))}")
    # Requests wait while nothing serves, and are answered by what serves next.
    listener.listen(BACKLOG)
    _Reloader(config, child, listener).run()


class _Reloader(WatchFilesReload):
    """Says in our words what it does, and knows the first start from the others."""

    def __init__(self, config: uvicorn.Config, child: Child, listener: socket.socket) -> None:
        super().__init__(config, child, [listener])
        self._child = child

    def startup(self) -> None:
        for number in HANDLED_SIGNALS:
            signal.signal(number, self.signal_handler)
        self._start()

    def restart(self) -> None:
        self._child.is_first = False
        say("Something has changed: starting anew")
        if sys.platform == "win32":
            super().restart()
            return
        self.process.terminate()
        self.process.join()
        self._start()

    def _start(self) -> None:
        # Ctrl+C reaches both processes. One that begins here leaves it to this one, which ends it
        # in good order, until it has begun to serve; a disposition to ignore is inherited.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.process = get_subprocess(self.config, self.target, self.sockets)
            self.process.start()
        finally:
            signal.signal(signal.SIGINT, before)
