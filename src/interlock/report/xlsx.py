"""The report as a workbook for people who work in spreadsheets: tables to sort, filter and print.

Nothing that a server, a file or a person wrote becomes a formula, a link, a number or a control character: such text is
written as text, and what would become a formula in a CSV file of the sheet stays text there too. The same assessment
gives the same bytes: the workbook's date is the assessment's.
"""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import xlsxwriter

from interlock.gaps.calendar import WorkingCalendar
from interlock.model.assessment import Assessment, GapNode, OrgStanding, PlanTask, Quantiles
from interlock.model.base import CheckOutcome, Evidence, GapClass, Grade, Owner, Reference, RuleOutcome, Scope
from interlock.model.errors import InterlockError
from interlock.model.finding import Finding
from interlock.model.observation import Check, Observation
from interlock.model.rule import LeadTime, Rule
from interlock.report import words
from interlock.report.sections.context import SECTIONS, UNDECIDED, Context, web_address
from interlock.report.sections.gaps import Neighbours
from interlock.report.sections.glance import NO_STAGE, observed_mark
from interlock.report.sections.plan import build_first
from interlock.report.sections.summary import build_summary, question, why_undecided
from interlock.report.work.trackers import cell as no_formula

#: Characters (UTF-16 code units) of one cell, and rows of one sheet: Excel specifications and limits.
CELL_LIMIT, ROW_LIMIT = 32_767, 1_048_576
#: Sheets in order, and the sections of the report that ask for each.
SHEETS = {
    "Summary": frozenset({"summary", "glance", "first"}),
    "Gaps": frozenset({"gaps"}),
    "Questions open": frozenset({"unknowns"}),
    "Plan": frozenset({"plan", "tasks"}),
    "Probe findings": frozenset({"organizations"}),
    "Sources": frozenset({"references"}),
}

Value = str | float | date | None
Row = tuple[Value, ...]
Kind = Literal["text", "number", "score", "share", "date", "moment"]

_FORMATS: Mapping[Kind, str] = {
    "text": "General",
    "number": "General",
    "score": "0.0",
    "share": "0.0%",
    "date": "d mmm yyyy",
    "moment": "d mmm yyyy hh:mm",
}
_OUTCOMES = {
    CheckOutcome.FAIL: "Failed",
    CheckOutcome.WARN: "Warning",
    CheckOutcome.ERROR: "Could not be evaluated",
    CheckOutcome.NOT_OBSERVED: "Not observed",
    CheckOutcome.PASS: "Passed",
    CheckOutcome.NOT_APPLICABLE: "Not applicable",
}
_EVIDENCE = {Evidence.ASSERTED: "Answered", Evidence.DOCUMENTED: "Documented", Evidence.OBSERVED: "Observed"}
_KINDS = {"gap": "Gap", "discovery": "To find out", "standing": "Standing task"}
_INK, _RULE = "#1f3a4d", "#c9d2d8"
_A3, _A4 = 8, 9
#: Height of a line of text and of the tallest row, in points.
_LINE, _TALLEST = 13.2, 409.0
#: Letters of running text that fit into the width of one digit of the standard font.
_NARROWER = 1.2


@dataclass(frozen=True)
class _Column:
    """``width`` in characters; ``kind`` is how numbers and dates are shown, text stays text.

    :ivar mixed: it holds text as well as numbers and dates, so that these stand at the left too.
    """

    head: str
    width: float
    kind: Kind = "text"
    mixed: bool = False


