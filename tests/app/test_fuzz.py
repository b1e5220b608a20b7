"""Malformed requests by the thousand: each is answered, nothing internal is told, and the server
still serves."""

from __future__ import annotations

import copy
import json
import os
import random
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from schemathesis.checks import not_a_server_error
from starlette.types import ASGIApp

from assistant_stream_langgraph.app import create_app
from assistant_stream_langgraph.threads import Graph
from tests.app.asgi import call
from tests.app.bodies import GOOD
from tests.npm import decode

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "10000"))
"""`make fuzz` sends more."""

SEED = int(os.environ.get("FUZZ_SEED", "1"))

OTHER = [
    ("GET", "/threads"),
    ("GET", "/threads/t1/state"),
    ("GET", "/threads/t1/messages"),
    ("DELETE", "/threads/t1"),
    ("POST", "/threads/t1/cancel"),
    ("GET", "/chat/t1/stream"),
    ("GET", "/v1/models"),
    ("GET", "/openapi.json"),
]

JUNK: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        1.5,
        10**400,
        "",
        " ",
        "\x00",
        "x" * 600,
        "\ud83d",
        "é\u2028",
        "../..",
        "%2e",
    ),
    *("__proto__", "constructor", "user", "tool", "system", "file:///etc/passwd", "t1", "c1"),
    *([], {}, [None], [[]], {"": None}, {"type": "text"}, {"__proto__": {"a": 1}}),
    {"role": "user", "content": "x", "parts": [{"type": "text", "text": "x"}]},
]

QUERIES = ["", "protocol=x", "protocol=ai-sdk", "protocol=data-stream", "version=9", "limit=-1"]

LEAKS = (b"Traceback", b'File "', b"hunter2", b"Exception", b"error id")


def echo() -> Graph:
    def answer(state: MessagesState) -> dict[str, Any]:
        said = [message.text for message in state["messages"][-1:]]  # A client may start a run.
        return {"messages": [AIMessage(f"You said: {''.join(said)}")]}

    builder = StateGraph(MessagesState)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    graph: Graph = builder.compile()
    return graph


class Mutator:
    """Good requests, changed at random places."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def request(self) -> tuple[str, str, bytes, str]:
        """Method, path, body and query."""
        chance = self._random
        query = chance.choice(QUERIES) if chance.random() < 0.2 else ""
        if chance.random() < 0.1:
            method, path = chance.choice(OTHER)
            return method, self._path(path), b"", query
        path, body = copy.deepcopy(chance.choice(GOOD))
        for _ in range(chance.randint(1, 3)):
            self._change(body)
        if chance.random() < 0.1:
            path = chance.choice(GOOD)[0]
        return "POST", path, self._bytes(body), query

    def _path(self, path: str) -> str:
        junk = [item for item in JUNK if isinstance(item, str) and item.isprintable()]
        return path.replace("t1", self._random.choice(["t1", *junk]))

    def _bytes(self, body: Any) -> bytes:
        chance = self._random
        data = json.dumps(body).encode()
        if chance.random() < 0.15:
            at = chance.randrange(len(data))
            return data[:at] + chance.randbytes(chance.randint(0, 3)) + data[at + 1 :]
        return data[: chance.randrange(len(data))] if chance.random() < 0.05 else data

    def _change(self, body: Any) -> None:
        chance = self._random
        holders = list(_holders(body))
        holder = chance.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return
        key = chance.choice(keys)
        junk = copy.deepcopy(chance.choice(JUNK))
        match chance.randrange(5):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.extend(copy.deepcopy(holder) * chance.randint(1, 3))
            case 2 if isinstance(holder, dict):
                holder[str(chance.choice(JUNK))[:50]] = holder.pop(key)
            case 3:
                for _ in range(chance.choice([2, 60, 150])):
                    junk = [junk] if chance.random() < 0.5 else {"a": junk}
                holder[key] = junk
            case _:
                holder[key] = junk


def _holders(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for child in value.values() if isinstance(value, dict) else value:
            yield from _holders(child)


async def fuzz(count: int, seed: int, app: ASGIApp) -> Counter[int]:
    mutator = Mutator(seed)
    statuses: Counter[int] = Counter()
    for number in range(count):
        method, path, body, query = mutator.request()
        answer = await call(app, method, path, body, query=query)
        what = f"seed {seed}, request {number}: {method} {path}?{query} {body[:2000]!r}"
        assert answer.status < 500, f"{what}\n{answer.body[:500]!r}"
        assert not any(leak in answer.body for leak in LEAKS), f"{what}\n{answer.body[:800]!r}"
        if answer.status >= 400:
            assert json.loads(answer.body)["error"]["message"], what
        statuses[answer.status] += 1
    said = {"messages": [{"role": "user", "content": "Still there?"}], "threadId": "fresh"}
    wire = await call(app, "POST", "/chat", json.dumps(said).encode())
    assert decode(wire.body).checked().text == "You said: Still there?"
    return statuses


@pytest.mark.timeout(600)
async def test_malformed_requests() -> None:
    statuses = await fuzz(REQUESTS, SEED, create_app(echo(), on_disconnect="cancel"))

    # The changes are neither all harmless nor all fatal.
    assert statuses[200] > REQUESTS / 15
    assert statuses[400] > REQUESTS / 3


schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(echo(), max_run_time=5))


@schema.parametrize()
@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_documented_requests(case: schemathesis.Case) -> None:
    response = case.call()

    case.validate_response(response, checks=[not_a_server_error])
    assert not any(leak in response.content for leak in LEAKS)
