"""Which tool call a fragment belongs to.

Providers disagree about ids and indexes: Bedrock and Ollama give parallel calls one index,
OpenAI-compatible servers leave the index out, most send the id on the first fragment only, and
Mistral's client gives each fragment of a call a fresh id. So a fragment is matched by its id,
then by its index, then to the call that is open; a name is what makes a new call.
"""

from __future__ import annotations

from pydantic_core import from_json

from ._server_tools import CallFragment

__all__ = ("CallBook", "CallState", "real_id")

_PLACEHOLDER_IDS = frozenset({"", "null", "none", "undefined"})


class CallState:
    """One tool call of a message and how much of it has been told."""

    __slots__ = (
        "answered",
        "args",
        "begun",
        "closed",
        "name",
        "namesake",
        "namespace",
        "on_server",
        "parent_id",
        "provider_id",
        "wire_id",
    )

    def __init__(self, name: str, *, on_server: bool = False) -> None:
        self.provider_id: str | None = None
        self.wire_id = ""
        self.parent_id: str | None = None
        self.namespace: tuple[str, ...] = ()
        """Where it was made, as the message that made it."""
        self.namesake: CallState | None = None
        """The call before it with the same id: some providers number the calls of each answer."""
        self.name = name
        self.on_server = on_server
        self.args: list[str] = []
        self.begun = self.closed = self.answered = False

    def is_near(self, namespace: tuple[str, ...], parent_id: str | None) -> tuple[bool, bool, int]:
        """How near to a place it was made; of calls with one id, the nearest is meant."""
        shared = 0
        for mine, other in zip(self.namespace, namespace, strict=False):
            if mine != other:
                break
            shared += 1
        return self.parent_id == parent_id, self.namespace == namespace, shared

    def args_are_complete(self) -> bool:
        """Whether the argument text so far is a whole JSON value. Arguments are an object, so the
        text is read only where one may end: it is asked at every delta of some providers."""
        if not self.args or not self.args[-1].rstrip().endswith("}"):
            return False
        try:
            from_json("".join(self.args))
        except ValueError:
            return False
        return True


class CallBook:
    """The tool calls of one message, found by fragment."""

    __slots__ = ("_by_id", "_by_index", "_last", "calls")

    def __init__(self) -> None:
        self.calls: list[CallState] = []
        self._by_id: dict[str, CallState] = {}
        self._by_index: dict[int | str, CallState] = {}
        self._last: CallState | None = None

    def find(self, fragment: CallFragment) -> CallState | None:
        """Return the call that `fragment` is part of, a new one if it opens one.

        `None` means that the fragment belongs to no call at all.
        """
        call_id = real_id(fragment.id)
        call = self._by_id.get(call_id) if call_id else None
        if call is None:
            call = self._open_call(fragment, call_id)
        if call is None:
            if not fragment.name and not call_id:
                return None
            call = self._add(fragment)
        if call_id:
            self._by_id[call_id] = call
            call.provider_id = call.provider_id or call_id
        if fragment.index is not None:
            self._by_index[fragment.index] = call
        call.name = call.name or fragment.name or ""
        self._last = call
        return call

    def next_of(self, index: int | str | None) -> CallState | None:
        """Return the call that a fragment goes on with which has nothing but this index."""
        call = self._by_index.get(index) if index is not None else None
        if call is not None:
            self._last = call
        return call

    def find_whole(self, fragment: CallFragment, position: int) -> CallState | None:
        """Return the call of a complete message, which may have been streamed under another id."""
        call_id = real_id(fragment.id)
        if call_id and call_id in self._by_id:
            return self._by_id[call_id]
        if position < len(self.calls):
            call = self.calls[position]
            if call.name == (fragment.name or "") and (not call_id or call.provider_id is None):
                if call_id:
                    self._by_id[call_id] = call
                    call.provider_id = call_id
                return call
        if not fragment.name:
            return None
        call = self._add(fragment)
        if call_id:
            self._by_id[call_id] = call
            call.provider_id = call_id
        return call

    def find_result(self, call_id: str | None, index: int | str | None) -> CallState | None:
        """Return the call on the provider's side that a result answers."""
        if call_id and call_id in self._by_id:
            return self._by_id[call_id]
        if index is not None:
            return self._by_index.get(index)
        waiting = (c for c in reversed(self.calls) if c.on_server and not c.answered)
        return next(waiting, None)

    def _open_call(self, fragment: CallFragment, call_id: str | None) -> CallState | None:
        """The call begun before that a fragment without a known id goes on with."""
        if fragment.index is None:
            call = self._last
        else:
            call = self._by_index.get(fragment.index)
            if call is None and not fragment.name and not call_id:
                call = self._last
        if call is None or not fragment.name:
            return call
        # The fragment has a name. That opens a new call, unless the name came after the id, or
        # the provider repeats the name without an id while the arguments are still growing.
        if not call.name:
            return call
        repeats = call_id is None and fragment.index is not None and call.name == fragment.name
        return call if repeats and not call.args_are_complete() else None

    def _add(self, fragment: CallFragment) -> CallState:
        call = CallState(fragment.name or "", on_server=fragment.on_server)
        self.calls.append(call)
        return call


def real_id(call_id: str | None) -> str | None:
    """Return the id, or `None` for what providers write when they have none."""
    if call_id is None or call_id.lower() in _PLACEHOLDER_IDS:
        return None
    return call_id