_ORGANIZATIONS = (
    _Column("Organisation", 30),
    _Column("Verdict", 26),
    _Column("How sure", 68),
    _Column("Stage reached", 12),
    _Column("Stage if what is undecided holds", 14),
    _Column("Observed", 13),
    _Column("Observed at (UTC)", 19, "moment"),
    _Column("Score verified so far (of 100)", 10, "score"),
    _Column("Score at best (of 100)", 10, "score"),
    _Column("Complete (share)", 11, "share"),
    _Column("Confidence (share)", 11, "share"),
    _Column("Gate passed, P50", 12, "date"),
    _Column("Gate passed, P80", 12, "date"),
    _Column("Gate passed, P90", 12, "date"),
)
_FACTS = (_Column("What", 30), _Column("Value", 26, "number", mixed=True), _Column("What it means", 68))
_FIRST = (
    _Column("What to do first", 30),
    _Column("Owner", 26),
    _Column("Action, and why it is first", 68),
    _Column("Days saved a person-day", 12, "number"),
    _Column("Gates passed by it alone", 14, "number"),
    _Column("On the critical path (share of runs)", 13, "share"),
)
_GAPS = (
    _Column("Rank", 6, "number"),
    _Column("Id", 11),
    _Column("Gap", 26),
    _Column("Organisation", 20),
    _Column("Class", 12),
    _Column("Severity", 10),
    _Column("Gate", 10),
    _Column("Holds up (gates of organisations)", 14, "number"),
    _Column("Owner", 13),
    _Column("Effort, low (person-days, judgement)", 11, "number"),
    _Column("Effort, expected (person-days, judgement)", 11, "number"),
    _Column("Effort, high (person-days, judgement)", 11, "number"),
    _Column("Status", 18),
    _Column("What was found", 32),
    _Column("Why it matters", 32),
    _Column("What to do", 42),
    _Column("Evidence", 26),
    _Column("Sources", 32),
    _Column("Lead time is judgement", 11),
)
_QUESTIONS = (
    _Column("No.", 6, "number"),
    _Column("Id", 11),
    _Column("Whom to ask", 24),
    _Column("Organisation", 22),
    _Column("Question", 42),
    _Column("Severity", 10),
    _Column("Class", 13),
    _Column("Gate", 11),
    _Column("Holds up (gates of organisations)", 13, "number"),
    _Column("Why nobody knows yet", 42),
    _Column("What would decide it", 38),
    _Column("Effort to find out, expected (person-days, judgement)", 13, "number"),
    _Column("To find out first (rank)", 11, "number"),
)
_PLAN = (
    _Column("No.", 6, "number"),
    _Column("Task", 24),
    _Column("Title", 38),
    _Column("Kind", 11),
    _Column("Where", 20),
    _Column("Owner", 13),
    _Column("Gate", 11),
    _Column("Predecessors", 26),
    _Column("Earliest start, P50", 12, "date"),
    _Column("Finish, P50", 12, "date"),
    _Column("Gate passed there, P80", 12, "date"),
    _Column("On the critical path (share of runs)", 11, "share"),
    _Column("Effort, low (person-days, judgement)", 11, "number"),
    _Column("Effort, expected (person-days, judgement)", 11, "number"),
    _Column("Effort, high (person-days, judgement)", 11, "number"),
    _Column("Lead time, low", 8, "number"),
    _Column("Lead time, expected", 9, "number"),
    _Column("Lead time, high", 8, "number"),
    _Column("Lead time is in", 12),
    _Column("Lead time: source", 32),
    _Column("Lead time: grade", 15),
    _Column("Lead time: as of", 10),
)
_PROBE = (
    _Column("Organisation", 24),
    _Column("Check", 11),
    _Column("Title", 28),
    _Column("Outcome", 15),
    _Column("Severity of the check", 11),
    _Column("Message", 54),
    _Column("Address", 46),
    _Column("Pointer", 26),
    _Column("Reference", 36),
    _Column("Observed at (UTC)", 19, "moment"),
)
_SOURCES = (_Column("No.", 6, "number"), _Column("Title", 60), _Column("Address", 70), _Column("Cited by", 40))


def sheets(sections: Collection[str] | None) -> tuple[str, ...]:
    """Names of the sheets that these sections ask for; none means all of them.

    :raises InterlockError: there is no sheet for any of them.
    """
    chosen = SECTIONS if sections is None else sections
    found = tuple(name for name, asked in SHEETS.items() if not asked.isdisjoint(chosen))
    if not found:
        have = [section for section in SECTIONS if any(section in asked for asked in SHEETS.values())]
        named = words.listing([words.text(section, 40) for section in chosen])
        raise InterlockError(
            f"the workbook has no sheet for the section {named}", remedy=f"sections with a sheet: {', '.join(have)}"
        )
    return found


