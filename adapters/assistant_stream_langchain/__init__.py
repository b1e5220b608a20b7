"""LangChain messages and callbacks as chunks.

`AssistantCallbackHandler` shows what runs inside any chain, `stream_chain` makes a run of one,
`MessageTranslator` turns model messages into chunks and `to_langchain_messages` a client's messages
into LangChain's. `assistant_stream_langchain.testing` has a scripted chat model.
"""

from __future__ import annotations

from .callbacks import AssistantCallbackHandler
from .chains import stream_chain
from .messages import to_langchain_messages
from .translator import MessageTranslator
from .visibility import Action, Rule, Visibility, is_internal_call

__all__ = (
    "Action",
    "AssistantCallbackHandler",
    "MessageTranslator",
    "Rule",
    "Visibility",
    "is_internal_call",
    "stream_chain",
    "to_langchain_messages",
)
