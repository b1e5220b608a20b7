"""The one ordered, thread-safe queue of a run.

The callback and its threads put chunks in; the run's generator takes them out. Three things keep
it cheap: the reader is woken once per burst (a loop call across threads only when the writer is on
another thread), state operations that nobody has read yet share one chunk, and neighbouring deltas
melt together once the reader lags, so that a reader that stops costs memory by the size of the
text and not by the number of its pieces.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Callable
from threading import RLock, get_ident
from weakref import WeakKeyDictionary

from ._melting import PIECE_COST, DeltaChunk, MeltingDelta, MeltingText, delta_chunk
from .chunks import AssistantStreamChunk, StateOperation, UpdateStateChunk
from .typing import ChunkStream

__all__ = ("Channel", "ready_source", "register_channel", "take_ready")

MERGE_AFTER = 128
"""Waiting chunks or state operations from which on neighbouring deltas are merged."""

DRAIN_LEVEL = 32
"""Waiting chunks or state operations that `drain()` lets stand."""


class Channel:
    """A queue of chunks with one reader, any number of writers, and an end."""

    def __init__(self) -> None:
        self.lock = RLock()
        """Held while a chunk is put. Whoever must put several chunks in a row, or change state and
        put the operation, holds it meanwhile."""
        self.on_taken: Callable[[AssistantStreamChunk], None] | None = None
        """Called, if set, with every chunk as the reader takes it; the lock is held."""
        self._items: deque[AssistantStreamChunk] = deque()
        self._batch: UpdateStateChunk | None = None
        self._tail: MeltingDelta | None = None
        """What the last item grows into, while the reader lags."""
        self._text: MeltingText | None = None
        """The same for the last operation of the open batch."""
        self._waiter: asyncio.Future[None] | None = None
        self._drain_waiters: list[asyncio.Future[None]] = []
        self._closed = False
        self._abandoned = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0

    @property
    def closed(self) -> bool:
        """Whether nothing more can be put in; what is in can still be taken out."""
        return self._closed

    def bind(self) -> None:
        """Tie the reading side to the running loop; before the first chunk."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = get_ident()

    def put(self, chunk: AssistantStreamChunk) -> bool:
        """Add `chunk` at the end; `False` when the channel has ended and it was discarded."""
        with self.lock:
            if self._tail is not None and self._tail.add(chunk):
                return True
            return self._put(chunk)

    def put_delta(self, kind: type[DeltaChunk], delta: str, key: str | None) -> bool:
        """Add a delta, as `put` does; makes no chunk where it can merge. `key` is the id of the
        parent, or of the tool call."""
        with self.lock:
            return self.put_delta_in_loop(kind, delta, key)

    def put_delta_in_loop(self, kind: type[DeltaChunk], delta: str, key: str | None) -> bool:
        """The same without the lock, which would be half the cost: for a channel to which nobody
        writes from outside the loop's own thread."""
        tail = self._tail
        if tail is not None and tail.kind is kind and tail.key == key and tail.room > 0:
            tail.pieces.append(delta)
            tail.room -= len(delta) + PIECE_COST
            return True
        return self._put(delta_chunk(kind, delta, key))

    def put_operations(self, operations: list[StateOperation]) -> bool:
        """Add state operations; they join the last chunk when it is an open batch of them."""
        with self.lock:
            if self._closed:
                return False
            batch = self._batch
            if batch is None:
                self.put(UpdateStateChunk(list(operations)))
                last = self._items[-1]
                self._batch = last if isinstance(last, UpdateStateChunk) else None
            elif self._text is None and len(self._items) + len(batch.operations) < MERGE_AFTER:
                batch.operations.extend(operations)
            else:
                self._merge(batch.operations, operations)
            return True

    def put_text_in_loop(self, path: list[str], text: str) -> bool:
        """Append to a text of the state, as `put_operations` does; for whoever may use
        `put_delta_in_loop`."""
        last = self._text
        if last is not None and last.room > 0 and last.path == path:
            last.pieces.append(text)
            last.room -= len(text) + PIECE_COST
            return True
        return self.put_operations([{"type": "append-text", "path": path[:], "value": text}])

    def seal(self) -> None:
        """End the open batch of state operations; later ones start a new chunk."""
        with self.lock:
            self._seal_batch()

    def close(self) -> None:
        """Say that nothing more comes. The reader still gets what is there."""
        with self.lock:
            self._closed = True
            self._seal_batch()
            if self._tail is not None:
                self._seal_tail(self._tail)
            if self._waiter is not None:
                self._wake(self._waiter)

    def abandon(self) -> None:
        """Say that nobody reads any more: discard what is there and all that comes."""
        with self.lock:
            self._closed = True
            self._items.clear()
            self._batch = self._tail = self._text = None
            self._release_drain_waiters()

    def pop(self) -> AssistantStreamChunk | None:
        """Take the first chunk, or `None` when none is ready."""
        if not self._items:  # Only the reader takes out, so what is there stays there.
            return None
        with self.lock:
            if self._tail is not None and len(self._items) <= MERGE_AFTER:
                self._seal_tail(self._tail)
            chunk = self._items.popleft()
            if chunk is self._batch:
                self._seal_batch()
            if self.on_taken is not None:
                self.on_taken(chunk)
            if self._drain_waiters and len(self._items) <= DRAIN_LEVEL:
                self._release_drain_waiters()
            return chunk

    def take(self) -> list[AssistantStreamChunk]:
        """Take every chunk that is ready."""
        if not self._items:
            return []
        with self.lock:
            if self._tail is not None:
                self._seal_tail(self._tail)
            if self._batch is not None:
                self._seal_batch()
            chunks = list(self._items)
            self._items.clear()
            if self.on_taken is not None:
                for chunk in chunks:
                    self.on_taken(chunk)
            if self._drain_waiters:
                self._release_drain_waiters()
            return chunks

    async def wait(self) -> None:
        """Return once a chunk is ready or the channel is closed."""
        assert self._loop is not None, "bind() comes first"
        with self.lock:
            if self._items or self._closed:
                return
            self._waiter = waiter = self._loop.create_future()
        await waiter  # If this is cancelled, the next writer wakes nobody, and no harm is done.

    @property
    def lags(self) -> bool:
        """Whether the reader is behind by more than `drain()` lets stand."""
        return self._waiting() > DRAIN_LEVEL and not self._closed

    async def drain(self) -> None:
        """Return once the reader has caught up, or is gone."""
        while True:
            with self.lock:
                if not self.lags:
                    return
                waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._drain_waiters.append(waiter)
            await waiter

    def _waiting(self) -> int:
        """How much the reader has not taken; each operation of the open batch counts, because a
        run that only changes its state has one chunk, however long it gets."""
        batch = self._batch
        return len(self._items) + (0 if batch is None else len(batch.operations))

    def _put(self, chunk: AssistantStreamChunk) -> bool:
        if self._closed:
            return False
        tail = self._tail
        if tail is not None:
            if tail.add(chunk):
                return True
            self._seal_tail(tail)
        if self._batch is not None:
            self._seal_batch()
        items = self._items
        items.append(chunk)
        if self._waiter is not None:
            self._wake(self._waiter)
        elif len(items) > MERGE_AFTER:
            self._tail = MeltingDelta.of(chunk)
        return True

    def _merge(self, into: list[StateOperation], operations: list[StateOperation]) -> None:
        """Append operations to the open batch; an `append-text` melts into one on the same path
        before it, and a `set` replaces what it overwrites: the last operations, if they are at its
        path or below."""
        for operation in operations:
            if self._text is not None:
                if self._text.add(operation):
                    continue
                self._seal_text(into)
            if operation["type"] == "append-text":
                self._text = MeltingText(operation["path"], operation["value"])
            else:
                path = operation["path"]
                while into and into[-1]["path"][: len(path)] == path:
                    into.pop()
            into.append(operation)

    def _seal_text(self, operations: list[StateOperation]) -> None:
        if self._text is not None:
            operations[-1] = self._text.operation()
            self._text = None

    def _seal_batch(self) -> None:
        batch, self._batch = self._batch, None
        if batch is not None:
            self._seal_text(batch.operations)

    def _seal_tail(self, tail: MeltingDelta) -> None:
        self._items[-1] = tail.chunk()
        self._tail = None

    def _wake(self, waiter: asyncio.Future[None]) -> None:
        self._waiter = None
        if get_ident() != self._loop_thread:
            self._resolve(waiter)
        elif not waiter.done():
            waiter.set_result(None)

    def _release_drain_waiters(self) -> None:
        waiters, self._drain_waiters = self._drain_waiters, []
        for waiter in waiters:
            self._resolve(waiter)

    def _resolve(self, waiter: asyncio.Future[None]) -> None:
        loop = waiter.get_loop()
        if get_ident() == self._loop_thread and loop is self._loop:
            _set_done(waiter)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(_set_done, waiter)


def _set_done(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


_channels: WeakKeyDictionary[ChunkStream, Channel] = WeakKeyDictionary()


def register_channel(stream: ChunkStream, channel: Channel) -> None:
    """Remember that the run generator `stream` reads from `channel`."""
    _channels[stream] = channel


def take_ready(stream: AsyncIterable[AssistantStreamChunk]) -> list[AssistantStreamChunk]:
    """Take the chunks that `stream` has ready now, as if `anext()` had been called for each.

    This is how a response sends a burst at once. Only a run's generator has any to give; every
    other stream gives an empty list.

    Args:
        stream: An async generator that has yielded and not been asked for more since.
    """
    return ready_source(stream)()


def ready_source(
    stream: AsyncIterable[AssistantStreamChunk],
) -> Callable[[], list[AssistantStreamChunk]]:
    """Return `take_ready` for one stream, for whoever asks again and again."""
    try:
        channel = _channels.get(stream)  # type: ignore[call-overload]
    except TypeError:  # Not weakly referable or not hashable, so not a run's generator.
        return list
    return list if channel is None else channel.take
