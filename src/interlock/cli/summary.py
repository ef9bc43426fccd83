"""Assessments on a terminal: the short summary, the score, the gaps, the plan."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from rich.text import Text

from interlock.cli.output import cell_text, console, emit, make_table, say, show_table
from interlock.documents.text import plain
from interlock.model.assessment import Assessment, OrgStanding, Score
from interlock.model.base import Severity

if TYPE_CHECKING:
    from interlock.gaps.story import GapStory
    from interlock.usecases.score import ScoreResult

SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "dim",
}


def stage_words(standing: OrgStanding) -> str:
    """The stage in words; says when it was never observed, and what it would be if the unknowns held."""
    stage = standing.stage.value if standing.stage else "before design"
    if standing.observed in {"not_observed", "never_probed"}:
        why = "not observed" if standing.observed == "not_observed" else "never probed"
        stage = f"{stage} ({why})"
    best = standing.stage_if_unknowns_hold
    if best != standing.stage and best is not None:
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
            for s in assessment.standings
        ],
    )
    if plan.first:
        out.print()
        out.print(Text("First three things to do", "bold"))
        for number, thing in enumerate(plan.first[:3], 1):
            out.print(Text(f"{number}. {thing.key}  {plain(thing.title, 200)}"))
            out.print(Text(textwrap.indent(textwrap.fill(opening(thing.action), 92), "   "), "dim"))
    out.print()
    out.print(
        Text(
            f"Every organisation past the {plan.target_gate.value} gate: P50 {plan.finish.p50_date}, "
            f"P80 {plan.finish.p80_date} ({plan.judgement_share:.0%} of the critical path rests on judgement)"
        )
    )
    out.print()


def show_score(result: ScoreResult) -> None:
    """Verdict and one row for the product and each organisation."""
    provisional = " (provisional)" if result.verdict.provisional else ""
    verdict = verdict_words(result.verdict.value.value) + provisional
    say(f"{result.product}: {verdict}. {plain(result.verdict.headline, 600)}")

    def row(name: str, stage: str, score: Score) -> tuple[object, ...]:
        return name, stage, interval_words(score), f"{score.completeness:.0%}", f"{score.confidence:.0%}"

    show_table(
        ["", "Stage", "Score", "Complete", "Confidence"],
        [
            row("product", "", result.product_score),
            *(row(s.org, stage_words(s), s.score) for s in result.organizations),
        ],
    )
    notes = dict.fromkeys(cap for s in result.organizations for cap in s.score.caps)
    for cap in notes:
        say(f"capped: {cap}")


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
            title = node.title if node.kind == "gap" else f"To find out: {node.title}"
            style = "cyan" if node.kind == "discovery" else SEVERITY_STYLES[node.severity]
            table.add_row(node.key, Text(kind, style), node.gate.value, cell_text(title), str(node.blocks))
        out.print(table)
        out.print()
    for cause in assessment.graph.root_causes:
        if org is None or org in cause.orgs:
            say(plain(cause.sentence, 400))


def show_story(story: GapStory) -> None:
    """One gap, told."""
    for line in story.text().splitlines():
        indent = line[: len(line) - len(line.lstrip())] + "  "
        emit("\n".join(textwrap.wrap(line, 98, subsequent_indent=indent)) if line else "")


def show_plan(assessment: Assessment, *, tasks: bool) -> None:
    """What to do first, the forecast of each organisation, and the tasks by wave if asked for."""
    plan = assessment.plan
    out = console()
    if plan.first:
        out.print(Text("First", "bold"))
        show_table(
            [("Id", {"no_wrap": True}), "What to do", "Owner", "P80 days/person-day", "Unlocks", "Critical"],
            [
                (
                    thing.key,
                    thing.title,
                    thing.owner.value,
                    f"{thing.p80_days_saved_per_person_day:.1f}",
                    thing.unlocks,
                    f"{thing.criticality:.0%}",
                )
                for thing in plan.first
            ],
        )
        out.print()
    out.print(Text(f"To the {plan.target_gate.value} gate, starting {plan.start}", "bold"))
    show_table(
        ["", "P50 (target)", "P80 (commitment)", "P90", "Most likely path", "Its chance"],
        [
            (
                forecast.org,
                forecast.finish.p50_date,
                forecast.finish.p80_date,
                forecast.finish.p90_date,
                f"{forecast.most_likely_days:.0f} days",
                f"{forecast.probability_of_most_likely:.0%}",
            )
            for forecast in plan.orgs
        ]
        + [
            (
                "all",
                plan.finish.p50_date,
                plan.finish.p80_date,
                plan.finish.p90_date,
                f"{plan.most_likely_days:.0f} days",
                f"{plan.probability_of_most_likely:.0%}",
            )
        ],
    )
    for note in plan.notes:
        say(plain(note, 400))
    if tasks:
        out.print()
        show_table(
            ["Wave", ("Task", {"no_wrap": True}), "Title", "Owner", "Starts", "Ends", "Critical"],
            [
                (
                    task.wave + 1,
                    task.id,
                    task.title,
                    task.owner.value,
                    f"{task.start_p50:.0f}",
                    f"{task.finish_p50:.0f}",
                    f"{task.criticality:.0%}",
                )
                for task in plan.tasks
            ],
        )
