"""What the tables hold, row by row."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from operator import itemgetter

from interlock.model import words
from interlock.model.base import CheckOutcome, GapClass, Grade, Owner, Reference, RuleOutcome, Scope
from interlock.model.content import first_changes, ruleset_words, told_changes
from interlock.model.finding import Finding
from interlock.model.forecast import Quantiles
from interlock.model.language import _
from interlock.model.observation import Check, Observation
from interlock.model.plan import PlanTask, finding_of
from interlock.model.readiness import OrgReadiness
from interlock.model.rule import LeadTime, Rule
from interlock.plan.calendar import WorkingCalendar
from interlock.plan.people import done
from interlock.report import estimates, safe
from interlock.report.elements import Shown
from interlock.report.sections.context import UNDECIDED, Context
from interlock.report.sections.coverage import NOT_OBSERVED_MEANS, not_seen
from interlock.report.sections.first import first_steps
from interlock.report.sections.gaps import neighbours
from interlock.report.sections.glance import observed_mark
from interlock.report.sections.hazards import build_hazards
from interlock.report.sections.summary import build_summary, question, why_undecided
from interlock.report.xlsx.book import Row, Value, sheet_title, whole

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
        self._names = names
        self._calendar = WorkingCalendar(date.fromisoformat(self.assessment.plan.start), holidays)
        self._forecasts = {forecast.org: forecast.finish for forecast in self.assessment.plan.orgs}
        self._cited: dict[int, dict[str, None]] = {}

    def facts(self, version: str) -> Iterator[Row]:
        """Term, value and what it means."""
        assessment, summary = self.assessment, build_summary(self.context)
        plan, score, totals = assessment.plan, assessment.product_score, assessment.totals
        gate, finish = words.GATE[assessment.target_gate], plan.finish
        changes = assessment.content_changes
        ruleset = whole(ruleset_words(assessment.ruleset, assessment.shipped_ruleset, changes))
        to = assessment.recipient
        yield _("For"), words.report_for(self.context.organization_name(to) if to else None), None
        yield (
            _("Assessed on"),
            _day(assessment.as_of),
            _("Interlock %(version)s, ruleset %(ruleset)s", version=version, ruleset=ruleset),
        )
        if changes:
            told = first_changes(changes, 20, "report.json")
            yield _("Changes of this workspace"), len(changes), _lines(told_changes(changes), *told)
        others = [f"{pair.term}: {pair.value}" for pair in summary["changes"]]
        capped = _lines(_("Points of 100: what is verified so far."), *summary["caps"])
        best = _("Points of 100: the best case, once everything undecided has turned out well.")
        undecided = sum(totals.findings.get(outcome, 0) for outcome in UNDECIDED)
        want = self._see(_("For want of an answer or an observation"), "Questions open")
        yield from (
            (_("Verdict"), summary["verdict"], _lines(summary["headline"], summary["organizations"], *summary["lead"])),
            (_("How sure"), _("Settled") if assessment.verdict.settled else _("Not decided"), _lines(*summary["sure"])),
            (_("Next step"), summary["next_owner"], summary["next_step"]),
            (_("What would change the verdict"), None, _lines(summary["counterfactual"], *others)),
            (_("Target gate"), gate.title, _("The gate that the plan leads to")),
            (_("Product’s own score, verified so far"), score.interval.low, capped),
            (_("Product’s own score, at best"), score.interval.high, best),
            (_("Organisations"), totals.organizations, _("Organisations are counted by stage and never averaged.")),
            (_("Organisations observed"), totals.observed, _("in full or in part, by looking at their own endpoints")),
            (_("Findings open"), totals.findings.get(RuleOutcome.GAP, 0), self._see(_("Gaps"), "Gaps")),
            (_("Findings undecided"), undecided, want),
            (
                _("Questions answered"),
                totals.answered,
                _("of %(questions)s that apply", questions=words.count(totals.questions, "question")),
            ),
        )
        unseen = not_seen(self.context)
        for organization in unseen:
            why = words.capital(words.sentence(organization["why"]))
            yield organization["link"].label, words.capital(organization["state"]), why
        if unseen:
            yield _("Not observed"), None, _(NOT_OBSERVED_MEANS)
        if not plan.left:
            yield _("Plan"), None, words.nothing_left(plan.target_gate)
            return
        yield _("Plan starts on"), _day(plan.start), self._see(words.count(len(plan.left), "task"), "Plan")
        said = _lines(*plan.ground.said[1:])
        if not plan.ground.firm:
            yield (
                _("All pass the %(gate)s gate", gate=gate.phrase),
                finish.span if plan.ground.dated else _("no date"),
                _lines(*plan.ground.said[:1], said),
            )
            return
        for level, day, days, says in (
            (_("P50, target"), finish.p50_date, finish.p50_days, _("Half")),
            ("P80", finish.p80_date, finish.p80_days, _("Four fifths")),
            ("P90", finish.p90_date, finish.p90_days, _("Nine tenths")),
        ):
            passed = _("%(says)s of the simulated runs: %(days)s from the start.", says=says, days=estimates.days(days))
            yield _("All pass the %(gate)s gate, %(level)s", gate=gate.phrase, level=level), _day(day), passed

    def _see(self, text: str, name: str) -> str:
        return (
            _("%(text)s: see the sheet %(name)s.", text=text, name=sheet_title(name))
            if name in self._names
            else f"{text}."
        )

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
                _lines(words.capital(entry["figures"]), entry["reason"]),
                words.capital(f"{entry['standing'].label.lower()} {entry['evidence']}".strip()),
                _lines(*(_held(line) for line in entry["holds"] if line["mark"].tone in {"good", "neutral"})),
                _lines(entry["because"], *(_held(line) for line in entry["holds"] if line["mark"].tone in _MISSING)),
                said.get("design"),
                said.get("workflow"),
                said.get("monitoring"),
                entry["observation"],
                _lines(*entry["tests"], entry["checks"]),
                _lines(*(f"{one.title}: {one.url}" for one in entry["sources"]), entry["judgement"], entry["read"]),
                *(None,) * 4,
            )
        state = words.HAZARD["does_not_arise"].title
        for group in shown["absent"]:
            for row in group["rows"]:
                yield (row["id"], row["title"], *(None,) * 7, state, None, group["because"], *(None,) * 10)

    def shares(self) -> list[Row]:
        """Shares, with what each is a share of."""
        score = self.assessment.product_score
        evidence = _("an answer counts half, a document three quarters, an observation in full")
        judged = _("Share of the range’s width that rests on judgement, with no published source")
        return [
            (_("Complete"), score.completeness, _("Share of the product’s own score that is decided")),
            (_("Confidence"), score.confidence, _("Strength of the evidence: %(evidence)s", evidence=evidence)),
            (_("Judgement in the plan"), self.assessment.plan.judgement_share, judged),
        ]

    def organizations(self) -> Iterator[Row]:
        """Where each organisation stands."""
        for readiness in self.assessment.readiness:
            finish = self._forecasts.get(readiness.org) if self.context.tasks else None
            yield (
                self.context.organization_name(readiness.org),
                words.RECOMMENDATION[readiness.recommendation].title,
                self._sure(readiness),
                words.capital(words.stage(readiness.stage)),
                words.capital(words.stage(readiness.stage_if_unknowns_hold)),
                observed_mark(self.context, readiness).label,
                _moment(readiness.observed_at),
                readiness.score.interval.low,
                readiness.score.interval.high,
                readiness.score.completeness,
                readiness.score.confidence,
                *self._passed(finish),
            )

    def _passed(self, finish: Quantiles | None) -> tuple[Value, ...]:
        """P10, P50, P80 and P90 of a finish; P50 and P80 only where single dates have ground."""
        if finish is None or not self.assessment.plan.ground.dated:
            return (None,) * 4
        single = (_day(finish.p50_date), _day(finish.p80_date)) if self.assessment.plan.ground.firm else (None, None)
        return (_day(finish.first_date), *single, _day(finish.p90_date))

    def _sure(self, readiness: OrgReadiness) -> str:
        undecided = len({key for state in readiness.gates for key in state.undecided})
        said = (
            [words.counted(undecided, "%(number)s requirement undecided.", "%(number)s requirements undecided.")]
            if undecided
            else [_("Every requirement decided.")]
        )
        if readiness.observed == "partial":
            said.append(
                _(
                    "%(observed)s; what could not be read counts as not observed.",
                    observed=words.OBSERVED[readiness.observed].title,
                )
            )
        elif readiness.observed != "observed":
            said.append(
                _(
                    "Not observed: %(why_unseen)s. Rests on answers alone.",
                    why_unseen=self.context.why_unseen(readiness.org),
                )
            )
        said += [words.capital(words.sentence(safe.text(cap))) for cap in readiness.score.caps]
        return _lines(*said)

    def first(self) -> Iterator[Row]:
        """What to do first, best first."""
        for step, first_thing in zip(first_steps(self.context), self.assessment.plan.first, strict=False):
            what = finding_of(first_thing.key).partition("@")[0]
            name = " ".join(part for part in (safe.text(what, 80), step["where"]) if part)
            yield (
                f"{step['rank']}. {name}",
                step["owner"],
                _lines(step["title"], step["action"], step["because"]),
                first_thing.p80_days_saved,
                first_thing.unlocks,
                first_thing.criticality,
            )

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
                _lines(*self._cite(rule.references, rule.id), statements),
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
            finish = self._forecasts.get(task.org, plan.finish) if task.org else plan.finish
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
                _day(task.due) if task.due else None,
                words.OWNER[task.owner].title,
                words.GATE[task.gate].title,
                _lines(*task.after),
                self._calendar.date_of(math.floor(task.start_p50) + 1),
                self._calendar.date_of(task.finish_p50),
                _day(task.latest) if task.latest else None,
                *((_day(finish.first_date), _day(finish.p90_date)) if plan.ground.dated else (None, None)),
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
            return _lines(*self._cite([Reference(title=url, url=url)], task.id.partition("@")[0]))
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
                label, tried = observed_mark(self.context, readiness).label, _moment(readiness.observed_at)
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
            _lines(*(item.url for item in evidence)) or (observation.target.base_url if observation else None),
            _lines(*(item.pointer or _("(whole document)") for item in evidence)),
            _lines(*self._cite(check.references, check.id)),
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
                _lines(*(record.told(today) for answer in everybody for record in answer.documents)),
                _lines(*(answer.by or _("somebody who is not named") for answer in everybody)),
                _moment(response.at.isoformat()) if response.at else None,
                whole(response.assignee) if response.assignee else None,
                _day(response.due) if response.due else None,
                _lines(response.reason or "", response.note or ""),
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


def _lines(*parts: str) -> str:
    """The parts that say something, a line each."""
    return "\n".join(whole(part) for part in parts if part)


def _day(value: str) -> Value:
    """A real date; text that is none stays text."""
    return safe.parse_day(value) or whole(value)


def _moment(value: str | None) -> Value:
    """A real date with time in UTC; text that is none stays text."""
    try:
        parsed = datetime.fromisoformat(value or "")
    except ValueError:
        return _day(value or "")
    return (parsed.astimezone(UTC) if parsed.tzinfo else parsed).replace(tzinfo=None)


def _evidence(finding: Finding) -> str:
    label = words.EVIDENCE[finding.evidence].title if finding.evidence else ""
    names = dict.fromkeys(name.removeprefix("responses.").removeprefix("value.") for name in finding.reads)
    return ": ".join(part for part in (label, words.listed([whole(name) for name in names])) if part)


def _deciding(finding: Finding) -> str:
    """Answers and observations that would decide it."""
    answers = (_("Answer: %(name)s", name=name) for name in finding.missing_answers)
    facts = (_("Observation: %(name)s", name=name) for name in finding.missing_facts)
    return _lines(*answers, *facts)


def _to_ask(finding: Finding) -> bool:
    """Whether somebody's answer would help, and not only an observation."""
    return bool(finding.missing_answers) or not finding.missing_facts


def _held(line: Shown) -> str:
    """One control of a hazard with where it is so, and its id."""
    where = words.listed([link.label for link in line["where"]], 4)
    at = f" {words.capital(where)}." if where else ""
    owner = f" {_('Owner: %(owner)s.', owner=line['owner'])}" if line["owner"] else ""
    return f"{line['text']}{at}{owner} ({line['id'].label})"
