"""Findings on a page: one gap explained, patterns of trouble, and what moved from one assessment to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import RuleOutcome
from interlock.model.diff import AssessmentDiff, BurnDown
from interlock.model.gap_graph import GapNode
from interlock.model.pattern import PatternMatch
from interlock.model.readiness import Interval
from interlock.model.rule import Effort, LeadTime
from interlock.tui.page import ACCENT, BAD, DIM, OK, PRIMARY, SEVERITY, TASK, WARN, Page, interval_bar, line, text

#: How many neighbours are drawn on each side; the rest is counted.
MOST = 6


def draw_gap(page: Page, assessment: Assessment, node: GapNode, names: Mapping[str, str]) -> None:
    """Everything known about one open gap or one thing to find out."""
    from interlock.usecases.gaps import explanation_of

    explanation = explanation_of(assessment, node.key)
    sign = SEVERITY[explanation.severity]
    page.para(explanation.title, "bold")
    if node.kind == "discovery":
        find_out = TASK["discovery"]
        page.line(
            (f"{find_out.glyph} {find_out.word}", f"bold {find_out.style}"),
            (f"   {sign.word} once it is a gap", DIM),
        )
    else:
        kind = words.GAP_CLASS[explanation.gap_class].phrase
        page.line((f"{sign.glyph} {sign.word}", f"bold {sign.style}"), (f"   {kind}", DIM))
    gate, owner = words.GATE[explanation.gate].phrase, words.OWNER[explanation.remediation.owner].title
    page.line((f"gate {gate}   owner {owner}   wave {node.wave + 1}", DIM))
    page.blank()
    page.para(explanation.statement)
    if node.orgs:
        concerned = words.listed([names.get(org, org) for org in node.orgs], MOST)
        if MOST < len(node.orgs) == len(names):
            concerned = f"all {len(names):,} organisations"
        page.field("Concerns", concerned, label_width=9)
    page.heading("Why it matters")
    page.para(explanation.why)
    page.heading("What to do", owner)
    page.para(explanation.remediation.text)
    _effort(page, explanation.remediation.effort, explanation.remediation.lead_time)
    if explanation.task is not None:
        days = f"day {explanation.task.start_p50:.0f} to {explanation.task.finish_p50:.0f}"
        runs = words.share(explanation.task.criticality)
        page.field("In the plan", f"{days} (median), critical in {runs} of runs", style=DIM)
    page.heading("Before and after")
    edges = assessment.graph.reduced
    before = [edge.before for edge in edges if edge.after == node.key]
    after = [edge.after for edge in edges if edge.before == node.key]
    _draw_neighbours(page, _nodes(assessment, before), node, _nodes(assessment, after))
    if explanation.root_cause:
        page.blank()
        page.bullet(text("!", ACCENT), explanation.root_cause)
    if explanation.blocks:
        page.heading("What it blocks")
        gates: dict[str, list[str]] = {}
        for blocked in explanation.blocks:
            gates.setdefault(words.GATE[blocked.gate].phrase, []).append(
                names.get(blocked.org, blocked.org) if blocked.org else "product"
            )
        for blocked_gate, orgs in gates.items():
            page.field(blocked_gate, words.listed(orgs, len(orgs)), label_width=10)
    undecided = words.RULE[RuleOutcome.UNKNOWN]
    grade = words.EVIDENCE[explanation.evidence] if explanation.evidence else undecided
    page.heading("What it rests on", grade.phrase)
    for read in explanation.reads:
        page.bullet(
            text("✓", OK) if read.known else text("?", WARN),
            (read.name, ""),
            line((f"  {read.origin}", DIM), ("" if read.known else ", unknown", WARN)),
        )
    if explanation.references or explanation.source:
        page.heading("References", " ".join(explanation.source))
        for reference in explanation.references:
            page.bullet(text("→", DIM), reference.title, line(("  ", ""), (reference.url, DIM)))


def draw_alike(page: Page, nodes: Sequence[GapNode], names: Mapping[str, str]) -> None:
    """One rule that is open, or to be found out, at several places, or all at one place: what was seen there."""
    first, entries = nodes[0], words.count(len(nodes), "entry", "entries")
    one_rule = all(node.rule == first.rule for node in nodes)
    if one_rule:
        page.para(first.label, "bold")
    page.line((f"{entries}{' of one rule' if one_rule else ''}: Enter or space lists each of them.", ACCENT))
    if not one_rule:
        for node in nodes:
            page.bullet(text("?" if node.kind == "discovery" else SEVERITY[node.severity].glyph, DIM), node.label)
        return
    page.heading("Where")
    for node in nodes:
        at = words.listed([names.get(org, org) for org in node.orgs], MOST) or "the product"
        named = node.message.startswith(at)
        page.bullet(text("·", DIM), ("" if named else f"{at}  ", ""), (node.message, "" if named else DIM))


def _nodes(assessment: Assessment, keys: list[str]) -> list[GapNode]:
    wanted = set(keys)
    return [node for node in assessment.graph.nodes if node.key in wanted]


def _effort(page: Page, effort: Effort, lead: LeadTime | None) -> None:
    spread = f"({words.number(effort.low)} to {words.number(effort.high)})"
    page.field("Effort", f"{words.person_days(effort.expected)} {spread}", style=DIM)
    if lead is not None:
        expected = words.days(lead.expected) if lead.unit == "working_days" else f"{words.number(lead.expected)} days"
        spread = f"({words.number(lead.low)} to {words.number(lead.high)})"
        source = f"{words.GRADE[lead.grade].phrase}, {words.iso_day(lead.as_of)}"
        page.field("Others need", f"{expected} {spread}; {source}", style=DIM)


def _draw_neighbours(page: Page, before: Sequence[GapNode], node: GapNode, after: Sequence[GapNode]) -> None:
    """Direct neighbours in the working graph, from what comes first to what comes last."""
    if not before:
        page.line(("nothing has to be closed first", DIM))
    for index, other in enumerate(before[:MOST]):
        _box(page, "┌" if index == 0 else "├", other)
    if len(before) > MOST:
        page.line(("├ ", PRIMARY), (f"and {len(before) - MOST} more", DIM))
    page.line(("▼", PRIMARY))
    page.bullet(Content.styled("■", f"bold {PRIMARY}"), (node.label, "bold"), ("  this one  ", ACCENT), (node.key, DIM))
    page.line(("▼", PRIMARY))
    if not after:
        page.line(("nothing waits for it directly", DIM))
    for index, other in enumerate(after[:MOST]):
        last = index == len(after) - 1
        _box(page, "└" if last else "├", other)
    if len(after) > MOST:
        page.line(("└ ", PRIMARY), (f"and {len(after) - MOST} more", DIM))


def _box(page: Page, corner: str, node: GapNode) -> None:
    sign = TASK["discovery"] if node.kind == "discovery" else SEVERITY[node.severity]
    lead = Content.assemble((corner, PRIMARY), " ", (sign.glyph, sign.style))
    page.bullet(lead, line(node.label, (f"  {node.key}", DIM)))


#: Organisations and messages of one pattern that are shown.
_SHOWN = 4


def draw_patterns(page: Page, matches: Sequence[PatternMatch], names: Mapping[str, str]) -> None:
    """Every pattern that holds, then those that too little is known about."""
    held = [match for match in matches if match.outcome == "matched"]
    open_ = [match for match in matches if match.outcome == "undecided"]
    page.para(
        f"{words.count(len(held), 'pattern')} of {len(matches)} known from earlier integrations "
        f"{words.agree(len(held), 'holds', 'hold')} here. They neither score nor block.",
        DIM,
    )
    for match in held:
        draw_pattern(page, match, names)
    if open_:
        page.heading("Too little is known", str(len(open_)))
    for match in open_:
        page.bullet(text("?", WARN), f"{match.title} ", (f"{match.pattern}  {match.detail or ''}", DIM))


def draw_pattern(page: Page, match: PatternMatch, names: Mapping[str, str]) -> None:
    """One pattern that holds: where, what was seen, what it means, what to do."""
    page.heading(match.title, match.pattern)
    if match.orgs:
        organizations = words.listed([names.get(org, org) for org in match.orgs], _SHOWN)
        page.field("Where", organizations, label_width=7)
    for message in match.messages[:_SHOWN]:
        page.field("Seen", message, label_width=7)
    page.field("Means", match.means, label_width=7)
    page.field("Do", line((f"{words.OWNER[match.owner].title}: ", ACCENT), match.action), label_width=7)


#: Cells of a milestone's day, counts and date in the burn-down, with the room between them.
_NUMBERS = 44


def draw_diff(page: Page, diff: AssessmentDiff, names: Mapping[str, str]) -> None:
    """Verdict and stages first, then gaps, unknowns and dates."""
    if diff.is_empty:
        page.para("Nothing has moved since.", DIM)
    for caution in diff.not_comparable:
        page.bullet(text("!", WARN), (caution, WARN))
    if diff.verdict is not None:
        before, after = words.VERDICT[diff.verdict.before], words.VERDICT[diff.verdict.after]
        page.field("Verdict", f"{before.title} → {after.title}", style="bold")
    for move in diff.stages:
        stages = f"{words.stage(move.before)} → {words.stage(move.after)}"
        page.field("Stage", f"{names.get(move.org, move.org)}: {stages}", style="bold")
    for org in diff.organizations_added:
        page.field("Added", names.get(org, org))
    for org in diff.organizations_removed:
        page.field("Removed", org)
    for title, glyph, style, changes in (
        ("Closed", "✓", OK, diff.closed),
        ("Opened", "✗", BAD, diff.opened),
        ("Opened again", "✗", BAD, diff.reopened),
        ("Decided", "●", PRIMARY, diff.decided),
        ("No longer decided", "?", WARN, diff.no_longer_decided),
        ("Gone", "–", DIM, diff.gone),
    ):
        if changes:
            page.heading(title, str(len(changes)))
        for change in changes:
            page.bullet(text(glyph, style), (f"{change.key}  ", "bold"), change.title)
    page.blank()
    page.line((f"{words.count(len(diff.still_open), 'gap')} still open.", DIM))
    moved = [move for move in diff.forecasts if move.calendar_days]
    if moved:
        page.heading("Dates")
    for forecast in moved:
        days = forecast.calendar_days
        name = names.get(forecast.org, forecast.org) if forecast.org else "All of them"
        page.bullet(
            text("▼" if days > 0 else "▲", BAD if days > 0 else OK),
            (f"{name}  ", "bold"),
            forecast.told,
            (f"  {forecast.shift}", DIM),
        )
        for sentence in (*forecast.causes, *forecast.because):
            page.para(sentence, DIM, indent=2)


def draw_burn_down(page: Page, series: BurnDown) -> None:
    """One line a milestone: what is open and undecided, and the finish; below, each score's interval till now."""
    if len(series.points) < 2:
        page.para("No milestone yet: what is shown is only now. m freezes the assessment.", DIM)
    longest = max(6, min(24, page.width - _NUMBERS))
    page.columns(
        [
            tuple(text(title, DIM) for title in ("Milestone", "Day", "Gaps", "Undecided", "Finish of all")),
            *(
                (
                    text(point.name, "bold", longest),
                    text(words.iso_day(point.date)),
                    text(f"{point.open:>4}"),
                    text(f"{point.undecided:>9}"),
                    text(point.finish_told, PRIMARY if point.finish else DIM),
                )
                for point in series.points
            ),
        ]
    )
    _intervals(page, "Product", series, [point.product for point in series.points])
    for org, name in series.names.items():
        _intervals(page, name, series, [point.orgs.get(org) for point in series.points])


def _intervals(page: Page, name: str, series: BurnDown, intervals: Sequence[Interval | None]) -> None:
    """One score from milestone to milestone: verified so far, and the best case."""
    page.heading(name, "score")
    longest = min(24, max(len(point.name) for point in series.points))
    width = max(8, min(40, page.width - longest - 16))
    page.columns(
        [
            (
                text(point.name, DIM, 24),
                interval_bar(interval, width) if interval else text("not there yet", DIM),
                text(words.interval(interval.low, interval.high) if interval else "", "bold"),
            )
            for point, interval in zip(series.points, intervals, strict=True)
        ]
    )
