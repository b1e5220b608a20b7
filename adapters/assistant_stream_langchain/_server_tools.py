"""Tool calls, and the tools that the provider runs by itself (web search, code, MCP)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._shapes import as_index, as_items, as_mapping, as_text, first_text

__all__ = ("CallFragment", "ResultFragment", "read_executed_tool", "read_server_tool")


@dataclass(slots=True)
class CallFragment:
    """A piece of a tool call, or with `whole` all of it."""

    id: str | None
    name: str | None
    args: str | Mapping[str, Any] | None
    index: int | str | None = None
    whole: bool = False
    on_server: bool = False


@dataclass(slots=True)
class ResultFragment:
    """The result of a call that the provider ran; without an id or an index, of the last one."""

    call_id: str | None
    output: Any
    is_error: bool = False
    index: int | str | None = None
    is_open: bool = False
    """Whether the output follows as text in the content block of this index."""


# What the Responses API names a call's result; the rest of the block is its arguments.
_RESULT_KEYS = ("output", "outputs", "results", "sources")
_NOT_ARGS = frozenset({"type", "id", "call_id", "status", "index", "error", *_RESULT_KEYS})


def read_server_tool(block: Mapping[str, Any]) -> Sequence[CallFragment | ResultFragment]:
    """Return the calls and results that a content block of a server-side tool holds."""
    kind = block.get("type")
    if not isinstance(kind, str):
        return ()
    if kind in ("server_tool_call", "server_tool_call_chunk"):  # LangChain v1.
        return [_v1_call(block, whole=kind == "server_tool_call")]
    if kind == "server_tool_result":
        failed = block.get("status") == "error"
        return [
            ResultFragment(as_text(block.get("tool_call_id")), _clean(block.get("output")), failed)
        ]
    if kind in ("server_tool_use", "mcp_tool_use"):  # Anthropic.
        args = block.get("partial_json") or block.get("input") or None
        return [_server_call(block, block.get("name"), args)]
    if kind.endswith("tool_result"):  # Bedrock's is `tool_result`, Anthropic's have a prefix.
        return [_anthropic_result(block)]
    if kind == "executable_code":  # Gemini.
        code = {"code": block.get("executable_code"), "language": block.get("language", "python")}
        return [_server_call(block, "code_execution", code)]
    if kind == "code_execution_result":
        failed = block.get("outcome", 1) not in (1, "OUTCOME_OK")
        output = block.get("code_execution_result")
        return [ResultFragment(as_text(block.get("tool_call_id")), output, failed)]
    if kind.endswith("_call") or kind == "mcp_approval_request":
        return _responses_call(block, kind)
    return ()


def read_executed_tool(tool: Mapping[str, Any]) -> Iterator[CallFragment | ResultFragment]:
    """Yield the call and the result that Groq puts beside the content; in a stream, one each."""
    index = f"executed-{tool.get('index')}"  # The model's own calls are numbered from 0 as well.
    if name := as_text(tool.get("type")):
        yield CallFragment(None, name, tool.get("arguments"), index, whole=True, on_server=True)
    if output := tool.get("output"):
        yield ResultFragment(None, output, index=index)


def _v1_call(block: Mapping[str, Any], *, whole: bool) -> CallFragment:
    name = block.get("name")
    if name == "remote_mcp":
        name = as_mapping(block.get("extras")).get("tool_name") or name
    call = _server_call(block, name, block.get("args"))
    call.whole = whole
    return call


def _server_call(block: Mapping[str, Any], name: str | None, args: Any) -> CallFragment:
    index = as_index(block.get("index"))
    return CallFragment(as_text(block.get("id")), as_text(name), args, index, on_server=True)


def _anthropic_result(block: Mapping[str, Any]) -> ResultFragment:
    content = block.get("content")
    failed = bool(block.get("is_error"))
    if as_mapping(content).get("error_code"):
        failed = True
    index = as_index(block.get("index"))
    is_open = content == "" and index is not None  # Bedrock.
    call_id = as_text(block.get("tool_use_id"))
    return ResultFragment(call_id, _clean(content), failed, index, is_open)


def _responses_call(block: Mapping[str, Any], kind: str) -> Sequence[CallFragment | ResultFragment]:
    """A hosted tool of the Responses API: the call and its result in one block."""
    call_id = first_text(block, "call_id", "id")
    name = kind.removesuffix("_call")
    args: Any = {key: value for key, value in block.items() if key not in _NOT_ARGS}
    result: Any = next((block[key] for key in _RESULT_KEYS if block.get(key) is not None), None)
    if kind.startswith("mcp_"):
        name = as_text(block.get("name")) or name
        args = block.get("arguments") or args
    elif action := as_mapping(args.get("action")):
        result = result or action.get("sources")
        args = {key: value for key, value in action.items() if key != "sources"}
    call = CallFragment(
        call_id,
        name,
        args,
        as_index(block.get("index")),
        whole=not isinstance(args, str),
        on_server=True,
    )
    if kind in ("computer_call", "mcp_approval_request"):
        call.on_server = False  # The client has to act.
        return [call]
    error = block.get("error")
    failed = bool(error) or block.get("status") in ("failed", "incomplete")
    if result is None:
        result = error or {"status": block.get("status", "completed")}
    return [call, ResultFragment(call_id, result, failed)]


def _clean(output: Any) -> Any:
    """Leave out what only the provider can read, which may be many times the rest."""
    if fields := as_mapping(output):
        return {k: _clean(v) for k, v in fields.items() if not k.startswith("encrypted_")}
    if items := as_items(output):
        return [_clean(item) for item in items]
    return output
