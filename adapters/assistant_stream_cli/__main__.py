"""`python -m assistant_stream_cli`, where the command itself is not on the path."""

from __future__ import annotations

import sys

from ._main import main

__all__ = ()

if __name__ == "__main__":
    sys.exit(main())
