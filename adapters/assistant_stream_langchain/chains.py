"""Any Runnable as a run, without a callback of your own."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs

from assistant_stream_ce.controller import RunController
from assistant_stream_ce.create_run import create_run
from assistant_stream_ce.typing import ChunkStream

from .callbacks import AssistantCallbackHandler
from .visibility import Visibility

__all__ = ("stream_chain",)


def stream_chain(
    chain: Runnable[Any, Any],
    value: Any,
    config: RunnableConfig | None = None,
    *,
    visibility: Visibility | None = None,
) -> ChunkStream:
    """Invoke `chain` with `value` and stream what it does.

    Where neither a model nor a tool runs, as when a guard answers by itself, the text or message
    that the chain returns is the answer.

    ```python
    return DataStreamResponse(stream_chain(chain, {"question": question}))
    ```

    Args:
        chain: Any Runnable.
        value: Its input.
        config: Its configuration; callbacks in it are called as well.
        visibility: What is shown; see `Visibility`.
    """

    async def run(controller: RunController) -> None:
        handler = AssistantCallbackHandler(controller, visibility=visibility)
        handler.add_result(
            await chain.ainvoke(value, merge_configs(config, {"callbacks": [handler]}))
        )

    return create_run(run)
