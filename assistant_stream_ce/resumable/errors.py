"""What can go wrong with a resumable stream, and what its id looks like."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from assistant_stream_ce.errors import AssistantStreamError

__all__ = (
    "DEFAULT_TTL",
    "DEFAULT_TTL_MS",
    "ResumableStreamError",
    "ResumableStreamErrorCode",
    "validate_stream_id",
)

ResumableStreamErrorCode: TypeAlias = Literal[
    "cancelled",
    "deleted",
    "exists",
    "failed",
    "finalized",
    "invalid-cursor",
    "invalid-id",
    "lost",
    "missing",
    "too-large",
    "too-many",
    "unavailable",
]
"""Why, for programs:

- `missing`: there is no such stream, or it was evicted or has expired;
- `deleted`: somebody deleted it while it was being read;
- `finalized`: it has ended, so nothing can be appended;
- `exists`: reserved, as in upstream;
- `failed`: the source of its bytes raised;
- `cancelled`: it was cancelled by id, and its source could not end by itself;
- `lost`: bytes are gone, or the process that produced it has died;
- `too-large`, `too-many`: a limit of the store;
- `unavailable`: the store cannot be reached;
- `invalid-id`, `invalid-cursor`: the caller's argument.
"""

DEFAULT_TTL = 24 * 60 * 60.0
"""Seconds a stream is kept after it was last written to."""

DEFAULT_TTL_MS = 24 * 60 * 60 * 1000
"""The same in milliseconds, upstream's name and unit."""

_STREAM_ID = re.compile(r"[A-Za-z0-9_.:-]{1,256}")


class ResumableStreamError(AssistantStreamError, RuntimeError):
    """Raised when a resumable stream cannot be written or read any further.

    Args:
        code: Why, for programs.
        message: Why, for people.
        reported: Whether the stream's own bytes have told the client already.
    """

    def __init__(
        self, code: ResumableStreamErrorCode, message: str, *, reported: bool = False
    ) -> None:
        super().__init__(message)
        self.code: ResumableStreamErrorCode = code
        """Why, for programs."""
        self.reported = reported
        """Whether the stream's own bytes have told the client already."""


def validate_stream_id(stream_id: str) -> None:
    """Check that `stream_id` can be the id of a stream: 1 to 256 of `A-Z a-z 0-9 _ . : -`.

    Raises:
        ResumableStreamError: `invalid-id`.
    """
    if not _STREAM_ID.fullmatch(stream_id):
        raise ResumableStreamError(
            "invalid-id",
            f"A stream id is 1 to 256 of the characters A-Z a-z 0-9 _ . : -, not {stream_id!r:.80}",
        )
