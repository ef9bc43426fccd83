"""What a section is, and what it is built from: the assessment, lookups over it, and the list of references."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import networkx as nx

from interlock.model import words
from interlock.model.assessment import Assessment, GivenAnswer
from interlock.model.base import GapClass, Recommendation, Reference, RuleOutcome, Scope, Severity
from interlock.model.finding import Finding, Subject
from interlock.model.gap_graph import GapNode
from interlock.model.language import _
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.plan import PlanTask, finding_of
from interlock.model.readiness import OrgReadiness
from interlock.model.rule import LeadTime, Rule
from interlock.report import safe
from interlock.report.elements import Cite, Link, Shown
from interlock.report.reference_book import ReferenceBook

UNDECIDED = frozenset({RuleOutcome.UNKNOWN, RuleOutcome.ERROR})
_OPEN = UNDECIDED | {RuleOutcome.GAP}
#: Parts that every contract has in a report, by their names in contract.yaml.
_PARTS = frozenset(
    {
        "clinical_event", "launch", "inputs", "outputs", "output_is_wrong", "failures", "review", "endpoints",
        "test_path", "organization_surface",
    }
)  # fmt: skip
BLOCKERS = frozenset({GapClass.PRODUCT_BLOCKER, GapClass.INTEGRATION_BLOCKER})
#: First words of the names that only an observation gives.
OBSERVED_ROOTS = frozenset({"probe", "checks", "fit", "compared", "contradictions"})
#: Where all is that a brief report only counts: the whole report, beside the brief one and attached to it.
WHOLE = "report.html"
#: So many organisations are named one by one where space is short.
FEW = 6
#: Short links beside one sentence to what it rests on.
_GROUNDS = 4
#: Undecided rules that a brief report tells in full: about a page.
BRIEF_QUESTIONS = 12


def answer_anchor(answer: GivenAnswer) -> str:
    """Where the evidence annex has this answer."""
    return safe.anchor("answer", answer.scope, answer.item)


def task_anchor(task: PlanTask) -> str:
    """Where the list of all tasks has this one: in its wave, or done; one row for all organisations at which it is."""
    wave = "done" if task.is_done else str(task.wave + 1)
    return safe.anchor("task", wave, task.kind, finding_of(task.id).partition("@")[0])


def _roots(finding: Finding) -> frozenset[str]:
    """What kinds of facts a finding's rule reads, by the first words of their names."""
    return frozenset(name.partition(".")[0] for name in finding.reads)


def _contract_part(finding: Finding) -> str:
    """Where the contract has the first part that a finding's rule reads; the whole of it where it reads no one part."""
    parts = (name.split(".")[1] for name in finding.reads if name.startswith("contract."))
    part = next((part for part in parts if part in _PARTS), "")
    return safe.anchor("contract", part) if part else "contract"


def worst_first(rule: Rule) -> tuple[int, int, str]:
    """Sorts rules by severity, then by gate."""
    return rule.severity.rank, rule.gate.rank, rule.id


def without_lead(message: str, lead: str) -> str:
    """A message that starts with "Name: " without it, to stand where the name is known already."""
    cut = message.removeprefix(f"{lead}: ")
    return words.capital(cut) if cut.strip() else message