def render(
    assessment: Assessment,
    observations: Mapping[str, Observation],
    *,
    interlock_version: str,
    sections: Collection[str] | None = None,
    holidays: Iterable[date] = (),
) -> bytes:
    """The workbook.

    :param observations: organisation id to its latest observation; absent means never probed.
    :param sections: names out of ``SECTIONS``; none means all of them. Those without a sheet are left out.
    :param holidays: days that the plan does not work, besides weekends.
    :raises InterlockError: there is no sheet for any of the sections.
    """
    names = sheets(sections)
    shown = frozenset(SECTIONS if sections is None else sections)
    content = _Content(Context(assessment, observations, shown), tuple(holidays), names)
    target = io.BytesIO()
    book = _Book(target, content.context, interlock_version)
    if "Summary" in names:
        _summary(book, content, shown, interlock_version)
    if "Gaps" in names:
        book.table("Gaps", _GAPS, list(content.gaps()), fixed=2)
    if "Questions open" in names:
        book.table("Questions open", _QUESTIONS, list(content.questions()), fixed=2)
    if "Plan" in names:
        book.table("Plan", _PLAN, list(content.tasks()), fixed=2)
    if "Probe findings" in names:
        book.table("Probe findings", _PROBE, content.checks(), fixed=2)
    if "Sources" in names:
        book.table("Sources", _SOURCES, list(content.sources()), fixed=1, paper=_A4)
    book.close()
    return target.getvalue()


def cell_text(value: str) -> str:
    """Text as a cell takes it: lines kept, nothing unprintable, never a formula, and cut with a word where too long."""
    clean = "\n".join(_whole(line) for line in value.split("\n"))
    return _cut(no_formula(clean))


def _whole(value: object) -> str:
    """One safe line, uncut."""
    written = str(value)
    return words.text(written, max(1, len(written)))


def _cut(value: str) -> str:
    if 2 * len(value) <= CELL_LIMIT:
        return value
    units = value.encode("utf-16-le")
    if len(units) <= 2 * CELL_LIMIT:
        return value
    note = f"… [cut: a cell holds {CELL_LIMIT:,} characters, the whole text has {len(units) // 2:,}]"
    return units[: 2 * (CELL_LIMIT - len(note))].decode("utf-16-le", "ignore") + note


