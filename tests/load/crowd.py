"""Many clients at once on one server: what became of every run, and what it cost."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from assistant_stream_ce import DataStreamDecoder
from assistant_stream_ce.testing import replay_state
from tests.bench.server import ROOT

from .clients import MANNERS, QUESTION, Http, Visit, visit

Package = Literal["ours", "upstream"]

TOKENS = 310
"""About how many tokens the scripted agent takes for an answer, tools included."""

LAST_LINE = "app = create_app(graph, playground=True)"
"""The end of every answer."""


@dataclass(frozen=True)
class Figures:
    """What was seen of one package."""

    runs: int
    lost_answers: int
    """Clients that stayed, or came back, and do not hold what the thread holds."""
    lost_runs: int
    """Threads without a complete answer."""
    first_byte: tuple[float, float]
    """Milliseconds: median, and 99th percentile."""
    first_token: tuple[float, float]
    """Milliseconds until the model's first word, of clients that read."""
    gap: tuple[float, float, float]
    """Milliseconds between two arrivals at a client that reads: median, 99th percentile, most."""
    cpu: float
    """Seconds of the server's."""
    seconds: float
    """From the first request to the last answer."""
    peak: float
    """MiB that the server has grown by at its peak."""
    problems: tuple[str, ...]
    """Some of what was lost, in words."""


class Backend:
    """A server process; it ends when it is closed, or when this process ends."""

    def __init__(self, package: Package, pace: float) -> None:
        paths = os.pathsep.join((str(ROOT), str(ROOT / "adapters")))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.server", package, str(pace)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.http = Http(int(self._process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        try:
            self._process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def measure(package: Package, runs: int, pace: float) -> Figures:
    """Start a server, send the clients, and say what became of their runs."""
    backend = Backend(package, pace)
    try:
        return asyncio.run(_measure(backend.http, package, runs, pace))
    finally:
        backend.close()


async def _measure(http: Http, package: Package, runs: int, pace: float) -> Figures:
    warm = Visit("warm", QUESTION.format("none"), "drops")
    await visit(http, warm, can_resume=False, run_time=0.5)
    before = await http.json("GET", "/stats")
    visits = [
        Visit(f"t{index}", QUESTION.format(index), MANNERS[index % len(MANNERS)])
        for index in range(runs)
    ]
    can_resume = package == "ours"
    start = time.perf_counter()
    tasks = [visit(http, seen, can_resume=can_resume, run_time=TOKENS * pace) for seen in visits]
    await asyncio.gather(*tasks)
    seconds = time.perf_counter() - start
    threads = await _threads(http, visits)
    after = await http.json("GET", "/stats")
    lost = [problem for seen in visits if (problem := _lost(seen, threads[seen.thread_id]))]
    unfinished = [seen for seen in visits if not _is_complete(seen, threads[seen.thread_id])]
    problems = [*lost, *(f"{seen.thread_id} ({seen.manner}): no answer" for seen in unfinished)]
    first_bytes = [seen.first_byte for seen in visits if seen.first_byte is not None]
    first_tokens = [
        seen.first_token
        for seen in visits
        if seen.manner == "reads" and seen.first_token is not None
    ]
    gaps = [
        later - earlier
        for seen in visits
        if seen.manner == "reads"
        for earlier, later in pairwise(seen.arrivals)
    ]
    return Figures(
        runs=runs,
        lost_answers=len(lost),
        lost_runs=len(unfinished),
        first_byte=(_median(first_bytes) * 1e3, _high(first_bytes) * 1e3),
        first_token=(_median(first_tokens) * 1e3, _high(first_tokens) * 1e3),
        gap=(_median(gaps) * 1e3, _high(gaps) * 1e3, max(gaps, default=0.0) * 1e3),
        cpu=after["cpu"] - before["cpu"],
        seconds=seconds,
        peak=after["peak"] - before["rss"],
        problems=tuple(problems[:10]),
    )


async def _threads(http: Http, visits: Sequence[Visit]) -> dict[str, str]:
    """The answer that each thread holds, once the runs have had the time to end."""
    answers: dict[str, str] = {}
    deadline = time.monotonic() + 20
    while True:
        for seen in visits:
            if not _is_complete(seen, answers.get(seen.thread_id, "")):
                answers[seen.thread_id] = await _thread(http, seen.thread_id)
        unfinished = [seen for seen in visits if not _is_complete(seen, answers[seen.thread_id])]
        if not unfinished or time.monotonic() > deadline:
            return answers
        await asyncio.sleep(1)


async def _thread(http: Http, thread_id: str) -> str:
    try:
        history = await http.json("GET", f"/threads/{thread_id}/state")
    except RuntimeError:
        return ""
    return last_text(history["values"]["messages"])


def last_text(messages: Sequence[Any]) -> str:
    """The text of the last message, which has one text or a list of blocks."""
    content = messages[-1]["content"] if messages else ""
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content if isinstance(block, dict))


def _is_complete(seen: Visit, answer: str) -> bool:
    return LAST_LINE in answer and seen.question.rstrip("?") in answer


def _lost(seen: Visit, answer: str) -> str:
    """Say how a client that wanted the answer has not got it."""
    if seen.manner == "drops":
        return ""
    who = f"{seen.thread_id} ({seen.manner})"
    if seen.failure:
        return f"{who}: {seen.failure}"
    if not seen.is_whole:
        return f"{who}: the body has no end"
    decoder = DataStreamDecoder(strict=False)
    chunks = [*decoder.feed(seen.body), *decoder.end()]
    state: Any = replay_state(chunks, {})
    shown = last_text(state.get("messages", [])) if isinstance(state, dict) else ""
    return "" if shown == answer and _is_complete(seen, shown) else f"{who}: shows another answer"


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else 0.0


def _high(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=100)[98] if len(values) > 1 else 0.0
