"""Older import paths: upstream's `assistant_stream`, and the layout of this package's 0.0.2.

One table says where the names of an older module live now. `install` puts modules of the older
names into `sys.modules`; they hold nothing and look a name up in its new home when it is asked
for, so every class is one object under all its names, and importing an older path costs nothing.

Upstream's paths are silent, because they are the point of the drop-in. The paths of 0.0.2 warn:
they are this package's own past.
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ("install", "older_name")

_PACKAGE = "assistant_stream_ce"

_MODELS = "assistant_stream_langchain._older_requests"

_HOMES: dict[str, str] = {
    "": "assistant_stream_ce",
    "assistant_stream_chunk": "assistant_stream_ce.chunks",
    "assistant_stream_models": _MODELS,
    "create_run": "assistant_stream_ce.create_run",
    "modules": "",
    "modules.langgraph": "assistant_stream_langgraph.compat",
    "modules.tool_call": "assistant_stream_ce.tool_call",
    "resumable": "assistant_stream_ce.resumable",
    "resumable.context": "assistant_stream_ce.resumable.context",
    "resumable.errors": "assistant_stream_ce.resumable.errors",
    "resumable.response": "assistant_stream_ce.resumable.response",
    "resumable.stores": "assistant_stream_ce.resumable",
    "resumable.stores.in_memory": "assistant_stream_ce.resumable.in_memory",
    "resumable.stores.redis": "assistant_stream_ce.resumable.redis",
    "resumable.types": "assistant_stream_ce.resumable.types",
    "serialization": "assistant_stream_ce.serialization",
    "serialization.assistant_stream_response": (
        "assistant_stream_ce.serialization.assistant_stream_response"
    ),
    "serialization.assistant_transport": "assistant_stream_ce.serialization.assistant_transport",
    "serialization.data_stream": "assistant_stream_ce.serialization.data_stream",
    "serialization.heartbeat": "assistant_stream_ce.serialization.heartbeat",
    "serialization.openai_stream": "assistant_stream_ce.serialization.openai_stream",
    "serialization.stream_encoder": "assistant_stream_ce.serialization.stream_encoder",
    "state": "assistant_stream_ce.state._older",
    "state_manager": "assistant_stream_ce.state._older",
    "state_proxy": "assistant_stream_ce.state",
}
"""Older module, without its root, and the module that has its names now; "" for one that only
held other modules."""

_MOVED_HERE = ("assistant_stream_chunk", "assistant_stream_models", "modules", "state_proxy")
"""What 0.0.2 had at another place than today, each with the modules below it."""

_REPLACED = {
    "AddMessageCommand": "AddMessageCommand",
    "AddToolResultCommand": "AddToolResultCommand",
    "ChatRequest": "AssistantTransportRequest",
    "MessagePart": "UserMessagePart",
    "UserMessage": "UserMessage",
}
"""The request models of 0.0.2, which had them at its top level too, and what in
`assistant_stream_ce.server` says the same. They are pydantic models, and that is what an endpoint
which declares one needs; so these alone are not the new classes under an older name."""

_DUNDERS = ("__all__", "__version__")
"""What the import system does not look for itself."""

_RENAMED = {
    "ObjectStreamAppendTextOperation": "AppendTextOperation",
    "ObjectStreamOperation": "StateOperation",
    "ObjectStreamSetOperation": "SetOperation",
    "DATA_STREAM_KEEPALIVE_LINE": "DATA_STREAM_HEARTBEAT",
    "SSE_HEARTBEAT_LINE": "SSE_HEARTBEAT",
    "add_keepalive": "add_heartbeat",
    "add_sse_heartbeat": "add_heartbeat",
    "generate_openai_style_id": "generate_completion_id",
    "generate_openai_style_tool_call_id": "generate_tool_call_id",
}
"""Names that have changed, wherever they stood."""


class _OlderModule(ModuleType):
    """A module of an older name; its attributes are those of its new home."""

    def __getattr__(self, name: str) -> object:
        root, _, path = self.__name__.partition(".")
        child = sys.modules.get(f"{self.__name__}.{name}")
        # At the top level `create_run` is the function, as upstream has it.
        if child is not None and name != "create_run":
            return child
        home = _HOMES[path]
        if not home or (name.startswith("__") and name not in _DUNDERS):
            raise AttributeError(f"module `{self.__name__}` has no attribute `{name}`")
        return _resolve(self.__name__, home, name, warn=root == _PACKAGE)

    def __dir__(self) -> list[str]:
        home = _HOMES[self.__name__.partition(".")[2]]
        return dir(import_module(home)) if home else []


def older_name(name: str) -> object:
    """Return what 0.0.2 had at the top level of the package under `name`.

    Raises:
        AttributeError: It had no such thing.
    """
    if name not in _REPLACED:
        raise AttributeError(f"module `{_PACKAGE}` has no attribute `{name}`")
    return _resolve(_PACKAGE, _MODELS, name, warn=True, stacklevel=4)


def install(root: str) -> None:
    """Make the older module names below `root` importable.

    With `assistant_stream_ce` these are the paths of 0.0.2 that have moved; with upstream's name,
    all of upstream's, and the module `root` itself becomes one of them.
    """
    if root != _PACKAGE:
        module = sys.modules[root]
        module.__class__ = _OlderModule
        module.__path__ = []
    for path in _HOMES:
        if path and (root != _PACKAGE or path.partition(".")[0] in _MOVED_HERE):
            _add_module(f"{root}.{path}")


def _add_module(name: str) -> None:
    module = _OlderModule(name, f"An older name; see `{_HOMES[name.partition('.')[2]]}`.")
    is_package = any(path.startswith(f"{name.partition('.')[2]}.") for path in _HOMES)
    module.__spec__ = ModuleSpec(name, None, is_package=is_package)
    if is_package:
        module.__path__ = []
    sys.modules[name] = module


def _resolve(older: str, home: str, name: str, *, warn: bool, stacklevel: int = 3) -> object:
    new_name = _RENAMED.get(name, name)
    try:
        value: object = getattr(import_module(home), new_name)
    except AttributeError:
        raise AttributeError(f"module `{older}` has no attribute `{name}`") from None
    if warn and name != "__all__":
        new = f"`{home}.{new_name}`"
        if home == _MODELS:
            new = (
                f"`assistant_stream_ce.server.{_REPLACED[name]}`, with other field names; "
                "`assistant_stream_ce.server.parse_transport_request` parses a request"
            )
        message = f"`{older}.{name}` is now {new}."
        warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)
    return value
