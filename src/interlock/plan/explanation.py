"""The explanation of one finding: what it rests on, what it waits for, what it blocks, and how it is closed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Literal

import networkx as nx

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Evidence, GapClass, Gate, Model, Reference, RuleOutcome, Severity
from interlock.model.errors import InterlockError
from interlock.model.finding import Finding, Subject, is_requirement, statement
from interlock.model.gap_graph import GapNode, open_question
from interlock.model.plan import PlanTask
from interlock.model.rule import Remediation
from interlock.model.text import paragraph, plain

#: First part of a dotted name that a rule reads → where that value comes from.
_ORIGINS = {
    "responses": "answer",
    "value": "answer",
    "probe": "observation",
    "checks": "observation",
    "fit": "observation",
    "contract": "contract",
    "settings": "organisation",
    "org": "organisation",
    "fleet": "organisation",
    "vendor": "organisation",
    "organizations": "organisation",
}


class ReadValue(Model):
    """One value that the rule reads. ``known`` is false when it is what is missing for a decision.

    :ivar says: what the answer or the check said, with its evidence and date, where that is at hand.
    """

    name: str
    origin: Literal["answer", "observation", "contract", "organisation", "other"]
    known: bool
    says: str | None = None

    def text(self) -> str:
        """One line."""
        return f"{self.name} ({self.origin}{'' if self.known else ', missing'}){f': {self.says}' if self.says else ''}"


class LinkedGap(Model):
    """Another open finding that this one waits for or holds up."""

    key: str
    title: str
    kind: Literal["gap", "discovery"]
    question: str | None = None

    def text(self) -> str:
        """One line; of what is not decided the question, so that nobody takes it for a gap."""
        return f"{self.key}: {self.title if self.kind == 'gap' else open_question(self.title, self.question)}"


class BlockedGate(Model):
    """One gate of one organisation that cannot hold before this is closed. ``org`` none stands for the product."""

    org: str | None
    gate: Gate


class GapExplanation(Model):
    """Everything known about one finding, from its evidence to its remediation.

    :ivar statement: the message of a gap, or what is missing while undecided.
    :ivar reads: what the rule's condition reads, and whether it was there.
    :ivar waits_for: open findings that have to be closed directly before this one.
    :ivar roots: the open findings at the very start of that chain; empty when this can start now.
    :ivar holds_up: open findings that wait directly for this one.
    :ivar blocks: gates that cannot hold meanwhile, everything downstream counted.
    :ivar root_cause: the sentence of the root cause that this finding is part of, if it is.
    :ivar task: its task in the plan, when the plan needs it.
    """

    key: str
    rule: str
    subject: Subject
    outcome: RuleOutcome
    title: str
    statement: str
    why: str
    severity: Severity
    gap_class: GapClass
    gate: Gate
    evidence: Evidence | None
    reads: tuple[ReadValue, ...]
    missing_answers: tuple[str, ...]
    missing_facts: tuple[str, ...]
    waits_for: tuple[LinkedGap, ...]
    roots: tuple[LinkedGap, ...]
    holds_up: tuple[LinkedGap, ...]
    blocks: tuple[BlockedGate, ...]
    root_cause: str | None
    remediation: Remediation
    source: tuple[str, ...]
    references: tuple[Reference, ...]
    task: PlanTask | None

    def text(self) -> str:
        """The explanation as plain text, one thing a line, without control characters."""
        lines = [
            f"{self.key}: {self.title}",
            f"{words.RULE[self.outcome].phrase} · {words.SEVERITY[self.severity].phrase} · "
            f"{words.GAP_CLASS[self.gap_class].phrase} · {words.gate(self.gate)}",
            "",
            self.statement,
            f"Why it matters: {self.why}",
            f"Evidence: {words.EVIDENCE[self.evidence].phrase if self.evidence else 'none, because it is not decided'}",
            *_section("Rests on", [read.text() for read in self.reads]),
            *_section("Would be decided by an answer to", self.missing_answers),
            *_section("Would be decided by observing", self.missing_facts),
            *_section("Waits for", [link.text() for link in self.waits_for]),
            *_section("Starts with", [link.text() for link in self.roots]),
            *_section("Holds up", [link.text() for link in self.holds_up]),
            *_section("Blocks", [f"{gate.org or 'product'}: {words.gate(gate.gate)}" for gate in self.blocks]),
            *([self.root_cause] if self.root_cause else []),
            f"What to do ({words.OWNER[self.remediation.owner].phrase}): {self.remediation.text}",
            *self._times(),
            *_section("References", [f"{reference.title}, {reference.url}" for reference in self.references]),
        ]
        return paragraph("\n".join(plain(line, 2_000) for line in lines), 40_000) + "\n"

    def _times(self) -> list[str]:
        effort, lead = self.remediation.effort, self.remediation.lead_time
        lines = [f"Effort: {effort.low:g} to {effort.high:g} person-days, most likely {effort.expected:g} (judgement)"]
        if lead:
            unit = lead.unit.replace("_", " ")
            span = f"{lead.low:g} to {lead.high:g} {unit}, most likely {lead.expected:g}"
            source = lead.source if lead.source == lead.grade.value else f"{lead.grade.value}, {lead.source}"
            lines.append(f"Lead time: {span} ({source}, {lead.as_of})")
        if self.task:
            lines.append(
                f"In the plan: starts on day {self.task.start_p50:g}, done on day {self.task.finish_p50:g} (P50); "
                f"on the critical path in {words.share(self.task.criticality)} of runs"
            )
        return lines


def _section(title: str, entries: Sequence[str]) -> list[str]:
    """A titled list, shortened after 20 entries; nothing without entries."""
    if not entries:
        return []
    more = [f"- and {len(entries) - 20:,} more"] if len(entries) > 20 else []
    return [f"{title}:", *(f"- {entry}" for entry in entries[:20]), *more]


def explain(key: str, assessment: Assessment) -> GapExplanation:
    """Explains the finding with this key (``AUTH-003``, ``AUTH-003@vendor:epic``, ``AUTH-003@riverside``).

    :raises InterlockError: no finding has this key; the message names the keys that come closest.
    """
    finding = _find(key, assessment)
    rule = assessment.rules[finding.rule]
    nodes = {node.key: node for node in assessment.graph.nodes}
    graph = nx.DiGraph()
    graph.add_node(key)
    graph.add_edges_from((edge.before, edge.after) for edge in assessment.graph.reduced)

    def links(keys: Iterable[str]) -> tuple[LinkedGap, ...]:
        """In the graph's order."""
        wanted = set(keys)
        return tuple(
            LinkedGap(key=n.key, title=n.title, kind=n.kind, question=n.question)
            for n in nodes.values()
            if n.key in wanted
        )

    return GapExplanation(
        key=finding.key,
        rule=rule.id,
        subject=finding.subject,
        outcome=finding.outcome,
        title=rule.title,
        statement=statement(finding),
        why=rule.why,
        severity=rule.severity,
        gap_class=rule.gap_class,
        gate=rule.gate,
        evidence=finding.evidence,
        reads=_reads(finding),
        missing_answers=finding.missing_answers,
        missing_facts=finding.missing_facts,
        waits_for=links(graph.predecessors(key)),
        roots=links(first for first in nx.ancestors(graph, key) if not graph.in_degree(first)),
        holds_up=links(graph.successors(key)),
        blocks=_blocks([nodes[later] for later in {key, *nx.descendants(graph, key)} if later in nodes], assessment),
        root_cause=next((cause.sentence for cause in assessment.graph.root_causes if key in cause.nodes), None),
        remediation=rule.remediation,
        source=rule.source,
        references=rule.references,
        task=next((task for task in assessment.plan.tasks if task.id == key), None),
    )


