"""State that a client mirrors: a live proxy, and the operations that carry its changes."""

from __future__ import annotations

from ._dict import StateDict
from ._list import StateList
from ._store import StateStore
from .operations import apply_operations, diff, lookup
from .proxy import StateProxy

__all__ = (
    "StateDict",
    "StateList",
    "StateProxy",
    "StateStore",
    "apply_operations",
    "diff",
    "lookup",
)
