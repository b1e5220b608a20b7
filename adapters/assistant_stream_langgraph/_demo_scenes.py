"""What the demo's script plays: for each kind of question the tools it calls and what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ("HELP", "HELP_QUESTION", "Call", "Scene", "Step", "scene_for")

Call: TypeAlias = tuple[str, Mapping[str, Any]]
"""A tool and its arguments; `{topic}` in a text is the question."""


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of the model that calls tools."""

    thought: str
    said: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """An answer: some steps, then a text."""

    pattern: re.Pattern[str]
    steps: tuple[Step, ...]
    answer: str
    thought: str = "The tools have answered. I will say what came of it."


HELP_QUESTION = re.compile(r"what can you (do|show)\b.*|help", re.IGNORECASE)

HELP = """\
I am a script that needs no key, but what you see is streamed as a real agent streams it. Try:

- *Take me on a tour*: all of it in one run
- *How does a LangGraph agent get into a web page?*: two tools at once, sources, state
- *Show me a slow tool*: progress while it works
- *Let a sub-agent look into streaming*: its conversation in the tool's card
- *What happens when a tool fails?*
- *Draw me a chart*: an image
- *Send an e-mail to Ada*: asks for your approval first
- *Ask me something*: a question to you in the middle of a run
"""

SEARCH: Call = ("search_docs", {"query": "{topic}", "limit": 3})
NOTE: Call = ("take_note", {"text": "The user wants to know: {topic}"})
FAIL: Call = ("read_sensor", {"place": "the roof"})
REPORT: Call = ("build_report", {"subject": "{topic}", "chapters": 5})
RESEARCH: Call = ("research", {"task": "Find out in two sentences: {topic}"})
CHART: Call = ("draw_chart", {"title": "Chunks per second", "values": [12, 31, 27, 44, 58, 53]})
EMAIL: Call = (
    "send_email",
    {
        "to": "ada@example.com",
        "subject": "About: {topic}",
        "text": "Dear Ada,\n\nhere is what I have found.\n\nYours, the demo",
    },
)
ASK: Call = (
    "ask_user",
    {"question": "How long may the answer be?", "options": ["Short", "Long", "You decide"]},
)

DEFAULT = Scene(
    re.compile(""),
    (
        Step(
            "The question is “{topic}”. I should not answer from memory alone. I will search the "
            "documentation, and write the topic down so that it is not lost. The two do not depend "
            "on each other, so both can run at once.",
            "Let me look this up.",
            (SEARCH, NOTE),
        ),
    ),
    """\
You asked: *{topic}*. I am a script, so take my word for nothing; what carries it is real: \
the graph, its tools, its state and the stream that brings them here.

### What the search found

{findings}

### What you have just seen

1. My reasoning came before the answer, and you can unfold it.
2. Two tools ran side by side. Their arguments grew while they were being written.
3. `take_note` changed the state of the graph: this thread has {notes} now.

The same for an agent of yours:

```python
from assistant_stream_ce import create_app

app = create_app(graph, playground=True)
```
""",
    "Both tools have answered. I will sum up what they found and name the sources.",
)

_WENT_SO = "\n\n### What the tools said\n\n{results}\n"


def _scene(pattern: str, thought: str, said: str, *calls: Call, answer: str) -> Scene:
    step = Step(thought, said, calls)
    return Scene(re.compile(pattern, re.IGNORECASE), (step,), answer + _WENT_SO)


SCENES = (
    Scene(
        re.compile(r"\b(tour|everything)\b", re.IGNORECASE),
        (
            Step(
                "They want to see all of it. First what can run at once: a search, a note, and a "
                "sensor that I know to be broken, to see what becomes of an error.",
                "First, three tools at once. One of them will fail.",
                (SEARCH, NOTE, FAIL),
            ),
            Step(
                "The sensor is broken, as I thought; I can go on without it. Now the tools that "
                "take their time, and the sub-agent.",
                "Now a slow one, a sub-agent and a picture.",
                (REPORT, RESEARCH, CHART),
            ),
            Step(
                "An e-mail leaves the house, so a person has to agree.",
                "This needs your approval.",
                (EMAIL,),
            ),
            Step("One question is open before I can answer.", "And I have a question.", (ASK,)),
        ),
        "That was the tour." + _WENT_SO + "\n### What the search found\n\n{findings}\n",
    ),
    _scene(
        r"\b(slow|progress)\b",
        "A report takes a while. I will say how far I have come.",
        "This takes a moment.",
        REPORT,
        answer="The tool told its progress while it worked, and it left the report as an artifact.",
    ),
    _scene(
        r"\b(sub-?agents?|delegate)\b",
        "This is a task of its own, with a search in it. A sub-agent can do it, and I get only "
        "what came of it.",
        "I will give this to a sub-agent.",
        RESEARCH,
        answer="The sub-agent had its own conversation. It is in the card of the call.",
    ),
    _scene(
        r"\b(fails?|failing|fail|broken|error)\b",
        "I know a sensor that is broken. Calling it shows what an error looks like.",
        "I will try the broken sensor.",
        FAIL,
        answer="The tool failed, the graph did not: I was told of the error and could go on.",
    ),
    _scene(
        r"\b(image|picture|chart|draw)\b",
        "A picture says more. The tool draws it and gives back an image.",
        "Here it comes.",
        CHART,
        answer="The tool's result holds an image, which came over the wire like any text.",
    ),
    _scene(
        r"\b(approv\w+|e-?mail|mail)\b",
        "An e-mail leaves the house, so a person has to agree first.",
        "I have written it. Shall I send it?",
        EMAIL,
        answer="The run had stopped until you decided, and went on from there.",
    ),
    _scene(
        r"\bask me\b",
        "I may ask. The graph waits until there is an answer, however long that takes.",
        "One question first.",
        ASK,
        answer="Thank you. The run had stopped until you answered.",
    ),
)


def scene_for(topic: str) -> Scene:
    """The scene for a question."""
    return next((scene for scene in SCENES if scene.pattern.search(topic)), DEFAULT)
