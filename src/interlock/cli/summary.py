"""Assessments on a terminal: the short summary, the score, the gaps, the plan."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

from interlock.cli.output import cell_text, console, emit, say, show_table
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
            (names[s.org], stage_words(s), interval_words(s.score), verdict_words(s.verdict.value))
            for s in assessment.standings
        ],
    )
    if plan.first:
        out.print()
        out.print(Text("First three things to do", "bold"))
        for number, thing in enumerate(plan.first[:3], 1):
            out.print(Text(f"{number}. {thing.key}  {plain(thing.title, 200)}"))
            out.print(Text(textwrap.indent(textwrap.fill(plain(thing.action, 400), 92), "   "), "dim"))
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
    say(f"{result.product}: {verdict_words(result.verdict.value.value)}. {plain(result.verdict.headline, 400)}")

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


def show_gaps(assessment: Assessment, org: str | None = None) -> None:
    """Open gaps and discovery tasks by wave, then the root causes."""
    nodes = [node for node in assessment.graph.nodes if org is None or org in node.orgs]
    if not nodes:
        say("Nothing is open.")
        return
    waits = {node.key: 0 for node in nodes}
    for edge in assessment.graph.reduced:
        if edge.after in waits:
            waits[edge.after] += 1
    show_table(
        [
            "Wave",
            ("Id", {"no_wrap": True}),
            "Severity",
            "Gate",
            "What is open",
            ("Waits", {"justify": "right"}),
            ("Blocks", {"justify": "right"}),
        ],
        [
            (
                node.wave + 1,
                node.key,
                Text("unknown" if node.kind == "discovery" else node.severity.value, SEVERITY_STYLES[node.severity]),
                node.gate.value,
                cell_text(node.message if node.kind == "gap" else f"Not known: {node.title}"),
                waits[node.key] or "",
                node.blocks,
            )
            for node in nodes
        ],
    )
    for cause in assessment.graph.root_causes:
        if org is None or org in cause.orgs:
            say(plain(cause.sentence, 400))


def show_story(story: GapStory) -> None:
    """One gap, told."""
    emit(story.text())


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
