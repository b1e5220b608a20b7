"""Buttons and fields for the questions of a paused run, in front ends that have widgets."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from ._interrupts import Choice, Question, parse_answer
from ._surface import has_kernel

__all__ = ("Controls", "has_widgets")


def has_widgets() -> bool:
    """Whether widgets can be made here; only the front end knows whether it shows them."""
    return has_kernel() and importlib.util.find_spec("ipywidgets") is not None


class Controls:
    """One row for each question; `on_answers` is called once, when all are answered.

    They are an output of their own, which is emptied when the run goes on, so that a saved
    notebook has no dead buttons in it.
    """

    def __init__(
        self, questions: Sequence[Question], on_answers: Callable[[Mapping[str, Any]], None]
    ) -> None:
        # `Any`: both libraries are optional, and not typed.
        self._widgets: Any = importlib.import_module("ipywidgets")
        ipython: Any = importlib.import_module("IPython.display")
        self._open = [question.id for question in questions]
        self._answers: dict[str, Any] = {}
        self._on_answers = on_answers
        self._rows = {question.id: self._row(question) for question in questions}
        self._box = self._widgets.VBox(list(self._rows.values()))
        self._handle = ipython.display(self._box, display_id=True)

    def close(self) -> None:
        """Take the controls away."""
        self._handle.update({"text/html": "", "text/plain": ""}, raw=True)
        self._box.close()

    def _row(self, question: Question) -> Any:
        items = [self._button(question.id, choice) for choice in question.choices]
        if question.takes_text:
            items.extend(self._field(question.id))
        # The value of that widget is markup.
        text = self._widgets.HTML(f"<b>{escape(question.text)}</b>")
        return self._widgets.VBox([text, self._widgets.HBox(items)])

    def _button(self, id: str, choice: Choice) -> Any:
        button = self._widgets.Button(description=choice.label, button_style=choice.style)

        def answer(_: object) -> None:
            self._answer(id, choice.value)

        button.on_click(answer)
        return button

    def _field(self, id: str) -> list[Any]:
        field = self._widgets.Text(placeholder="Your answer", continuous_update=False)
        send = self._widgets.Button(description="Send", button_style="primary")

        def answer(_: object) -> None:
            self._answer(id, parse_answer(field.value))

        send.on_click(answer)
        return [field, send]

    def _answer(self, id: str, value: Any) -> None:
        if id not in self._open:
            return
        self._open.remove(id)
        self._answers[id] = value
        for item in self._rows[id].children[1].children:
            item.disabled = True
        if not self._open:
            self._on_answers(self._answers)
