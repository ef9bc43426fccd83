"""Assessments on a terminal: the short summary, the score, the gaps, the plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from interlock.cli.output import (
    blank,
    console,
    emit,
    say,
    say_paragraph,
    show_heading,
    show_paragraph,
    show_table,
    wrapped,
)
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.content import ContentChange, first_changes, told_changes
from interlock.model.readiness import OrgReadiness, Score
from interlock.model.text import plain

if TYPE_CHECKING:
    from interlock.model.assessment import Assessment
    from interlock.model.evidence import EvidenceTask
    from interlock.model.gap_graph import GapNode
    from interlock.model.plan import FirstThing
    from interlock.plan.explanation import GapExplanation
    from interlock.usecases.score import ScoreResult

#: Changes of the shipped content that are named one by one.
TOLD_CHANGES = 10

_SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "dim",
}


def _stage(readiness: OrgReadiness) -> str:
    """The stage in words; says when it was never observed, and what it would be if the unknowns held."""
    stage = words.stage(readiness.stage)
    if readiness.observed in {"not_observed", "never_probed"}:
        stage += f" ({words.OBSERVED[readiness.observed].phrase})"
    best = readiness.stage_if_unknowns_hold
    if best != readiness.stage and best is not None:
        stage += f", {words.stage(best)} if the unknowns hold"
    return stage


def _interval(score: Score) -> str:
    return words.interval(score.interval.low, score.interval.high)


def _opening(text: str) -> str:
    """As many whole sentences from the start of a paragraph as fit into 240 characters, and always the first."""
    sentences = re.split(r"(?<=[.!?])\s", plain(text, 2000))
    taken = sentences[0]
    for sentence in sentences[1:]:
        if len(taken) + 1 + len(sentence) > 240:
            break
        taken += " " + sentence
    return taken


def show_summary(assessment: Assessment) -> None:
    """The end of the main job: verdict, stages, the first three things to do, and what may be said of the dates."""
    out = console()
    verdict, plan = assessment.verdict, assessment.plan
    blank()
    show_heading(f"Verdict: {words.verdict_label(verdict.value, verdict.latest)}")
    out.print(Text(plain(verdict.headline, 400)))
    if verdict.organizations:
        out.print(Text(plain(verdict.organizations, 400)))
    out.print(Text(f"Next: {plain(verdict.next_step, 400)}").append(_ids(verdict.next_rules)))
    blank()
    names = {org.id: org.name for org in assessment.organizations}
    show_table(
        ["Organisation", "Stage", "Score", "Recommended"],
        [
            (
                names[readiness.org],
                _stage(readiness),
                _interval(readiness.score),
                words.RECOMMENDATION[readiness.recommendation].phrase,
            )
            for readiness in assessment.readiness
        ],
    )
    say_changes(assessment.content_changes)
    if plan.first:
        blank()
        show_heading("First three things to do")
        for number, thing in enumerate(plan.first[:3], 1):
            show_paragraph(_first(thing), f"{number}. ")
            show_paragraph(" ".join(filter(None, (_opening(thing.more), f"[{thing.key}]"))), "   ", "dim")
    blank()
    for sentence in plan.ground.said[:1]:
        show_paragraph(sentence)
    blank()


def say_first_thing(thing: FirstThing) -> None:
    """The first thing to do, beside the next question to answer; its id on a line of its own."""
    say_paragraph(" ".join(filter(None, (f"First to do: {words.sentence(_first(thing))}", _opening(thing.more)))))
    say(f"  {thing.key}")
    say("What to do after it: interlock plan")


def _first(thing: FirstThing) -> str:
    """What to do, in words alone."""
    where = f" {thing.where}" if thing.where else ""
    return f"{plain(thing.headline, 200)}{where}"


def _ids(keys: Sequence[str]) -> Text:
    """The ids behind words, after them and dimmed."""
    return Text(f"  [{words.listed(keys, 3)}]" if keys else "", "dim")


def show_score(result: ScoreResult) -> None:
    """Verdict, one row for the product and each organisation, and what would change the verdict."""
    verdict = result.verdict
    label = f"{words.verdict(verdict.value, verdict.latest)}. " if verdict.settled else ""
    say_paragraph(f"{result.product}: {label}{plain(verdict.headline, 600)}")
    if verdict.organizations:
        say_paragraph(plain(verdict.organizations, 600))

    def row(name: str, stage: str, score: Score, recommended: str = "") -> tuple[object, ...]:
        shares = words.share(score.completeness), words.share(score.confidence)
        return name, stage, _interval(score), *shares, recommended

    show_table(
        ["", "Stage", "Score", "Complete", "Confidence", "Recommended"],
        [
            row("product", "", result.product_score),
            *(
                row(own.org, _stage(own), own.score, words.RECOMMENDATION[own.recommendation].phrase)
                for own in result.organizations
            ),
        ],
    )
    say_changes(result.content_changes)
    if result.product_score.caps:
        say_paragraph(f"product: score {'; '.join(result.product_score.caps)}")
        _say_ids(result.product_score.capped_by)
    for own in result.organizations:
        reasons = [*([own.held] if own.held else []), *(f"score {cap}" for cap in own.score.caps)]
        if reasons:
            say_paragraph(f"{own.org}: {'; '.join(reasons)}")
            weak = next((gate.weak for gate in own.gates if not gate.holds), ())
            _say_ids((*(entry.key for entry in weak), *own.score.capped_by))
    for change in result.verdict.changes:
        would = "would become" if change.direction == "later" else "would fall back to"
        say(f"The verdict {would} “{words.verdict(change.verdict, change.latest)}” with:")
        for answer in change.answers:
            where = f" ({answer.org})" if answer.org else ""
            say_paragraph(f"{plain(answer.text or answer.item, 200)}{where}", "  ")
            say_paragraph(f"{plain(answer.before, 90)} → {plain(answer.after, 90)}  [{answer.item}]", "    ")


def _say_ids(keys: Sequence[str]) -> None:
    """The ids behind the words above, on a line of their own."""
    if keys:
        say_paragraph(f"[{words.listed(keys, 3)}]", "  ")


def say_changes(changes: Sequence[ContentChange]) -> None:
    """How the workspace's own content differs from the shipped one, blockers turned off first."""
    if changes:
        say_paragraph(told_changes(changes))
        for told in first_changes(changes, TOLD_CHANGES, "interlock score --format json"):
            say_paragraph(told, "  - ")


