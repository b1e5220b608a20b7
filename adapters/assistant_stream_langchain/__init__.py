"""LangChain messages and callbacks as chunks.

`AssistantCallbackHandler` shows what runs inside any chain, `stream_chain` makes a run of one,
`MessageTranslator` turns model messages into chunks and `to_langchain_messages` a client's messages
into LangChain's; `to_ui_messages` and its siblings go the other way, for loading a thread.
`assistant_stream_langchain.testing` has a scripted chat model.
"""

from __future__ import annotations

from ._message_index import Place
from .callbacks import AssistantCallbackHandler
from .chains import stream_chain
from .history import (
    to_ag_ui_messages,
    to_openai_messages,
    to_thread_messages,
    to_ui_messages,
)
from .messages import to_human_message, to_langchain_messages, to_tool_message
from .translator import MessageTranslator
from .visibility import Action, Rule, Visibility, is_internal_call

__all__ = (
    "Action",
    "AssistantCallbackHandler",
    "MessageTranslator",
    "Place",
    "Rule",
    "Visibility",
    "is_internal_call",
    "stream_chain",
    "to_ag_ui_messages",
    "to_human_message",
    "to_langchain_messages",
    "to_openai_messages",
    "to_thread_messages",
    "to_tool_message",
    "to_ui_messages",
)