def _find(key: str, assessment: Assessment) -> Finding:
    for finding in assessment.findings:
        if finding.key == key:
            return finding
    keys = [finding.key for finding in assessment.findings]
    near = sorted(other for other in keys if other.split("@")[0] == key)[:4]
    near = near or difflib.get_close_matches(key[:100], keys, n=3, cutoff=0.5)
    remedy = f"did you mean {' or '.join(near)}?" if near else "list the findings with interlock gaps"
    raise InterlockError(f"no finding is called {plain(key, 80)}", remedy=remedy)


def _reads(finding: Finding) -> tuple[ReadValue, ...]:
    reads = []
    for name in dict.fromkeys(finding.reads):
        head, _, rest = name.partition(".")
        origin = _ORIGINS.get(head, "other")
        lacking = finding.missing_answers if origin == "answer" else finding.missing_facts
        known = not any(_same(missing, name) or _same(missing, rest) for missing in lacking)
        reads.append(ReadValue.model_validate({"name": name, "origin": origin, "known": known}))
    return tuple(reads)


def _same(missing: str, name: str) -> bool:
    """True when ``missing`` is ``name`` or a part of it, or the reverse: ``smart`` covers ``smart.capabilities``."""
    return missing == name or name.startswith(missing + ".") or missing.startswith(name + ".")


def _blocks(nodes: Sequence[GapNode], assessment: Assessment) -> tuple[BlockedGate, ...]:
    blocked: set[tuple[str | None, Gate]] = set()
    for node in nodes:
        if is_requirement(assessment.rules[node.rule]):
            orgs: tuple[str | None, ...] = node.orgs if assessment.organizations else (None,)
            blocked.update((org, node.gate) for org in orgs)
    ordered = sorted(blocked, key=lambda gate: (gate[0] or "", gate[1].rank))
    return tuple(BlockedGate(org=org, gate=gate) for org, gate in ordered)