class _Book:
    """The workbook being written: every cell goes through :meth:`_put`."""

    def __init__(self, target: io.BytesIO, context: Context, version: str) -> None:
        assessment = context.assessment
        self._book: Any = xlsxwriter.Workbook(
            target,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        product = words.text(assessment.product, 60)
        created = words.parse_day(assessment.as_of) or words.parse_day(assessment.plan.start) or date(2000, 1, 1)
        self._book.set_properties(
            {
                "title": f"{words.name(assessment.product)}: integration readiness",
                "comments": f"Written by Interlock {words.text(version, 40)}",
                "created": datetime(created.year, created.month, created.day),
            }
        )
        plain = {"font_size": 10, "valign": "top", "bottom": 1, "bottom_color": _RULE}
        aligned: dict[bool, dict[str, Any]] = {True: {"align": "left"}, False: {"align": "right", "indent": 1}}
        self._text = self._book.add_format(plain | {"text_wrap": True})
        self._cells = {
            (kind, mixed): self._book.add_format(plain | aligned[mixed] | {"num_format": _FORMATS[kind]})
            for kind in _FORMATS
            for mixed in aligned
        }
        head = {"bold": True, "font_size": 10, "font_color": "#ffffff", "bg_color": _INK, "text_wrap": True}
        self._heads = {mixed: self._book.add_format(head | aligned[mixed] | {"valign": "top"}) for mixed in aligned}
        self._title = self._book.add_format({"bold": True, "font_size": 16, "font_color": _INK})
        self._footer = f"&L{product.replace('&', '&&')}&C&A&RPage &P of &N"

    def close(self) -> None:
        """Finish the file."""
        self._book.close()

    def sheet(self, name: str, columns: Sequence[_Column], *, fixed: int, paper: int = _A3) -> Any:
        """An empty sheet whose first row stays in sight and is repeated on every page, and ``fixed`` columns."""
        sheet = self._book.add_worksheet(name)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width)
        sheet.freeze_panes(1, fixed)
        sheet.set_landscape()
        sheet.set_paper(paper)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer(self._footer)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        return sheet

    def table(
        self, name: str, columns: Sequence[_Column], rows: Sequence[Row], *, fixed: int, paper: int = _A3
    ) -> None:
        """A sheet that is one table."""
        self.rows(self.sheet(name, columns, fixed=fixed, paper=paper), 0, columns, rows)

    def title(self, sheet: Any, text: str) -> None:
        """The first row of a sheet that is more than one table."""
        sheet.write_string(0, 0, cell_text(text), self._title)
        sheet.set_row(0, 24)

    def rows(
        self, sheet: Any, top: int, columns: Sequence[_Column], rows: Sequence[Row], *, filtered: bool = True
    ) -> int:
        """A table with its header at row ``top`` (0-based); returns the row after it."""
        for place, column in enumerate(columns):
            sheet.write_string(top, place, column.head, self._heads[column.kind == "text" or column.mixed])
        sheet.set_row(top, _LINE * (0.5 + max(_lines_of(column.head, 0.8 * column.width) for column in columns)))
        room = ROW_LIMIT - top - 1
        kept = rows if len(rows) <= room else rows[: room - 1]
        for number, row in enumerate(kept, start=top + 1):
            sheet.set_row(number, _height(columns, row))
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                self._put(sheet, number, place, value, column)
        last = top + len(kept)
        if filtered:
            sheet.autofilter(top, 0, max(last, top), len(columns) - 1)
        if len(kept) < len(rows):
            last += 1
            more = f"{len(rows) - len(kept):,} more rows do not fit into a sheet and are left out here."
            sheet.write_string(last, 0, more)
        return last + 1

    def _put(self, sheet: Any, row: int, place: int, value: Value, column: _Column) -> None:
        if isinstance(value, date) and value.year < 1900:  # before the first day that a spreadsheet knows
            value = value.isoformat()
        elif isinstance(value, float) and not math.isfinite(value):
            value = "not known"
        if value is None or value == "":
            sheet.write_blank(row, place, None, self._text)
        elif isinstance(value, str):
            sheet.write_string(row, place, cell_text(value), self._text)
        elif isinstance(value, date):
            kind: Kind = "moment" if isinstance(value, datetime) else "date"
            sheet.write_datetime(row, place, value, self._cells[kind, column.mixed])
        else:
            sheet.write_number(row, place, value, self._cells[column.kind, column.mixed])


def _height(columns: Sequence[_Column], row: Row) -> float:
    """Points that the row's longest text takes; not every program finds the height by itself, so it is given."""
    texts = ((value, column.width) for column, value in zip(columns, row, strict=True) if isinstance(value, str))
    lines = max((sum(_lines_of(line, width) for line in value.split("\n")) for value, width in texts), default=1)
    return min(_TALLEST, _LINE * lines + 2)


def _lines_of(text: str, width: float) -> int:
    """Lines that a text takes, about: a column is as many digits wide, and letters are narrower."""
    room = max(1, int(_NARROWER * width))
    if len(text) <= room:
        return 1
    lines, used = 1, 0
    for word in text.split(" "):
        if used and used + 1 + len(word) > room:
            lines, used = lines + 1, 0
        used += len(word) + (used > 0)
        if used > room:  # a word without a place to break it
            lines, used = lines + (used - 1) // room, (used - 1) % room + 1
    return lines


