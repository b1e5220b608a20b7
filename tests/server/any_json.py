"""Any JSON, made of the words that requests are made of, so that it often comes close to one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

__all__ = ("bodies", "damaged")

FIELDS = (
    "commands type message messages role parts content text image image_url url data mimeType file "
    "mediaType state threadId runId parentId toolCallId toolName toolCalls tool_calls result "
    "output value isError modelContent tools system id input approval approved "
    "arguments function name model source context description resume "
    "status interruptId trigger file_data input_audio"
)
WORDS = (
    "add-message add-tool-result user assistant tool system developer text image image_url file "
    "https://a step-start tool-x dynamic-tool output-available output-error output-denied json "
    "approval-responded input-available tool-call tool-result data url binary function data-x {}"
)
KEYS = st.sampled_from(FIELDS.split())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS.split())
    | st.text(max_size=5)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
MESSAGES = st.lists(st.dictionaries(KEYS, VALUES, max_size=6) | VALUES, max_size=4)
IDS = st.fixed_dictionaries(
    {"threadId": st.just("t"), "runId": st.just("r"), "model": st.just("m")}
)


def bodies() -> st.SearchStrategy[Any]:
    """Bodies of requests, of whatever client, and other JSON."""
    return (
        st.builds(
            lambda rest, ids, messages: {**rest, **ids, "messages": messages, "commands": messages},
            st.dictionaries(KEYS, VALUES, max_size=4),
            IDS,
            MESSAGES,
        )
        | VALUES
    )


@st.composite
def damaged(draw: st.DrawFn, body: Any) -> Any:
    """`body` with other JSON in up to three places."""
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(list(_places(body))))
        container[key] = draw(VALUES)
    return body


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    for key in keys:
        yield value, key
        yield from _places(value[key])
