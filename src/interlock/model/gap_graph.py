"""The graph of open gaps and things to find out: what has to be closed before what, and what holds most up."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import GapClass, Gate, Model, Owner, RuleOutcome, Severity
from interlock.model.finding import Subject


def open_question(title: str, question: str | None) -> str:
    """What is asked while a rule is undecided: its question, or its title, which states a gap, as one."""
    return question or f"Does this hold? “{title}”"


class GapNode(Model):
    """One open gap or discovery task of the working graph.

    :ivar kind: ``gap`` (the rule's outcome) or ``discovery`` (the rule is undecided).
    :ivar wave: 0-based generation; everything in a wave can start together.
    :ivar blocks: how many ``organisation × gate`` requirements lie behind this node (itself included).
    :ivar orgs: organisations concerned.
    :ivar question: what is asked while it is undecided, where its rule says so.
    """

    key: str
    rule: str
    subject: Subject
    kind: Literal["gap", "discovery"]
    title: str
    message: str
    severity: Severity
    gap_class: GapClass
    gate: Gate
    owner: Owner
    wave: int
    blocks: int
    orgs: tuple[str, ...]
    outcome: RuleOutcome
    question: str | None = None

    @property
    def label(self) -> str:
        """The title of a gap; of what is not decided the question, so that nobody takes it for a gap."""
        return self.title if self.kind == "gap" else open_question(self.title, self.question)


class GapEdge(Model):
    """``before`` has to be closed first; ``after`` waits for it."""

    before: str
    after: str


class RootCause(Model):
    """An immediate dominator: every path to the gates named passes through this gap.

    :ivar key: the node's key, or the rule's id when several organisations' nodes of one rule are grouped.
    :ivar gate: the first gate that these organisations have not passed.
    :ivar nodes: keys of the nodes grouped here.
    """

    key: str
    orgs: tuple[str, ...]
    gate: Gate
    sentence: str
    nodes: tuple[str, ...] = ()


class GapGraph(Model):
    """The working graph: nodes in order of wave, severity and key; ``reduced`` is the transitive reduction's edges."""

    nodes: tuple[GapNode, ...] = ()
    edges: tuple[GapEdge, ...] = ()
    reduced: tuple[GapEdge, ...] = ()
    waves: tuple[tuple[str, ...], ...] = ()
    root_causes: tuple[RootCause, ...] = ()

    def node(self, key: str) -> GapNode | None:
        """The node with this key, or none."""
        return next((node for node in self.nodes if node.key == key), None)