class _Content:
    """The tables' rows. Sources are numbered as they are met, so theirs are asked for last."""

    def __init__(self, context: Context, holidays: tuple[date, ...], names: Collection[str]) -> None:
        self.context = context
        self.assessment = context.assessment
        self._names = names
        start = words.parse_day(self.assessment.plan.start)
        self._calendar = WorkingCalendar(start, holidays) if start else None
        self._tasks = {task.id: task for task in self.assessment.plan.tasks}
        self._forecasts = {forecast.org: forecast.finish for forecast in self.assessment.plan.orgs}
        self._cited: dict[int, dict[str, None]] = {}

    def facts(self, version: str) -> Iterator[Row]:
        """Term, value and what it means."""
        assessment, summary = self.assessment, build_summary(self.context)
        plan, score, totals = assessment.plan, assessment.product_score, assessment.totals
        gate = words.GATE[assessment.target_gate]
        provisional = " (provisional)" if summary.provisional else ""
        yield "Assessed on", _day(assessment.as_of), f"Interlock {version}, ruleset {_whole(assessment.ruleset)}"
        yield "Verdict", summary.verdict + provisional, _lines(summary.headline, *summary.lead)
        yield "How sure", "Provisional" if summary.provisional else "Firm", _lines(*summary.sure)
        yield "Next step", summary.next_owner, summary.next_step
        changes = [f"{pair.term}: {pair.value}" for pair in summary.changes]
        yield "What would change the verdict", None, _lines(summary.counterfactual, *changes)
        yield "Target gate", gate, "The gate that the plan leads to"
        capped = _lines("Points of 100: what is verified so far.", *summary.caps)
        yield "Product’s own score, verified so far", score.interval.low, capped
        best = "Points of 100: the best case, once everything undecided has turned out well."
        yield "Product’s own score, at best", score.interval.high, best
        yield "Organisations", totals.organizations, "Organisations are counted by stage and never averaged."
        yield "Organisations observed", totals.observed, "in full or in part, by looking at their own endpoints"
        yield "Findings open", totals.findings.get(RuleOutcome.GAP, 0), self._see("Gaps", "Gaps")
        undecided = sum(totals.findings.get(outcome, 0) for outcome in UNDECIDED)
        want = self._see("For want of an answer or an observation", "Questions open")
        yield "Findings undecided", undecided, want
        asked = f"of {words.count(totals.questions, 'question')} that apply"
        yield "Questions answered", totals.answered, asked
        for seen in summary.not_seen:
            yield seen.link.label, words.capital(seen.state), words.capital(words.sentence(seen.why))
        if summary.not_seen:
            yield "Not observed", None, summary.not_seen_note
        if not plan.tasks:
            yield "Plan", None, f"Nothing is left to do before the {gate.lower()} gate, as far as is known."
            return
        yield "Plan starts on", _day(plan.start), self._see(words.count(len(plan.tasks), "task"), "Plan")
        for level, day, days, says in _levels(plan.finish):
            passed = f"{says} of the simulated runs: {words.days(days)} from the start."
            yield f"All pass the {gate.lower()} gate, {level}", _day(day), passed

    def _see(self, text: str, name: str) -> str:
        return f"{text}: see the sheet {name}." if name in self._names else f"{text}."

    def shares(self) -> Iterator[Row]:
        """Shares, with what each is a share of."""
        score, plan = self.assessment.product_score, self.assessment.plan
        yield "Complete", score.completeness, "Share of the product’s own score that is decided"
        evidence = "an answer counts half, a document three quarters, an observation in full"
        yield "Confidence", score.confidence, f"Strength of the evidence: {evidence}"
        judged = "Share of the critical path’s time that rests on judgement: estimated, with no published source"
        yield "Judgement in the plan", plan.judgement_share, judged

    def organizations(self) -> Iterator[Row]:
        """Where each organisation stands."""
        for standing in self.assessment.standings:
            finish = self._forecasts.get(standing.org) if self._tasks else None
            held = standing.stage_if_unknowns_hold
            yield (
                self.context.organization_name(standing.org),
                words.own_verdict(standing),
                self._sure(standing),
                words.GATE[standing.stage] if standing.stage else NO_STAGE,
                words.GATE[held] if held else NO_STAGE,
                observed_mark(self.context, standing).label,
                _moment(standing.observed_at),
                standing.score.interval.low,
                standing.score.interval.high,
                standing.score.completeness,
                standing.score.confidence,
                *((_day(finish.p50_date), _day(finish.p80_date), _day(finish.p90_date)) if finish else (None,) * 3),
            )

    def _sure(self, standing: OrgStanding) -> str:
        undecided = len({key for state in standing.gates for key in state.undecided})
        said = [f"{words.count(undecided, 'requirement')} undecided."] if undecided else ["Every requirement decided."]
        if standing.observed == "partial":
            said.append("Observed in part; what could not be read counts as not observed.")
        elif standing.observed != "observed":
            said.append(f"Not observed: {self.context.why_unseen(standing.org)}. Rests on answers alone.")
        said += [words.capital(words.sentence(words.text(cap))) for cap in standing.score.caps]
        return _lines(*said)

    def first(self) -> Iterator[Row]:
        """What to do first, best first."""
        for step, thing in zip(build_first(self.context), self.assessment.plan.first, strict=False):
            name = " ".join(part for part in (step.id.label, step.where) if part)
            yield (
                f"{step.rank}. {name}",
                step.owner,
                _lines(step.title, step.action, step.because),
                thing.p80_days_saved_per_person_day,
                thing.unlocks,
                thing.criticality,
            )

    def gaps(self) -> Iterator[Row]:
        """Open gaps, a row each, in the report's order: by wave, class, severity and id; last what can wait."""
        classes = list(GapClass)

        def order(pair: tuple[Rule, Finding]) -> tuple[bool, int, int, int, str]:
            rule, finding = pair
            node = self.context.nodes.get(finding.key)
            wave = node.wave if node else 0
            return not self.context.needed(rule), wave, classes.index(rule.gap_class), rule.severity.rank, rule.id

        neighbours = Neighbours(self.context)
        for rank, (rule, finding) in enumerate(sorted(self._findings({RuleOutcome.GAP}), key=order), start=1):
            effort = rule.remediation.effort
            node = self.context.nodes.get(finding.key)
            sources = [*self._cite(rule.references, rule.id), *self._statements(rule)]
            yield (
                rank,
                rule.id,
                _whole(rule.title),
                self.context.subject_link(finding.subject).label,
                words.GAP_CLASS[rule.gap_class],
                words.SEVERITY[rule.severity].label,
                words.GATE[rule.gate],
                node.blocks if node else None,
                words.OWNER[rule.remediation.owner],
                effort.low,
                effort.expected,
                effort.high,
                self._status(rule, [link.label for link in neighbours.before([finding.key])]),
                self.context.message(finding),
                words.sentence(_whole(rule.why)),
                words.sentence(_whole(rule.remediation.text)),
                _evidence(finding),
                _lines(*sources),
                _judged(rule.remediation.lead_time),
            )

    def _status(self, rule: Rule, waits_for: Sequence[str]) -> str:
        if not self.context.needed(rule):
            gate = words.GATE[self.assessment.target_gate].lower()
            return f"Open, not needed for the {gate} gate"
        return f"Open, waits for {words.listing(waits_for)}" if waits_for else "Open, can start now"

    def _statements(self, rule: Rule) -> list[str]:
        return [f"Statements of the method: {', '.join(rule.source)}"] if rule.source else []

    def questions(self) -> Iterator[Row]:
        """What could not be decided, by whom to ask, worst first."""
        places = {org.id: place for place, org in enumerate(self.assessment.organizations)}
        scopes = list(Scope)

        def order(pair: tuple[Rule, Finding]) -> tuple[int, int, str, bool, int, int, str]:
            rule, finding = pair
            subject = finding.subject
            whose = scopes.index(subject.scope), places.get(subject.id, 0), subject.id
            return *whose, not _to_ask(finding), rule.severity.rank, rule.gate.rank, rule.id

        first = {thing.key: rank for rank, thing in enumerate(self.assessment.plan.unknowns, start=1)}
        for number, (rule, finding) in enumerate(sorted(self._findings(UNDECIDED), key=order), start=1):
            node = self.context.nodes.get(finding.key)
            task = self._tasks.get(finding.key)
            yield (
                number,
                rule.id,
                self._whom(finding),
                self.context.subject_link(finding.subject).label,
                question(rule.title),
                words.SEVERITY[rule.severity].label,
                words.GAP_CLASS[rule.gap_class],
                words.GATE[rule.gate],
                node.blocks if node else None,
                words.capital(why_undecided(self.context, finding)),
                _deciding(finding),
                task.effort.expected if task and task.effort else None,
                first.get(finding.key),
            )

    def _whom(self, finding: Finding) -> str:
        """Whom to ask; where no answer would decide it, whose endpoints to look at."""
        scope = finding.subject.scope
        name = self.context.subject_link(finding.subject).label
        if _to_ask(finding):
            return words.OWNER[Owner.US] if scope is Scope.PRODUCT else name
        return f"Nobody: probe {name if scope is Scope.ORG else 'the organisations'}"

    def _findings(self, outcomes: Collection[RuleOutcome]) -> Iterator[tuple[Rule, Finding]]:
        for finding in self.assessment.findings:
            rule = self.context.rule(finding.rule)
            if finding.outcome in outcomes and rule is not None and rule.lifecycle != "deprecated":
                yield rule, finding

    def tasks(self) -> Iterator[Row]:
        """Tasks of the plan, in order of their median start."""
        plan = self.assessment.plan
        ordered = sorted(plan.tasks, key=lambda task: (task.start_p50, task.wave, task.id))
        for number, task in enumerate(ordered, start=1):
            lead, effort = task.lead_time, task.effort
            finish = self._forecasts.get(task.org, plan.finish) if task.org else plan.finish
            node = self.context.nodes.get(task.id)
            yield (
                number,
                task.id,
                question(node.title if node else task.title) if task.kind == "discovery" else _whole(task.title),
                _KINDS[task.kind],
                self._where(task, node),
                words.OWNER[task.owner],
                words.GATE[task.gate],
                _lines(*task.after),
                self._date(math.floor(task.start_p50) + 1),
                self._date(task.finish_p50),
                _day(finish.p80_date),
                task.criticality,
                *((effort.low, effort.expected, effort.high) if effort else (None,) * 3),
                *((lead.low, lead.expected, lead.high) if lead else (None,) * 3),
                ("working days" if lead.unit == "working_days" else "calendar days") if lead else "no lead time",
                self._lead_source(lead, task),
                words.GRADE[lead.grade] if lead else None,
                lead.as_of if lead else None,
            )

    def _where(self, task: PlanTask, node: GapNode | None) -> str:
        if node is not None:
            return self.context.subject_link(node.subject).label
        if task.org:
            return self.context.organization_name(task.org)
        vendor = task.id.partition("@vendor:")[2]
        return f"{words.vendor(vendor)} (vendor)" if vendor else "Product"

    def _date(self, working_days: float) -> date | None:
        """The day on which something ends that takes so many working days from the plan's start."""
        return self._calendar.date_of(working_days) if self._calendar else None

    def _lead_source(self, lead: LeadTime | None, task: PlanTask) -> str | None:
        if lead is None:
            return None
        url = web_address(lead.source)
        if url:
            return _lines(*self._cite([Reference(title=url, url=url)], task.id.partition("@")[0]))
        if lead.source.casefold() == "judgement":
            return "Judgement: estimated, with no published source"
        return _whole(lead.source)

    def checks(self) -> list[Row]:
        """Checks of every organisation's latest observation, what failed first; and who was not observed, and why."""
        rows: list[tuple[tuple[int, int, int, str], Row]] = []
        places = {outcome: place for place, outcome in enumerate(_OUTCOMES)}
        for index, standing in enumerate(self.assessment.standings):
            name = self.context.organization_name(standing.org)
            observation = self.context.observations.get(standing.org)
            if self.context.unseen(standing.org):
                place = (places[CheckOutcome.NOT_OBSERVED], -1, index, "")
                rows.append((place, self._unseen(name, standing, observation)))
            for check in observation.checks if observation else ():
                order = (places[check.outcome], check.severity.rank, index, check.id)
                rows.append((order, self._check(name, check, observation)))
        return [row for _, row in sorted(rows, key=lambda pair: pair[0])]

    def _unseen(self, name: str, standing: OrgStanding, observation: Observation | None) -> Row:
        why = self.context.why_unseen(standing.org)
        said = f"We could not look: {why}. This says nothing about what the organisation publishes or supports."
        organization = self.context.organizations.get(standing.org)
        address = observation.target.base_url if observation else (organization and organization.fhir_base_url) or None
        label = observed_mark(self.context, standing).label
        tried = _moment(standing.observed_at)
        return name, None, "Whole organisation", label, None, said, address, None, None, tried

    def _check(self, name: str, check: Check, observation: Observation | None) -> Row:
        places = [evidence for evidence in check.evidence if evidence.url]
        return (
            name,
            check.id,
            _whole(check.title),
            _OUTCOMES[check.outcome],
            words.SEVERITY[check.severity].label,
            words.sentence(_whole(check.message)),
            _lines(*(place.url for place in places)) or (observation.target.base_url if observation else None),
            _lines(*(place.pointer or "(whole document)" for place in places)),
            _lines(*self._cite(check.references, check.id)),
            observation.started.astimezone(UTC).replace(tzinfo=None) if observation else None,
        )

    def _cite(self, references: Iterable[Reference], by: str) -> list[str]:
        """``[3] RFC 7517 section 5``, and a note of who cites it."""
        cited = []
        for reference in references:
            number = self.context.book.cite(reference).number
            self._cited.setdefault(number, {})[_whole(by)] = None
            cited.append(f"[{number}] {_whole(reference.title)}")
        return cited

    def sources(self) -> Iterator[Row]:
        """Everything that the other sheets cite."""
        for entry in self.context.book.entries():
            yield entry.number, entry.title, entry.url, ", ".join(self._cited.get(entry.number, ()))


