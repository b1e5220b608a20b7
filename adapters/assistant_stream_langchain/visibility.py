"""What a client gets to see of the runs inside a chain, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = ("Action", "Rule", "Visibility", "is_internal_call")

Action: TypeAlias = Literal["hide", "inline", "nest"]
"""`"hide"` shows nothing, `"inline"` shows it as part of the answer, `"nest"` shows it under the
tool call that it runs in (the same as `"inline"` outside of any)."""

_INTERNAL_TAGS = frozenset({"nostream", "langsmith:nostream"})
_INTERNAL_METADATA = ("lc_internal_call", "lc_source")
_HOOKS = (".before_agent", ".before_model", ".after_model", ".after_agent")
"""How the nodes are named in which `create_agent` runs the hooks of middleware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. It applies when everything that it names matches.

    ```python
    Rule(action="hide", node="grader")
    Rule(action="inline", tag="answer", model="gpt-5")
    ```
    """

    action: Action
    tag: str | None = None
    """A tag of the run."""
    node: str | None = None
    """The LangGraph node that it runs in."""
    namespace: str | None = None
    """A subgraph or sub-agent that it runs in, by the name of the node that holds it."""
    model: str | None = None
    """The model's name, as the provider's client reports it."""
    name: str | None = None
    """The run's name: `run_name`, or the name of the tool, model or retriever."""

    @property
    def names_nothing(self) -> bool:
        """Whether the rule applies to every run."""
        return not any((self.tag, self.node, self.namespace, self.model, self.name))

    def applies(self, tags: Sequence[str], metadata: Mapping[str, Any], name: str | None) -> bool:
        """Whether the rule applies to a run."""
        return (
            (self.tag is None or self.tag in tags)
            and (self.node is None or self.node == metadata.get("langgraph_node"))
            and (self.namespace is None or self.namespace in _namespace(metadata))
            and (self.model is None or self.model == metadata.get("ls_model_name"))
            and (self.name is None or self.name == name)
        )


@dataclass(frozen=True, slots=True)
class Visibility:
    """Decides what is shown: the first rule that applies, or else the default.

    A run that a rule hides is hidden with all that runs inside it. With `default="hide"` only what
    a rule shows is shown, however deep in the chain it runs.

    By default everything is shown and what runs inside a tool is nested under its call, except
    what the client is never meant to see: runs tagged `nostream`, and calls that middleware
    makes for itself (summaries, tool selection, and all models that its hooks ask: guards,
    judges).
    """

    rules: Sequence[Rule] = ()
    default: Action = "nest"
    show_internal: bool = False
    """Whether internal calls are shown like any other."""

    def decide(
        self,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> Action:
        """Return what to do with a run of these tags, this metadata and this name."""
        return self.find(tags, metadata, name)[0]

    def find(
        self,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> tuple[Action, bool]:
        """Return what to do with a run, and whether that is said of this one: what a rule that
        names something hides, it hides with all that runs inside; the default does not."""
        tags, metadata = tags or (), metadata or {}
        for rule in self.rules:
            if rule.applies(tags, metadata, name):
                return rule.action, not rule.names_nothing
        if not self.show_internal and is_internal_call(tags, metadata):
            return "hide", True
        return self.default, False

    def withholds(
        self, tags: Sequence[str] | None = None, metadata: Mapping[str, Any] | None = None
    ) -> bool:
        """Whether a model call is hidden, and only because it is internal: no rule says so. What
        it has said is shown nevertheless if the graph makes a message of it."""
        tags, metadata = tags or (), metadata or {}
        if self.show_internal or not is_internal_call(tags, metadata):
            return False
        return not any(rule.applies(tags, metadata, None) for rule in self.rules)

    def seals(self, namespace: Sequence[str]) -> bool:
        """Whether all that is said in a LangGraph namespace is withheld: a hook runs that graph."""
        path = "|".join((*namespace, ""))
        return self.withholds(None, {"langgraph_checkpoint_ns": path, "ls_model_type": "chat"})


def is_internal_call(tags: Sequence[str] | None, metadata: Mapping[str, Any] | None) -> bool:
    """Whether tags or metadata mark a run as none of the client's business."""
    if tags and not _INTERNAL_TAGS.isdisjoint(tags):
        return True
    if metadata is None:
        return False
    return any(metadata.get(key) for key in _INTERNAL_METADATA) or _is_asked_by_hook(metadata)


def _is_asked_by_hook(metadata: Mapping[str, Any]) -> bool:
    """Whether a hook of middleware asks a model, itself or in a graph that it runs. What a hook
    retrieves or tells as an event is nobody's secret."""
    if "ls_model_type" not in metadata:
        return False
    return any(node.endswith(_HOOKS) for node in _nodes(metadata))


def _namespace(metadata: Mapping[str, Any]) -> list[str]:
    """The nodes around the node that a run is in."""
    return _nodes(metadata)[:-1]


def _nodes(metadata: Mapping[str, Any]) -> list[str]:
    """The nodes that a run is in: `outer:<task>|inner:<task>` without the task ids."""
    path = metadata.get("langgraph_checkpoint_ns") or metadata.get("checkpoint_ns") or ""
    return [segment.split(":", 1)[0] for segment in str(path).split("|")]
