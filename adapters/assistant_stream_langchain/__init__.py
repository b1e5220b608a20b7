"""LangChain messages and callbacks as chunks.

`MessageTranslator` turns model messages into chunks, `AssistantCallbackHandler` does it for
whatever runs inside a chain. `assistant_stream_langchain.testing` has a scripted chat model.
"""

from __future__ import annotations

from .translator import MessageTranslator

__all__ = ("MessageTranslator",)
