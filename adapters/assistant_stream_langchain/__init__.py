"""LangChain messages and callbacks as chunks.

`AssistantCallbackHandler` shows what runs inside any chain, `MessageTranslator` turns model
messages into chunks. `assistant_stream_langchain.testing` has a scripted chat model.
"""

from __future__ import annotations

from .callbacks import AssistantCallbackHandler
from .translator import MessageTranslator
from .visibility import Action, Rule, Visibility, is_internal_call

__all__ = (
    "Action",
    "AssistantCallbackHandler",
    "MessageTranslator",
    "Rule",
    "Visibility",
    "is_internal_call",
)