def _summary(book: _Book, content: _Content, shown: Collection[str], version: str) -> None:
    """The first sheet: the verdict with how sure it is, organisations at a glance, and what to do first."""
    sheet = book.sheet("Summary", _ORGANIZATIONS, fixed=1)
    book.title(sheet, f"{words.name(content.assessment.product)}: integration readiness")
    top = 2
    if "summary" in shown:
        top = book.rows(sheet, top, _FACTS, list(content.facts(words.text(version, 40))), filtered=False)
        shares = (_FACTS[0], _Column("Share", 26, "share", mixed=True), _FACTS[2])
        top = book.rows(sheet, top, shares, list(content.shares()), filtered=False) + 1
    if "glance" in shown:
        top = book.rows(sheet, top, _ORGANIZATIONS, list(content.organizations())) + 1
    if "first" in shown:
        book.rows(sheet, top, _FIRST, list(content.first()), filtered=False)


def _levels(finish: Quantiles) -> tuple[tuple[str, str, float, str], ...]:
    return (
        ("P50", finish.p50_date, finish.p50_days, "Half"),
        ("P80", finish.p80_date, finish.p80_days, "The date to commit to, kept by four fifths"),
        ("P90", finish.p90_date, finish.p90_days, "Nine tenths"),
    )


def _lines(*parts: str) -> str:
    """The parts that say something, a line each."""
    return "\n".join(_whole(part) for part in parts if part)


