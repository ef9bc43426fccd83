"""Assessments on a terminal: the short summary, the score, the gaps, the plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from interlock.cli.output import (
    cell_text,
    console,
    emit,
    make_table,
    say,
    say_paragraph,
    show_table,
    wrapped,
)
from interlock.documents.text import plain
from interlock.model.assessment import Assessment
from interlock.model.base import Severity
from interlock.model.content import ContentChange, first_changes, told_changes
from interlock.model.readiness import OrgReadiness, Score, VerdictChange

if TYPE_CHECKING:
    from interlock.gaps.explanation import GapExplanation
    from interlock.usecases.score import ScoreResult

#: Changes of the shipped content that are named one by one.
TOLD_CHANGES = 10

SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "dim",
}


def stage_words(readiness: OrgReadiness) -> str:
    """The stage in words; says when it was never observed, and what it would be if the unknowns held."""
    stage = readiness.stage.value if readiness.stage else "before design"
    if readiness.observed in {"not_observed", "never_probed"}:
        why = "not observed" if readiness.observed == "not_observed" else "never probed"
        stage = f"{stage} ({why})"
    best = readiness.stage_if_unknowns_hold
    if best != readiness.stage and best is not None:
        stage += f", {best.value} if the unknowns hold"
    return stage


def interval_words(score: Score) -> str:
    """``62 to 88``, or one number when nothing is unknown."""
    low, high = score.interval.low, score.interval.high
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"


def verdict_words(value: str) -> str:
    """A verdict's value for a sentence: ``define contract``."""
    return value.replace("_", " ").replace("ehr", "EHR")


def opening(text: str, limit: int = 240) -> str:
    """As many whole sentences from the start of a paragraph as fit, and always the first."""
    sentences = re.split(r"(?<=[.!?])\s", plain(text, 2000))
    taken = sentences[0]
    for sentence in sentences[1:]:
        if len(taken) + 1 + len(sentence) > limit:
            break
        taken += " " + sentence
    return taken


def show_summary(assessment: Assessment) -> None:
    """The end of the main job: verdict, stages, the first three things to do, P50 and P80."""
    out = console()
    verdict, plan = assessment.verdict, assessment.plan
    out.print()
    provisional = " (provisional)" if verdict.provisional else ""
    out.print(Text.assemble((f"Verdict: {verdict_words(verdict.value.value)}{provisional}", "bold")))
    out.print(Text(plain(verdict.headline, 400)))
    out.print(Text(f"Next: {plain(verdict.next_step, 400)}"))
    out.print()
    names = {org.id: org.name for org in assessment.organizations}
    show_table(
        ["Organisation", "Stage", "Score", "Verdict there"],
        [
            (
                names[s.org],
                stage_words(s),
                interval_words(s.score),
                verdict_words(s.verdict.value) + (" (provisional)" if s.verdict_provisional else ""),
            )
            for s in assessment.readiness
        ],
    )
    say_changes(assessment.content_changes)
    if plan.first:
        out.print()
        out.print(Text("First three things to do", "bold"))
        for number, thing in enumerate(plan.first[:3], 1):
            for line in wrapped(f"{thing.key}  {plain(thing.title, 200)}", f"{number}. "):
                out.print(Text(line), soft_wrap=True)
            for line in wrapped(opening(thing.action), "   "):
                out.print(Text(line, "dim"), soft_wrap=True)
    out.print()
    out.print(
        Text(
            f"Every organisation past the {plan.target_gate.value} gate: P50 {plan.finish.p50_date}, "
            f"P80 {plan.finish.p80_date} ({plan.judgement_share:.0%} of the critical path rests on judgement)"
        )
    )
    out.print()


def change_words(change: VerdictChange) -> str:
    """What would change the verdict, one answer a line."""
    would = "would become" if change.direction == "later" else "would fall back to"
    lines = [f"The verdict {would} “{verdict_words(change.verdict.value)}” with:"]
    for answer in change.answers:
        where = f" ({answer.org})" if answer.org else ""
        lines.append(f"  {answer.item}{where}: {plain(answer.before, 90)} → {plain(answer.after, 90)}")
    return "\n".join(lines)


def show_score(result: ScoreResult) -> None:
    """Verdict and one row for the product and each organisation."""
    provisional = " (provisional)" if result.verdict.provisional else ""
    verdict = verdict_words(result.verdict.value.value) + provisional
    say_paragraph(f"{result.product}: {verdict}. {plain(result.verdict.headline, 600)}")

    def row(name: str, stage: str, score: Score) -> tuple[object, ...]:
        return name, stage, interval_words(score), f"{score.completeness:.0%}", f"{score.confidence:.0%}"

    show_table(
        ["", "Stage", "Score", "Complete", "Confidence"],
        [
            row("product", "", result.product_score),
            *(row(s.org, stage_words(s), s.score) for s in result.organizations),
        ],
    )
    say_changes(result.content_changes)
    notes = dict.fromkeys(cap for s in result.organizations for cap in s.score.caps)
    for cap in notes:
        say_paragraph(f"capped: {cap}")


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


def show_gaps(assessment: Assessment, org: str | None = None) -> None:
    """Open gaps and discovery tasks by wave, then the root causes."""
    nodes = [node for node in assessment.graph.nodes if org is None or org in node.orgs]
    if not nodes:
        say("Nothing is open.")
        return
    out = console()
    for wave in sorted({node.wave for node in nodes}):
        out.print(Text("Wave 1: can start now" if wave == 0 else f"Wave {wave + 1}", "bold"))
        table = make_table(_GAP_COLUMNS)
        for node in (node for node in nodes if node.wave == wave):
            kind = "unknown" if node.kind == "discovery" else node.severity.value
            style = "cyan" if node.kind == "discovery" else SEVERITY_STYLES[node.severity]
            table.add_row(node.key, Text(kind, style), node.gate.value, cell_text(node.label), str(node.blocks))
        out.print(table)
        out.print()
    for cause in assessment.graph.root_causes:
        if org is None or org in cause.orgs:
            say_paragraph(plain(cause.sentence, 400))


def show_story(story: GapExplanation) -> None:
    """One gap, told."""
    for line in story.text().splitlines():
        indent = line[: len(line) - len(line.lstrip())] + "  "
        emit("\n".join(wrapped(line, indent=indent)) if line else "")
