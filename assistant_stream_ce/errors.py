"""The exceptions of this package.

All of them are an `AssistantStreamError`:

- `StateOperationError`: a state operation that the client would refuse;
- `NotJSONError`: a value that has no JSON form;
- `RunCancelledError`: the callback of a run was cancelled from within;
- `RequestError`: a request body that cannot be used;
- `StreamDecodeError`: bytes of a stream that a client would fail at;
- `RunResponseError`: a server that does not answer with a run;
- `RecordingError`: a recording that cannot be played.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath

__all__ = (
    "ENDS_THE_PROGRAM",
    "AssistantStreamError",
    "NotJSONError",
    "RecordingError",
    "RequestError",
    "RunCancelledError",
    "RunResponseError",
    "StateOperationError",
    "StreamDecodeError",
)


ENDS_THE_PROGRAM = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""What is never turned into an error of a stream: it ends more than that."""


class AssistantStreamError(Exception):
    """The root of every exception that this package raises on purpose."""


class StateOperationError(AssistantStreamError):
    """Raised when a state operation would be refused by the TypeScript client in strict mode."""

    def __init__(self, message: str, path: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.path = tuple(str(segment) for segment in path)
        """Where in the state, from the root down."""


class NotJSONError(AssistantStreamError, TypeError):
    """Raised when a value that must go over the wire has no JSON form."""


class RunCancelledError(AssistantStreamError):
    """Raised to the consumer of a run whose callback was cancelled by something other than the
    consumer, for example a cancel scope inside the callback."""


class RequestError(AssistantStreamError, ValueError):
    """Raised when a client's request cannot be used; the message is safe to show to the client."""

    def __init__(self, message: str, *, status_code: int = 400) -> None:
        super().__init__(message)
        self.status_code = status_code
        """The HTTP status that says the same, 4xx."""


class StreamDecodeError(AssistantStreamError, ValueError):
    """Raised when a stream cannot be decoded: the TypeScript client would fail at it, or a frame is
    longer than it may be."""


class RunResponseError(AssistantStreamError):
    """Raised when a server that was asked for a run answers with something else."""

    def __init__(self, message: str, status_code: int, body: str = "") -> None:
        super().__init__(message)
        self.status_code = status_code
        """The HTTP status."""
        self.body = body
        """The beginning of the body, when the server has refused."""


class RecordingError(AssistantStreamError, ValueError):
    """Raised when a file cannot be played as a recording."""

    def __init__(self, reason: str, path: str | PathLike[str], line: int) -> None:
        super().__init__(f"Cannot play `{fspath(path)}`: line {line} is damaged, {reason}")
        self.path = fspath(path)
        """The file."""
        self.line = line
        """The line at fault, from 1."""
