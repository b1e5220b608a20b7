"""`ToolCallController`: one tool call of a run."""

from __future__ import annotations

import secrets
import warnings

from ._json import to_json
from ._run_state import RunState
from .chunks import (
    ToolCallArgsTextFinishChunk,
    ToolCallBeginChunk,
    ToolCallDeltaChunk,
    ToolResultChunk,
)

__all__ = ("ToolCallController", "generate_tool_call_id")


def generate_tool_call_id() -> str:
    """Return a new id in the form that model providers use, `call_` and 24 characters."""
    return f"call_{secrets.token_hex(12)}"


class ToolCallController:
    """Streams the arguments of one tool call and sets its result.

    Made by `RunController.add_tool_call`. Every method is safe from any thread. A call that the
    callback leaves open is closed when the run ends.
    """

    def __init__(
        self, run: RunState, tool_name: str, tool_call_id: str, parent_id: str | None
    ) -> None:
        self.tool_name = tool_name
        """The tool's name."""
        self.tool_call_id = tool_call_id
        """The call's id, unique in the run."""
        self._run = run
        run.put(ToolCallBeginChunk(tool_call_id, tool_name, parent_id))

    def append_args_text(self, args_text_delta: str) -> None:
        """Append a piece of the JSON text of the arguments."""
        self._run.put(ToolCallDeltaChunk(self.tool_call_id, args_text_delta))

    def finish_args(self) -> None:
        """Say that the arguments are complete. The front end runs its own tools from here on."""
        self._run.put(ToolCallArgsTextFinishChunk(self.tool_call_id))

    def set_response(
        self,
        result: object,
        *,
        artifact: object = None,
        is_error: bool = False,
        model_content: object = None,
        messages: object = None,
    ) -> None:
        """Set the call's result, and close its arguments if they are open.

        Args:
            result: What the client shows; anything with a JSON form.
            artifact: Data for the user interface that the model does not see.
            is_error: Whether `result` describes a failure.
            model_content: What the model sees, where that differs: a list of content parts.
            messages: The transcript of a sub-agent that ran inside the call.

        Raises:
            NotJSONError: A value has no JSON form.
        """
        self._run.put(
            ToolResultChunk(
                self.tool_call_id,
                to_json(result),
                to_json(artifact),
                is_error,
                to_json(model_content),
                to_json(messages),
            )
        )

    def set_result(self, result: object) -> None:
        """Deprecated: use `set_response`."""
        warnings.warn(
            "`set_result()` is deprecated; use `set_response()`.", DeprecationWarning, stacklevel=2
        )
        self.set_response(result)

    def close(self) -> None:
        """Close the call's arguments; the same as `finish_args()`."""
        self.finish_args()
