"""What foreign values look like as JSON, and the JSON text that the clients accept."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import logging
import subprocess
import sys
import threading
import uuid
from collections import OrderedDict, UserDict, deque
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from pydantic import BaseModel, ConfigDict, RootModel, field_serializer

from assistant_stream_ce import _json
from assistant_stream_ce._json import copy_json, dumps, json_string, register_json_type, to_json
from assistant_stream_ce.errors import NotJSONError
from assistant_stream_ce.state import StateStore


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Name(str):
    __slots__ = ()


class Count(int):
    pass


class Tags(RootModel[list[str]]):
    pass


class Typed(BaseModel):
    type: int = 1


@dataclasses.dataclass
class Point:
    x: int
    at: dt.date


@dataclasses.dataclass(slots=True)
class Interrupt:
    value: object
    id: str


class Weather(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    place: str
    when: dt.datetime
    extra: Any = None


class Conversation(BaseModel):
    messages: list[BaseMessage]


class Price(BaseModel):
    cents: int

    @field_serializer("cents", when_used="json")
    def as_text(self, cents: int) -> str:
        return f"{cents / 100:.2f}"


UTC = dt.UTC
WHEN = dt.datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
ID = uuid.UUID("12345678-1234-5678-1234-567812345678")

FORMS: list[tuple[object, object]] = [
    (None, None),
    (True, True),
    (7, 7),
    (10**30, 10**30),
    (1.5, 1.5),
    (float("nan"), None),
    (float("inf"), None),
    (-float("inf"), None),
    ("text", "text"),
    (Name("sub"), "sub"),
    (Count(3), 3),
    (Tags(["a"]), ["a"]),
    (Typed(), {"type": 1}),
    ((1, 2), [1, 2]),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset({"b", "a"}), ["a", "b"]),
    (deque([1, [2]]), [1, [2]]),
    (range(3), [0, 1, 2]),
    ({"a": 1}.values(), [1]),
    (OrderedDict(a=1), {"a": 1}),
    (UserDict({"a": (1,)}), {"a": [1]}),
    ({1: "int", None: "none", 2.5: "float"}, {"1": "int", "null": "none", "2.5": "float"}),
    (Colour.RED, "red"),
    ({Colour.RED: 1, ID: 2}, {"red": 1, str(ID): 2}),
    (Level.HIGH, 3),
    (WHEN, "2026-11-22T13:30:00+00:00"),
    (WHEN.date(), "2026-11-22"),
    (dt.time(13, 30), "13:30:00"),
    (dt.timedelta(minutes=1.5), 90.0),
    (Decimal("1.10"), "1.10"),
    (Decimal("NaN"), None),
    (ID, str(ID)),
    (PurePosixPath("/a/b"), "/a/b"),
    (b"\x00\xff", "AP8="),
    (bytearray(b"hi"), "aGk="),
    (memoryview(b"hi"), "aGk="),
    (Point(1, WHEN.date()), {"x": 1, "at": "2026-11-22"}),
    (Interrupt({"ask": Colour.RED}, "i1"), {"value": {"ask": "red"}, "id": "i1"}),
    (np.int64(5), 5),
    (np.float32(0.5), 0.5),
    (np.float64("nan"), None),
    (np.bool_(True), True),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([1.0, np.nan]), [1.0, None]),
    (np.datetime64("2026-11-22"), "2026-11-22"),
]


@pytest.mark.parametrize(("value", "form"), FORMS, ids=lambda value: type(value).__name__)
def test_form(value: object, form: object) -> None:
    converted = to_json({"it": [value]})
    assert json.dumps(converted) == json.dumps({"it": [form]})
    assert json.loads(dumps({"it": [value]})) == {"it": [form]}


def test_boolean_keys_are_written_as_json_writes_them() -> None:
    assert to_json({True: 1, False: 2}) == {"true": 1, "false": 2}


def test_pydantic_model_and_what_is_nested_in_it() -> None:
    model = Weather(place="Oslo", when=WHEN, extra={"level": Level.HIGH, "at": {1}})
    assert to_json(model) == {
        "place": "Oslo",
        "when": "2026-11-22T13:30:00Z",
        "extra": {"level": 3, "at": [1]},
    }


def test_a_model_that_pydantic_cannot_dump_falls_back_to_our_rules() -> None:
    model = Weather(place="Oslo", when=WHEN, extra=np.array([1, 2]))
    assert to_json(model) == {
        "place": "Oslo",
        "when": "2026-11-22T13:30:00+00:00",
        "extra": [1, 2],
    }


def test_a_models_own_json_serializer_is_respected() -> None:
    assert to_json([Price(cents=250)]) == [{"cents": "2.50"}]


def test_a_message_in_a_field_of_its_base_class_keeps_its_fields() -> None:
    call = {"name": "f", "args": {}, "id": "c1", "type": "tool_call"}
    conversation = Conversation(messages=[AIMessage("", id="m1", tool_calls=[call])])
    dumped: Any = to_json(conversation)
    assert dumped["messages"][0]["tool_calls"] == [call]


@pytest.mark.parametrize(
    "message",
    [
        HumanMessage("hi", id="h1"),
        AIMessage("", id="a1", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c1"}]),
        ToolMessage("done", tool_call_id="c1", id="t1", artifact={"n": 1}),
    ],
)
def test_langchain_message_is_its_flat_dump(message: BaseMessage) -> None:
    assert to_json(message) == message.model_dump(mode="json")


def test_a_message_chunk_is_named_as_the_message_it_is_part_of() -> None:
    # The client's converter skips the type "AIMessageChunk".
    dumped: Any = to_json({"messages": [AIMessageChunk("hel", id="a1")]})
    assert (dumped["messages"][0]["type"], dumped["messages"][0]["content"]) == ("ai", "hel")


def test_langchain_document() -> None:
    document = Document("text", metadata={"at": WHEN, "page": np.int64(3)}, id="d1")
    assert to_json(document) == {
        "id": "d1",
        "metadata": {"at": "2026-11-22T13:30:00+00:00", "page": 3},
        "page_content": "text",
        "type": "Document",
    }


def test_a_snapshot_shares_nothing_with_the_value() -> None:
    value: Any = {"a": [{"b": 1}], "t": ([],)}
    for snapshot in (to_json(value), copy_json(value)):
        value["a"][0]["b"] = 2
        assert snapshot["a"] == [{"b": 1}]  # type: ignore[index,call-overload]
        value["a"][0]["b"] = 1


def test_a_state_proxy_is_its_value() -> None:
    store = StateStore({"a": [1, {"b": None}]}, lambda _: None)
    assert to_json({"x": store.proxy}) == {"x": {"a": [1, {"b": None}]}}
    assert dumps(store.proxy["a"]) == '[1,{"b":null}]'


def test_register_json_type_covers_subclasses_and_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_json, "_converters", {})

    class Money:
        def __init__(self, cents: int) -> None:
            self.cents = cents

    class Euro(Money):
        pass

    register_json_type(Money, lambda money: {"cents": Decimal(money.cents)})
    register_json_type(dt.datetime, lambda when: when.timestamp())
    assert to_json([Euro(5), WHEN]) == [{"cents": "5"}, WHEN.timestamp()]
    assert dumps([Euro(5), WHEN]) == f'[{{"cents":"5"}},{WHEN.timestamp()}]'


@pytest.mark.parametrize("fixed", [str, int, bool, float, dict, list, tuple, type(None)])
def test_the_form_of_json_types_is_fixed(fixed: type) -> None:
    with pytest.raises(ValueError, match="is fixed"):
        register_json_type(fixed, lambda value: value)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (threading.Lock(), None),
        ({"a": [1, {"b": threading.Lock()}]}, "a.1.b"),
        ({"p": Point(1, threading.Lock())}, "p.at"),  # type: ignore[arg-type]
        ({"deep": UserDict(x=(0, int))}, "deep.x.1"),
        ({"gen": (n for n in range(3))}, "gen"),
        ({"fine": 1, "also": [2], "bad": {"x": 1j}}, "bad.x"),
        (deque([0, 1j]), None),
        ([1j], "0"),
    ],
)
def test_what_has_no_json_form_says_where_and_what_to_do(value: object, where: str | None) -> None:
    for convert in (to_json, dumps):
        with pytest.raises(NotJSONError, match="register_json_type") as caught:
            convert(value)
        assert (f"at `{where}`" in str(caught.value)) == (where is not None)


def test_a_key_without_json_form_is_refused() -> None:
    with pytest.raises(NotJSONError, match="tuple"):
        to_json({(1, 2): "x"})


def test_a_failing_model_dump_is_the_cause() -> None:
    class Broken(BaseModel):
        def model_dump(self, **_: Any) -> dict[str, Any]:
            raise OSError("disk on fire")

    with pytest.raises(NotJSONError, match="Broken") as caught:
        to_json({"m": Broken()})
    assert isinstance(caught.value.__cause__, OSError)


def test_a_value_that_contains_itself_is_refused() -> None:
    ring: list[object] = []
    ring.append({"ring": ring})
    for convert in (to_json, dumps):
        with pytest.raises(NotJSONError, match="contains itself"):
            convert(ring)


def test_deeper_nesting_than_the_fast_library_takes() -> None:
    value: Any = 1
    for _ in range(270):
        value = [value]
    assert dumps(value) == "[" * 270 + "1" + "]" * 270


def test_keys_that_make_the_clients_drop_a_frame_are_left_out_with_one_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_json, "_warned", set())
    bad = {"a": [{"__proto__": {"x": 1}, "kept": 1}], "constructor": {"prototype": 1}}
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert to_json(bad) == {"a": [{"kept": 1}]}
            assert dumps(bad) == '{"a":[{"kept":1}]}'
    assert [record.args for record in caplog.records] == [("__proto__",), ("constructor",)]


def test_harmless_uses_of_the_same_words_stay() -> None:
    value = {"constructor": {"of": "cars"}, "prototype": 1, "text": '"__proto__": "constructor":'}
    assert to_json(value) == value
    assert json.loads(dumps(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.5, None, True, "é€😀"]}, '{"a":[1,2.5,null,true,"é€😀"]}'),
        ([float("nan"), float("-inf")], "[null,null]"),
        ([10**30, -(2**70)], f"[{10**30},{-(2**70)}]"),
        (["\ud83d", "é"], '["\\ud83d","é"]'),
        ({1: 2}, '{"1":2}'),
        ([10**30, float("nan"), WHEN], f'[{10**30},null,"2026-11-22T13:30:00+00:00"]'),
        ("line\nbreak\u2028\x00", '"line\\nbreak\u2028\\u0000"'),
        (Name("sub"), '"sub"'),
    ],
)
def test_text(value: object, text: str) -> None:
    assert dumps(value) == text


@pytest.mark.parametrize("text", ["", "plain", 'quote " \\ \n\r\t\x00\x1f', "é😀\u2028", "\ud800"])
def test_json_string_reads_back(text: str) -> None:
    wire = json_string(text).encode("utf-8", "backslashreplace")
    assert json.loads(wire) == text


def test_the_module_imports_none_of_the_libraries_it_knows() -> None:
    code = (
        "import sys, types; package = types.ModuleType('assistant_stream_ce');"
        "package.__path__ = [sys.argv[1]]; sys.modules['assistant_stream_ce'] = package;"
        "import assistant_stream_ce.state;"
        "print([name for name in ('pydantic', 'langchain_core', 'numpy') if name in sys.modules])"
    )
    folder = _json.__file__.rpartition("/")[0]
    done = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