def _day(value: str) -> Value:
    """A real date; text that is none stays text."""
    return words.parse_day(value) or _whole(value)


def _moment(value: str | None) -> Value:
    """A real date with time in UTC; text that is none stays text."""
    try:
        parsed = datetime.fromisoformat(value or "")
    except ValueError:
        return _day(value or "")
    return (parsed.astimezone(UTC) if parsed.tzinfo else parsed).replace(tzinfo=None)


def _evidence(finding: Finding) -> str:
    label = _EVIDENCE[finding.evidence] if finding.evidence else ""
    reads = words.unique(name.removeprefix("responses.").removeprefix("value.") for name in finding.reads)
    return ": ".join(part for part in (label, words.listing([_whole(name) for name in reads])) if part)


def _deciding(finding: Finding) -> str:
    """Answers and observations that would decide it."""
    answers = (f"Answer: {name}" for name in finding.missing_answers)
    facts = (f"Observation: {name}" for name in finding.missing_facts)
    return _lines(*answers, *facts)


def _to_ask(finding: Finding) -> bool:
    """Whether somebody's answer would help, and not only an observation."""
    return bool(finding.missing_answers) or not finding.missing_facts


def _judged(lead: LeadTime | None) -> str:
    return "No lead time" if lead is None else "Yes" if lead.grade is Grade.JUDGEMENT else "No"
