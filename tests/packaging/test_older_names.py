"""Upstream's import paths, and those of 0.0.2, give this package's own objects."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import warnings

import pytest

import assistant_stream_ce
from assistant_stream_ce import chunks, serialization, state, tool_call

UPSTREAM = [
    ("assistant_stream", "AssistantStreamResponse", assistant_stream_ce),
    ("assistant_stream", "RunController", assistant_stream_ce),
    ("assistant_stream", "create_run", assistant_stream_ce),
    ("assistant_stream.assistant_stream_chunk", "AssistantStreamChunk", chunks),
    ("assistant_stream.assistant_stream_chunk", "TextDeltaChunk", chunks),
    ("assistant_stream.create_run", "RunController", assistant_stream_ce),
    ("assistant_stream.create_run", "create_run", assistant_stream_ce),
    ("assistant_stream.modules.tool_call", "ToolCallController", tool_call),
    ("assistant_stream.serialization", "AssistantTransportResponse", serialization),
    ("assistant_stream.serialization", "DataStreamResponse", serialization),
    (
        "assistant_stream.serialization.assistant_stream_response",
        "AssistantStreamResponse",
        serialization,
    ),
    (
        "assistant_stream.serialization.assistant_transport",
        "AssistantTransportEncoder",
        serialization,
    ),
    ("assistant_stream.serialization.data_stream", "DataStreamEncoder", serialization),
    ("assistant_stream.serialization", "OpenAIStreamResponse", serialization),
    ("assistant_stream.serialization.openai_stream", "OpenAIStreamEncoder", serialization),
    ("assistant_stream.serialization.stream_encoder", "StreamEncoder", serialization),
    ("assistant_stream.state", "StateProxy", state),
    ("assistant_stream.state_proxy", "StateProxy", state),
]

MOVED_SINCE_0_0_2 = [
    ("assistant_stream_ce.assistant_stream_chunk", "TextDeltaChunk", chunks),
    ("assistant_stream_ce.modules.tool_call", "ToolCallController", tool_call),
    ("assistant_stream_ce.state_proxy", "StateProxy", state),
]


@pytest.mark.parametrize(("path", "name", "home"), UPSTREAM)
def test_upstream_path_gives_the_same_object_and_does_not_warn(
    path: str, name: str, home: object
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert getattr(importlib.import_module(path), name) is getattr(home, name)


@pytest.mark.parametrize(("path", "name", "home"), MOVED_SINCE_0_0_2)
def test_older_path_of_this_package_warns_and_names_the_new_one(
    path: str, name: str, home: object
) -> None:
    module = importlib.import_module(path)

    with pytest.warns(DeprecationWarning, match=rf"is now `assistant_stream_ce\..*\.{name}`"):
        found = getattr(module, name)

    assert found is getattr(home, name)


def test_the_warning_points_at_the_line_that_imports() -> None:
    with pytest.warns(DeprecationWarning, match="is now") as caught:
        from assistant_stream_ce.assistant_stream_chunk import TextDeltaChunk  # noqa: F401

    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("root", ["assistant_stream", "assistant_stream_ce"])
def test_create_run_is_the_function_and_is_found_below_its_module(root: str) -> None:
    program = f"""
import {root}.create_run
from {root} import create_run
from {root}.create_run import create_run as by_path
import assistant_stream_ce
assert {root}.create_run is create_run is by_path is assistant_stream_ce.create_run
assert {root}.create_run.create_run is create_run
"""

    subprocess.run([sys.executable, "-c", program], check=True)


def test_state_operations_have_upstreams_names_too() -> None:
    module = importlib.import_module("assistant_stream.assistant_stream_chunk")

    assert module.ObjectStreamSetOperation is chunks.SetOperation
    assert module.ObjectStreamOperation is chunks.StateOperation


def test_an_unknown_name_says_which_module_lacks_it() -> None:
    module = importlib.import_module("assistant_stream.serialization.data_stream")

    with pytest.raises(AttributeError, match=r"`assistant_stream\.serialization\.data_stream`"):
        _ = module.Nothing
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("assistant_stream.nothing")


def test_every_home_in_the_table_exists() -> None:
    import assistant_stream

    names = [name for name in sys.modules if name.startswith(f"{assistant_stream.__name__}.")]

    assert len(names) > 10
    for name in names:
        assert importlib.util.find_spec(name) is not None
        if name != "assistant_stream.modules":
            assert sys.modules[name].__all__


def test_star_import_gives_every_public_name() -> None:
    found: dict[str, object] = {}

    exec("from assistant_stream import *", found)

    assert set(assistant_stream_ce.__all__) <= set(found)


def test_importing_an_older_path_loads_nothing_else() -> None:
    program = "import sys, assistant_stream.modules.tool_call; print('langgraph' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert result.stdout == "False\n"