_GAP_COLUMNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Id", {"no_wrap": True, "min_width": 20}),
    ("Severity", {"no_wrap": True, "min_width": 8}),
    ("Gate", {"no_wrap": True, "min_width": 10}),
    ("What is open", {"ratio": 1}),
    ("Blocks", {"justify": "right"}),
)


def _kind(node: GapNode) -> Text:
    if node.kind == "discovery":
        return Text(words.TASK["discovery"].phrase, "cyan")
    return Text(words.SEVERITY[node.severity].phrase, _SEVERITY_STYLES[node.severity])


def show_gaps(assessment: Assessment, org: str | None = None) -> None:
    """Open gaps and discovery tasks by wave, then the root causes."""
    nodes = [node for node in assessment.graph.nodes if org is None or org in node.orgs]
    if not nodes:
        say("Nothing is open.")
        return
    for wave in sorted({node.wave for node in nodes}):
        show_heading("Wave 1: can start now" if wave == 0 else f"Wave {wave + 1}")
        rows = [
            (node.key, _kind(node), words.GATE[node.gate].phrase, node.label, node.blocks)
            for node in nodes
            if node.wave == wave
        ]
        show_table(_GAP_COLUMNS, rows)
        blank()
    for cause in assessment.graph.root_causes:
        if org is None or org in cause.orgs:
            say_paragraph(plain(cause.sentence, 400))


def show_evidence(tasks: Sequence[EvidenceTask]) -> None:
    """What is met, and whose evidence a gate does not accept, or has expired."""
    if not tasks:
        return
    blank()
    show_heading("Met, with evidence to renew or to gather (the product team)")
    columns: list[Any] = [("Id", {"no_wrap": True}), "Gate", ("What is wanted", {"ratio": 1}), "Answers"]
    rows = [
        (
            task.key,
            words.GATE[task.gate].phrase,
            f"“{task.title}” is not so: {task.sentence}",
            words.listed(task.items, limit=2),
        )
        for task in tasks
    ]
    show_table(columns, rows)


def show_explanation(explanation: GapExplanation) -> None:
    """Print why one gap is open, what it rests on and what to do about it."""
    for line in explanation.text().splitlines():
        indent = line[: len(line) - len(line.lstrip())] + "  "
        emit("\n".join(wrapped(line, indent=indent)) if line else "")