class Context:
    """Lookups over one assessment. Built once a report; nothing in it changes but the reference book.

    :param shown: the sections that the report has; links into others lead nowhere.
    :param brief: for a document that is read from front to back: what the target gate does not need, and what is
        minor, is told in a row or counted.
    """

    def __init__(
        self,
        assessment: Assessment,
        observations: Mapping[str, Observation],
        shown: Collection[str],
        *,
        brief: bool = False,
    ) -> None:
        self.brief = brief
        self.assessment = assessment
        self.observations = observations
        self.shown = frozenset(shown)
        self.book = ReferenceBook(linked="references" in self.shown)
        self.organizations: dict[str, Organization] = {org.id: org for org in assessment.organizations}
        self.names: dict[str, str] = {org.id: safe.name(org.name) for org in assessment.organizations}
        self.readiness: dict[str, OrgReadiness] = {readiness.org: readiness for readiness in assessment.readiness}

    @cached_property
    def findings(self) -> dict[str, Finding]:
        """Findings by key."""
        return {finding.key: finding for finding in self.assessment.findings}

    @cached_property
    def nodes(self) -> dict[str, GapNode]:
        """Nodes of the gap graph by key."""
        return {node.key: node for node in self.assessment.graph.nodes}

    @cached_property
    def tasks(self) -> dict[str, PlanTask]:
        """Tasks of the plan by id."""
        return {task.id: task for task in self.assessment.plan.tasks}

    @cached_property
    def waiting(self) -> nx.DiGraph:
        """The reduced gap graph: keys of findings, with an edge from each to what waits for it."""
        return nx.DiGraph((edge.before, edge.after) for edge in self.assessment.graph.reduced)

    def needed(self, rule: Rule) -> bool:
        """Whether the target gate cannot be passed while this rule is open (as ``gaps`` counts requirements)."""
        return (
            rule.gap_class is not GapClass.ADVICE
            and rule.lifecycle == "stable"
            and rule.gate.rank <= self.assessment.target_gate.rank
        )

    def findings_by_rule(self, outcomes: Collection[RuleOutcome]) -> dict[str, list[Finding]]:
        """Findings with these outcomes by the id of their rule, without those of deprecated rules."""
        by_rule: dict[str, list[Finding]] = defaultdict(list)
        for finding in self.assessment.findings:
            if finding.outcome in outcomes and self.assessment.rules[finding.rule].lifecycle != "deprecated":
                by_rule[finding.rule].append(finding)
        return {rule: self.in_order(findings) for rule, findings in by_rule.items()}

    def in_order(self, findings: Iterable[Finding]) -> list[Finding]:
        """Findings in the order of their organisations; what is the product's or a vendor's comes first."""
        order = {org: number for number, org in enumerate(self.organizations)}
        return sorted(findings, key=lambda finding: order.get(finding.subject.id, -1))

    def told(self, rule: Rule) -> bool:
        """Whether an undecided rule gets its own entry; a brief report counts all but the worst."""
        return not self.brief or rule.id in self._told

    @cached_property
    def _told(self) -> frozenset[str]:
        """Undecided rules that a brief report tells: critical ones and blockers that the target gate needs."""
        undecided = [self.assessment.rules[rule_id] for rule_id in self.findings_by_rule(UNDECIDED)]
        worst = [rule for rule in undecided if rule.severity is Severity.CRITICAL or rule.gap_class in BLOCKERS]
        return frozenset([rule.id for rule in sorted(filter(self.needed, worst), key=worst_first)][:BRIEF_QUESTIONS])

    def rule(self, rule_id: str) -> Rule | None:
        """The rule, or none when the assessment does not carry it."""
        return self.assessment.rules.get(rule_id)

    def organization_name(self, org: str) -> str:
        """An organisation's name, or its id when it is not known."""
        return self.names.get(org) or safe.name(org)

    def recommended(self) -> str:
        """What is recommended at which organisation, in a sentence; of many how many they are."""
        readiness = self.assessment.readiness
        if len(readiness) <= FEW:
            return safe.text(self.assessment.verdict.organizations, 600)
        counted = [
            _(
                "%(recommendation)s at %(number)s",
                recommendation=words.RECOMMENDATION[each].phrase,
                number=words.number(number),
            )
            for each in Recommendation
            if (number := sum(own.recommendation is each for own in readiness))
        ]
        return words.capital(
            words.sentence(
                _(
                    "%(counted)s of %(readiness)s organisations",
                    counted=words.listed(counted),
                    readiness=words.number(len(readiness)),
                )
            )
        )

    def how_many(self, number: int) -> str:
        """A number of organisations beside that of all."""
        total = len(self.organizations)
        if number == total == 2:
            return _("both organisations")
        return (
            _("all %(total)s organisations", total=words.number(total))
            if number == total
            else _("%(number)s of %(total)s organisations", number=words.number(number), total=words.number(total))
        )

    def organization_link(self, org: str) -> Link:
        """Leads to the organisation's own page."""
        known = "organizations" in self.shown and org in self.organizations
        return Link(label=self.organization_name(org), anchor=safe.anchor("org", org) if known else "")

    @cached_property
    def product_link(self) -> Link:
        """Leads to what was answered about the product."""
        anchor = self.leads("answers", safe.anchor("answers", "product")) if "product" in self.answered_about else ""
        return Link(label=_("Product"), anchor=anchor)

    def subject_link(self, subject: Subject) -> Link:
        """Names a subject: the product, a vendor or an organisation."""
        if subject.scope is Scope.PRODUCT:
            return self.product_link
        if subject.scope is Scope.VENDOR:
            return Link(label=_("%(vendor)s (vendor)", vendor=words.vendor(subject.id)))
        return self.organization_link(subject.id)

    def task_subject(self, task: PlanTask) -> str:
        """Names the organisation, the vendor or the product that a task is about."""
        if task.org:
            return self.organization_name(task.org)
        vendor = task.id.partition("@vendor:")[2]
        return _("%(vendor)s (vendor)", vendor=words.vendor(vendor)) if vendor else _("Product")

    def message(self, finding: Finding) -> str:
        """What was found, for a place that names the subject already."""
        message = safe.text(finding.message)
        lead = self.names.get(finding.subject.id, "") if finding.subject.scope is Scope.ORG else ""
        return words.sentence(without_lead(message, lead))

    def detail(self, finding: Finding, title: str) -> str:
        """Like :meth:`message`, and empty when it only says the title again."""
        message = self.message(finding)
        return "" if message.rstrip(".").casefold() == title.rstrip(".").casefold() else message

    def rests_on(self, finding: Finding) -> tuple[Link, ...]:
        """What a finding rests on: answers with author, day and evidence, the observation with its day, the contract.

        Each is a line of words that leads to where the report has all of it; what nobody answered or observed is not
        among them.
        """
        said = []
        for answer in self.answers_read(finding):
            said += self._rehearsed(answer)
            anchor = self.leads("answers", answer_anchor(answer))
            said.append(Link(label=self._answer_told(answer), anchor=anchor))
        roots = _roots(finding)
        own = self.readiness.get(finding.subject.id) if finding.subject.scope is Scope.ORG else None
        observed = own is not None and own.observed in {"observed", "partial"}
        if roots & OBSERVED_ROOTS and own is not None and observed:
            label = _("Observed at its endpoints on %(observed_at)s.", observed_at=safe.day(own.observed_at))
            said.append(Link(label=label, anchor=self.seen_anchor(own.org)))
        if "fleet" in roots:
            said.append(Link(label=_("What is known of all organisations together."), anchor=self.leads("comparison")))
        if roots & {"org", "settings"} and finding.subject.scope is Scope.ORG:
            label = _("What its file in the workspace records.")
            anchor = self.leads("organizations", safe.anchor("org", finding.subject.id, "file"))
            said.append(Link(label=label, anchor=anchor))
        if roots & {"contract", "fit", "settings"} and self.assessment.contract is not None:
            version = safe.text(self.assessment.contract.version, 40)
            label = _("The workflow contract, version %(version)s.", version=version)
            said.append(Link(label=label, anchor=self.leads("contract", "" if self.brief else _contract_part(finding))))
        return tuple(said)

    @staticmethod
    def grounds(rests_on: Iterable[Link]) -> tuple[Link, ...]:
        """What a finding rests on in a word each, to stand beside a sentence."""
        said = {"answer": _("answered"), "seen": _("observed"), "rehearsal": _("observed"), "contract": _("contract")}
        links = {
            Link(label=said.get(line.anchor.partition("-")[0], _("details")), anchor=line.anchor): None
            for line in rests_on
            if line.anchor
        }
        return tuple(links)[:_GROUNDS]

    def lacks(self, finding: Finding) -> tuple[Link, ...]:
        """Where the whole report has what an undecided finding lacks: answers that say “unknown”, and what was seen."""
        links = {link: None for item in finding.missing_answers for link in self.given(item, finding.subject)}
        org = finding.subject.id if finding.subject.scope is Scope.ORG and finding.missing_facts else ""
        if seen := self.seen_anchor(org) if org else "":
            links[Link(label=_("observed"), anchor=seen)] = None
        return tuple(links)

    def given(self, item: str, subject: Subject) -> tuple[Link, ...]:
        """Leads to the answer of a subject or of the product to a question, else to all that was answered about it."""
        scopes = (subject.id, "product") if subject.scope is Scope.ORG else ("product",)
        answer = next((self.answers[item, scope] for scope in scopes if (item, scope) in self.answers), None)
        anchor = answer_anchor(answer) if answer is not None else ""
        if answer is None and scopes[0] in self.answered_about:
            anchor = safe.anchor("answers", scopes[0])
        anchor = self.leads("answers", anchor) if anchor else ""
        return (Link(label=_("answered"), anchor=anchor),) if anchor else ()

    def _rehearsed(self, answer: GivenAnswer) -> list[Link]:
        """What the rehearsal showed of the question that an answer is to; nothing where it showed nothing."""
        told = self.assessment.rehearsal
        rows = told.settled if told is not None and answer.scope == "product" else ()
        row = next((row for row in rows if row.item == answer.item), None)
        if told is None or row is None:
            return []
        day, observed = words.day(told.started.date()), safe.text(row.observed, 300)
        if not row.contradicted:
            label = _("Observed in the rehearsal on %(day)s as well: %(observed)s.", day=day, observed=observed)
            return [Link(label=label, anchor="rehearsal" if self._has("rehearsal") else "")]
        label = _(
            "Observed in the rehearsal on %(day)s: %(observed)s (%(checks)s). That is judged, and not the answer:",
            day=day,
            observed=observed,
            checks=words.listed(row.checks, 4),
        )
        return [Link(label=label, anchor=self.break_anchor(row.checks[0]) if row.checks else "")]

    def settled_anchor(self, item: str) -> str:
        """Where the report tells what the rehearsal showed of a question; empty where it showed nothing."""
        told = self.assessment.rehearsal
        row = next((row for row in (told.settled if told is not None else ()) if row.item == item), None)
        if row is None or self.brief:
            return ""
        broke = self.break_anchor(row.checks[0]) if row.contradicted and row.checks else ""
        return broke or self.leads("rehearsal")

    def break_anchor(self, check: str) -> str:
        """Where the report tells what one check of the rehearsal broke; empty where it does not."""
        told = self.assessment.rehearsal
        broke = list(dict.fromkeys(row.check.id for row in told.broke)) if told is not None else []
        return f"rehearsal-{broke.index(check) + 1}" if check in broke and self._has("rehearsal") else ""

    def answered(self, answer: GivenAnswer) -> str:
        """The answer in quotation marks, with who gave it, when, and on what evidence."""
        response, today = answer.response, safe.parse_day(self.assessment.as_of)
        who = safe.text(response.by.partition(" <")[0], 80) if response.by else _("nobody named")
        when = f", {words.day(response.at.date())}" if response.at else ""
        shown = [record.told(today) for record in response.documents] if today else []
        evidence = safe.text(words.listed(shown, 1), 200) if shown else words.EVIDENCE[response.evidence].phrase
        return f"“{safe.text(answer.said, 200)}” ({who}{when}; {evidence})"

    def answers_read(self, finding: Finding) -> Iterable[GivenAnswer]:
        """The answers that a finding's rule reads, of its organisation or of the product."""
        scopes = (finding.subject.id, "product") if finding.subject.scope is Scope.ORG else ("product",)
        items = [name.partition(".")[2] for name in finding.reads]
        if any(name.startswith("contradictions") for name in finding.reads):
            items += [each.item for each in self.assessment.contradictions if each.org in {None, finding.subject.id}]
        for item in dict.fromkeys(items):
            answer = next((self.answers[item, scope] for scope in scopes if (item, scope) in self.answers), None)
            if answer is not None:
                yield answer

    @cached_property
    def answered_about(self) -> frozenset[str]:
        """The organisations, and the product, about which somebody answered anything."""
        return frozenset(answer.scope for answer in self.assessment.answers)

    @cached_property
    def answers(self) -> dict[tuple[str, str], GivenAnswer]:
        """Answers by question and scope."""
        return {(answer.item, answer.scope): answer for answer in self.assessment.answers}

    def _answer_told(self, answer: GivenAnswer) -> str:
        """An answer with who gave it, when, and on what evidence, in one line."""
        response, today = answer.response, safe.parse_day(self.assessment.as_of)
        who = safe.text(response.by.partition(" <")[0], 80) if response.by else _("nobody named")
        when = f", {words.day(response.at.date())}" if response.at else ""
        shown = [record.told(today) for record in response.documents] if today else []
        evidence = (
            f"; {safe.text(words.listed(shown, 3), 300)}" if shown else f"; {words.EVIDENCE[response.evidence].phrase}"
        )
        said = _(
            "“%(question)s” Answered: %(answer)s (%(evidence)s).",
            question=safe.text(answer.text, 200),
            answer=safe.text(answer.said, 200),
            evidence=f"{who}{when}{evidence}",
        )
        if not response.note:
            return said
        return f"{said} {_('Note: %(note)s', note=words.sentence(safe.text(response.note, 400)))}"

    def leads(self, section: str, anchor: str = "") -> str:
        """The anchor of a section, or one in it, which a brief report has not; empty where the report has neither."""
        return (anchor or section) if section in self.shown and not (anchor and self.brief) else ""

    def seen_anchor(self, org: str) -> str:
        """Where the report has every request to an organisation; of a brief one its page, and empty without any."""
        if self.brief:
            return self.organization_link(org).anchor
        return self.leads("answers", safe.anchor("seen", org)) if org in self.observations else ""

    def task_link(self, task: PlanTask | None) -> Link:
        """Leads to a task in the list of all of them."""
        return Link(label=_("details"), anchor=self.leads("tasks", task_anchor(task)) if task is not None else "")

    def rests_at(self, finding: Finding) -> str:
        """Where the whole report has what a finding rests on: the gap, else its answer, else what was seen there."""
        if finding.outcome is RuleOutcome.GAP:
            return safe.anchor("gap", finding.rule) if self._has("gaps") else ""
        if finding.outcome in UNDECIDED:
            return safe.anchor("open", finding.rule) if self._has("unknowns") else ""
        answer = next(iter(self.answers_read(finding)), None)
        if answer is not None:
            return answer_anchor(answer) if self._has("answers") else ""
        org = finding.subject.id if finding.subject.scope is Scope.ORG else ""
        if org in self.observations and self._has("answers") and _roots(finding) & OBSERVED_ROOTS:
            return safe.anchor("seen", org)
        if org and self._has("organizations"):
            return safe.anchor("org", org)
        return _contract_part(finding) if self.assessment.contract is not None and self._has("contract") else ""

    def _has(self, section: str) -> bool:
        """Whether the whole report has a section: of a brief one the file beside it."""
        return self.brief or section in self.shown

    def rule_anchor(self, rule_id: str, outcome: RuleOutcome | None) -> str:
        """Where the report explains a rule with this outcome; empty when it does not."""
        if outcome is RuleOutcome.GAP and "gaps" in self.shown:
            return safe.anchor("gap", rule_id)
        rule = self.rule(rule_id)
        if outcome in UNDECIDED and "unknowns" in self.shown and (rule is None or self.told(rule)):
            return safe.anchor("open", rule_id)
        return ""

    def finding_link(self, key: str) -> Link:
        """The rule's id, leading to where the report explains it."""
        rule_id = key.partition("@")[0]
        finding = self.findings.get(key)
        anchor = self.rule_anchor(rule_id, finding.outcome if finding else None)
        if finding is not None and finding.outcome not in _OPEN and not self.brief:
            anchor = self.rests_at(finding)
        return Link(label=safe.text(rule_id, 60), anchor=anchor)

    def statement_links(self, statements: Iterable[str]) -> tuple[Link, ...]:
        """Statements of the method's source, each leading to what it says."""
        return tuple(
            Link(label=safe.text(each, 20), anchor=self.leads("statements", safe.anchor("statement", each)))
            for each in statements
        )

    def rule_link(self, rule_id: str) -> Link:
        """The rule's id, leading to the worst that was found by it."""
        worst = self._worst.get(rule_id)
        return self.finding_link(worst.key) if worst else Link(label=safe.text(rule_id, 60))

    @cached_property
    def _worst(self) -> dict[str, Finding]:
        """The worst finding of each rule: one that is open, else one undecided, else one that is met."""
        order = (RuleOutcome.NOT_APPLICABLE, RuleOutcome.MET, *UNDECIDED, RuleOutcome.GAP)
        return {
            each.rule: each for each in sorted(self.assessment.findings, key=lambda each: order.index(each.outcome))
        }

    def unseen(self, org: str) -> bool:
        """Whether nothing was observed of this organisation."""
        readiness = self.readiness.get(org)
        return readiness is None or readiness.observed in {"not_observed", "never_probed"}

    def why_unseen(self, org: str) -> str:
        """Why nothing, or only part, was observed: the assessment's reason, or the observation's."""
        readiness = self.readiness.get(org)
        if readiness is not None and readiness.not_observed_because:
            return safe.text(readiness.not_observed_because, 200)
        observation = self.observations.get(org)
        reason = observation.reason_not_observed() if observation else None
        if reason:
            return safe.text(reason, 200)
        organization = self.organizations.get(org)
        if organization is not None and organization.fhir_base_url is None:
            return _("no FHIR base URL is recorded")
        never = readiness is not None and readiness.observed == "never_probed"
        return _("it has not been probed yet") if never else _("no reason was recorded")

    def lead_source(self, lead_time: LeadTime | None) -> tuple[str, tuple[Cite, ...]]:
        """Grade, date and source of a lead time: words, and a citation when the source is an address."""
        if lead_time is None:
            return "", ()
        grade = f"{words.GRADE[lead_time.grade].title}, {safe.day(lead_time.as_of)}"
        url, source = safe.web_address(lead_time.source), safe.text(lead_time.source, 200)
        if url:
            return grade, (self.book.cite(Reference(title=urlsplit(url).netloc + urlsplit(url).path, url=url)),)
        return (grade if source.casefold() == "judgement" else f"{grade}: {source}"), ()


@dataclass(frozen=True)
class Section:
    """One section of the report.

    :ivar id: its name for ``--sections``, its anchor, and the name of its templates in ``reports/sections/``.
    :ivar build: what the templates get as ``section.content``; ``children`` stand below its title in the contents.
    :ivar appendix: whether it comes after the numbered sections, with a letter.
    :ivar present: whether the assessment has anything for it; who asks for it by name gets it all the same.
    :ivar late: whether it is built after the others, because it lists what they cite or its own citations come last.
    """

    id: str
    title: str
    build: Callable[[Context], Shown]
    appendix: bool = False
    late: bool = False
    present: Callable[[Assessment], bool] = lambda assessment: True
