"""What the tables hold, row by row, but for those of the first sheet and of the evidence."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date
from operator import itemgetter

from interlock.model import words
from interlock.model.base import CheckOutcome, GapClass, Grade, Owner, Reference, RuleOutcome, Scope
from interlock.model.finding import Finding
from interlock.model.language import _
from interlock.model.observation import Check, Observation
from interlock.model.plan import PlanTask, finding_of
from interlock.model.rule import LeadTime, Rule
from interlock.plan.calendar import WorkingCalendar
from interlock.plan.people import done
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections.context import UNDECIDED, Context
from interlock.report.sections.gaps import neighbours
from interlock.report.sections.glance import observed_mark
from interlock.report.sections.hazards import build_hazards
from interlock.report.sections.summary import question, why_undecided
from interlock.report.xlsx.book import Row, day, lines, moment, whole

#: Tones of what holds a hazard not, or not as far as is known.
_MISSING = {"bad", "unknown"}
#: Outcomes of checks in the order of the table.
_OUTCOMES = (
    CheckOutcome.FAIL,
    CheckOutcome.WARN,
    CheckOutcome.ERROR,
    CheckOutcome.NOT_OBSERVED,
    CheckOutcome.PASS,
    CheckOutcome.NOT_APPLICABLE,
)


class Content:
    """The tables' rows. Sources are numbered as they are met, so theirs are asked for last."""

    def __init__(self, context: Context, holidays: tuple[date, ...], names: Collection[str]) -> None:
        self.context = context
        self.assessment = context.assessment
        self.names = names
        self.calendar = WorkingCalendar(date.fromisoformat(self.assessment.plan.start), holidays)
        self.forecasts = {forecast.org: forecast.finish for forecast in self.assessment.plan.orgs}
        self._cited: dict[int, dict[str, None]] = {}

    def hazards(self) -> Iterator[Row]:
        """A row for each hazard as a hazard log has it; what only a safety officer may fill in stays empty."""
        shown = build_hazards(self.context)
        for entry in (*shown["entries"], *shown["controlled"]):
            said = dict(entry["controls"])
            yield (
                entry["id"],
                entry["title"],
                entry["family"],
                entry["sequence"],
                entry["harmed"],
                entry["rank"],
                entry["harm"],
                entry["detectability"],
                lines(words.capital(entry["figures"]), entry["reason"]),
                words.capital(f"{entry['status'].label.lower()} {entry['evidence']}".strip()),
                lines(*(_held(line) for line in entry["holds"] if line["mark"].tone in {"good", "neutral"})),
                lines(entry["because"], *(_held(line) for line in entry["holds"] if line["mark"].tone in _MISSING)),
                said.get("design"),
                said.get("workflow"),
                said.get("monitoring"),
                entry["observation"],
                lines(*entry["tests"], entry["checks"]),
                lines(
                    *(f"{source.title}: {source.url}" for source in entry["sources"]), entry["judgement"], entry["read"]
                ),
                *(None,) * 4,
            )
        state = words.HAZARD["does_not_arise"].title
        for group in shown["absent"]:
            for row in group["rows"]:
                yield (row["id"], row["title"], *(None,) * 7, state, None, group["because"], *(None,) * 10)

    def gaps(self) -> Iterator[Row]:
        """Open gaps, a row each, in the report's order: by wave, class, severity and id; last what can wait."""
        classes = list(GapClass)

        def order(pair: tuple[Rule, Finding]) -> tuple[bool, int, int, int, str]:
            rule, finding = pair
            node = self.context.nodes.get(finding.key)
            wave = node.wave if node else 0
            return not self.context.needed(rule), wave, classes.index(rule.gap_class), rule.severity.rank, rule.id

        for rank, (rule, finding) in enumerate(sorted(self._findings({RuleOutcome.GAP}), key=order), start=1):
            effort, lead = rule.remediation.effort, rule.remediation.lead_time
            node = self.context.nodes.get(finding.key)
            statements = _("Statements of the method: %(source)s", source=", ".join(rule.source)) if rule.source else ""
            yield (
                rank,
                rule.id,
                whole(rule.title),
                self.context.subject_link(finding.subject).label,
                words.GAP_CLASS[rule.gap_class].title,
                words.SEVERITY[rule.severity].title,
                words.GATE[rule.gate].title,
                node.blocks if node else None,
                words.OWNER[rule.remediation.owner].title,
                effort.low,
                effort.expected,
                effort.high,
                self._status(rule, [link.label for link in neighbours(self.context, [finding.key], before=True)]),
                self.context.message(finding),
                words.sentence(whole(rule.why)),
                words.sentence(whole(rule.remediation.text)),
                _evidence(finding),
                lines(*self._cite(rule.references, rule.id), statements),
                (_("Yes") if lead.grade is Grade.JUDGEMENT else _("No")) if lead else _("No lead time"),
            )

    def _status(self, rule: Rule, waits_for: Sequence[str]) -> str:
        if not self.context.needed(rule):
            gate = words.GATE[self.assessment.target_gate].phrase
            return _("Open, not needed for the %(gate)s gate", gate=gate)
        return (
            _("Open, waits for %(waits_for)s", waits_for=words.listed(waits_for))
            if waits_for
            else _("Open, can start now")
        )

    def questions(self) -> Iterator[Row]:
        """What could not be decided, by whom to ask, worst first."""
        positions = {org.id: position for position, org in enumerate(self.assessment.organizations)}
        scopes = list(Scope)

        def order(pair: tuple[Rule, Finding]) -> tuple[int, int, str, bool, int, int, str]:
            rule, finding = pair
            subject = finding.subject
            whose = scopes.index(subject.scope), positions.get(subject.id, 0), subject.id
            return *whose, not _to_ask(finding), rule.severity.rank, rule.gate.rank, rule.id

        first = {unknown.key: rank for rank, unknown in enumerate(self.assessment.plan.unknowns, start=1)}
        for number, (rule, finding) in enumerate(sorted(self._findings(UNDECIDED), key=order), start=1):
            node = self.context.nodes.get(finding.key)
            task = self.context.tasks.get(finding.key)
            yield (
                number,
                rule.id,
                self._whom(finding),
                self.context.subject_link(finding.subject).label,
                question(rule),
                words.SEVERITY[rule.severity].title,
                words.GAP_CLASS[rule.gap_class].title,
                words.GATE[rule.gate].title,
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
            return words.OWNER[Owner.US].title if scope is Scope.PRODUCT else name
        return _("Nobody: probe %(name)s", name=name) if scope is Scope.ORG else _("Nobody: probe the organisations")

    def _findings(self, outcomes: Collection[RuleOutcome]) -> Iterator[tuple[Rule, Finding]]:
        for rule_id, findings in self.context.findings_by_rule(outcomes).items():
            yield from ((self.assessment.rules[rule_id], finding) for finding in findings)

    def tasks(self) -> Iterator[Row]:
        """Tasks of the plan, in order of their median start."""
        plan = self.assessment.plan
        ordered = sorted(plan.left, key=lambda task: (task.start_p50, task.wave, task.id))
        for number, task in enumerate(ordered, start=1):
            lead, effort = task.lead_time, task.effort
            finish = self.forecasts.get(task.org, plan.finish) if task.org else plan.finish
            node = self.context.nodes.get(finding_of(task.id))
            yield (
                number,
                task.id,
                question(node) if node and task.kind == "discovery" else whole(task.title),
                words.TASK[task.kind].title,
                self.context.task_subject(task),
                whole(done([task], {task.org: self.context.organization_name(task.org)} if task.org else {})),
                whole(task.accepted) or None,
                whole(task.person) if task.person else None,
                day(task.due) if task.due else None,
                words.OWNER[task.owner].title,
                words.GATE[task.gate].title,
                lines(*task.after),
                self.calendar.date_of(math.floor(task.start_p50) + 1),
                self.calendar.date_of(task.finish_p50),
                day(task.latest) if task.latest else None,
                *((day(finish.first_date), day(finish.p90_date)) if plan.ground.dated else (None, None)),
                task.criticality,
                *((effort.low, effort.expected, effort.high) if effort else (None,) * 3),
                *((lead.low, lead.expected, lead.high) if lead else (None,) * 3),
                (_("working days") if lead.unit == "working_days" else _("calendar days"))
                if lead
                else _("no lead time"),
                self._lead_source(lead, task),
                words.GRADE[lead.grade].title if lead else None,
                lead.as_of if lead else None,
            )

    def _lead_source(self, lead: LeadTime | None, task: PlanTask) -> str | None:
        if lead is None:
            return None
        url = safe.web_address(lead.source)
        if url:
            return lines(*self._cite([Reference(title=url, url=url)], task.id.partition("@")[0]))
        if lead.source.casefold() == "judgement":
            return _("Judgement: estimated, with no published source")
        return whole(lead.source)

    def checks(self) -> list[Row]:
        """Checks of every organisation's latest observation, what failed first; and who was not observed, and why."""
        rows: list[tuple[tuple[int, int, int, str], Row]] = []
        for index, readiness in enumerate(self.assessment.readiness):
            name = self.context.organization_name(readiness.org)
            observation = self.context.observations.get(readiness.org)
            if self.context.unseen(readiness.org):
                organization = self.context.organizations.get(readiness.org)
                base_url = organization.fhir_base_url if organization else None
                said = _(
                    "We could not look: %(why_unseen)s. This says nothing about what the organisation "
                    "publishes or supports.",
                    why_unseen=self.context.why_unseen(readiness.org),
                )
                label, tried = observed_mark(self.context, readiness).label, moment(readiness.observed_at)
                address = observation.target.base_url if observation else base_url
                row = (name, None, _("Whole organisation"), label, None, said, address, None, None, tried)
                rows.append(((_OUTCOMES.index(CheckOutcome.NOT_OBSERVED), -1, index, ""), row))
            for check in observation.checks if observation else ():
                order = (_OUTCOMES.index(check.outcome), check.severity.rank, index, check.id)
                rows.append((order, self._check(name, check, observation)))
        return [row for _, row in sorted(rows, key=itemgetter(0))]

    def _check(self, name: str, check: Check, observation: Observation | None) -> Row:
        evidence = [item for item in check.evidence if item.url]
        return (
            name,
            check.id,
            whole(check.title),
            words.CHECK[check.outcome].title,
            words.SEVERITY[check.severity].title,
            words.sentence(whole(check.message)),
            lines(*(item.url for item in evidence)) or (observation.target.base_url if observation else None),
            lines(*(item.pointer or _("(whole document)") for item in evidence)),
            lines(*self._cite(check.references, check.id)),
            observation.started.astimezone(UTC).replace(tzinfo=None) if observation else None,
        )

    def answers(self) -> Iterator[Row]:
        """Answers with who gave them and when, what supports them, and who owes something; the product's first."""
        today = safe.parse_day(self.assessment.as_of) or date.min
        for given in self.assessment.answers:
            response = given.response
            everybody = response.answers
            yield (
                _("Product") if given.scope == "product" else self.context.organization_name(given.scope),
                given.item,
                whole(given.text),
                whole(given.said),
                words.STATUS[response.agreed_status].title,
                words.EVIDENCE[response.evidence].title,
                lines(*(record.told(today) for answer in everybody for record in answer.documents)),
                lines(*(answer.by or _("somebody who is not named") for answer in everybody)),
                moment(response.at.isoformat()) if response.at else None,
                whole(response.assignee) if response.assignee else None,
                day(response.due) if response.due else None,
                lines(response.reason or "", response.note or ""),
            )

    def _cite(self, references: Iterable[Reference], by: str) -> list[str]:
        """``[3] RFC 7517 section 5``, and a note of who cites it."""
        cited = []
        for reference in references:
            number = self.context.book.cite(reference).number
            self._cited.setdefault(number, {})[whole(by)] = None
            cited.append(f"[{number}] {whole(reference.title)}")
        return cited

    def sources(self) -> Iterator[Row]:
        """Everything that the other sheets cite."""
        for entry in self.context.book.entries():
            yield entry.number, entry.title, entry.url, ", ".join(self._cited.get(entry.number, ()))


def _evidence(finding: Finding) -> str:
    label = words.EVIDENCE[finding.evidence].title if finding.evidence else ""
    names = dict.fromkeys(name.removeprefix("responses.").removeprefix("value.") for name in finding.reads)
    return ": ".join(part for part in (label, words.listed([whole(name) for name in names])) if part)


def _deciding(finding: Finding) -> str:
    """Answers and observations that would decide it."""
    answers = (_("Answer: %(name)s", name=name) for name in finding.missing_answers)
    facts = (_("Observation: %(name)s", name=name) for name in finding.missing_facts)
    return lines(*answers, *facts)


def _to_ask(finding: Finding) -> bool:
    """Whether somebody's answer would help, and not only an observation."""
    return bool(finding.missing_answers) or not finding.missing_facts


def _held(line: Shown) -> str:
    """One control of a hazard with where it is so, and its id."""
    where = words.listed([link.label for link in line["where"]], 4)
    at = f" {words.capital(where)}." if where else ""
    owner = f" {_('Owner: %(owner)s.', owner=line['owner'])}" if line["owner"] else ""
    return f"{line['text']}{at}{owner} ({line['id'].label})"
