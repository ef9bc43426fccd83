"""Findings, scores, stages and verdict of a workspace, and again after every answer.

A :class:`Judge` belongs to one set of questions and rules, and to the session that judges. It remembers what each rule
concluded (:class:`interlock.judge.evaluate.Evaluator`); everything else is computed anew from the findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

from interlock.content.visibility import Hiding
from interlock.documents.timing import timed
from interlock.judge.answers import counts_as
from interlock.judge.engine import Conclusion
from interlock.judge.evaluate import Evaluator
from interlock.judge.score import org_readiness, product_score
from interlock.judge.tallies import Counted, Tallies, tally_all
from interlock.judge.variables import RuleInputs
from interlock.judge.verdict import ballot_of, decide, may_vote
from interlock.model.base import Gate, RuleOutcome, Scope, Status
from interlock.model.finding import Finding, Subject
from interlock.model.pattern import PatternMatch
from interlock.model.questionnaire import Item, Questionnaire
from interlock.model.readiness import OrgReadiness, Score, Totals, Verdict
from interlock.model.rule import Rule, Ruleset
from interlock.usecases.load import Content, Inputs


@dataclass(frozen=True, eq=False)
class Judgement:
    """What the answers and observations amount to, without graph and plan: quick enough for every keystroke.

    :ivar findings: every finding, sorted by rule id and then by subject.
    :ivar verdict: product or integration?
    """

    findings: tuple[Finding, ...]
    tallies: Tallies
    product_score: Score
    readiness: tuple[OrgReadiness, ...]
    verdict: Verdict
    rules: Mapping[str, Rule]


class Judge:
    """Judges the inputs of one content, again and again; safe to share between threads."""

    def __init__(self, questionnaires: Sequence[Questionnaire], ruleset: Ruleset) -> None:
        self.hiding = Hiding(questionnaires)
        asked = {item.id: item.text for questionnaire in questionnaires for item in questionnaire.questions()}
        self.rules: Mapping[str, Rule] = {
            rule.id: rule.but(question=rule.question or asked.get(rule.measures or "")) for rule in ruleset.rules
        }
        self._voting = frozenset(rule.id for rule in ruleset.rules if may_vote(rule))
        self._accepts = ruleset.accepts
        self._content = ruleset, questionnaires
        self._counted: Counted = {}

    @cached_property
    def _evaluator(self) -> Evaluator:
        """It compiles every rule, which whoever asks alone for what is hidden does not wait for."""
        return Evaluator(*self._content)

    def hidden(self, inputs: Inputs, orgs: Iterable[str] | None = None) -> dict[str, frozenset[str]]:
        """Item ids that ``enable_when`` hides: ``""`` for the product, an organisation's id for it; by default all."""
        hiding, product, kind = self.hiding, inputs.product, inputs.kind
        names = [org.id for org in inputs.organizations] if orgs is None else orgs
        return {"": hiding.of(product, None, kind)} | {
            name: hiding.of(product, inputs.answers(name), kind) for name in names
        }

    def rule_inputs(self, inputs: Inputs, orgs: Iterable[str] | None = None) -> RuleInputs:
        """What the rules room needs of the inputs, to judge the product and some organisations; by default all."""
        return RuleInputs(
            questionnaires=inputs.content.questionnaires,
            product=inputs.product,
            by_org=inputs.by_org,
            organizations=inputs.organizations,
            observations=inputs.observations,
            contract=inputs.written,
            fits=inputs.fits,
            fit_to_fhir=inputs.fit_to_fhir,
            rehearsed=inputs.rehearsed,
            hidden=self.hidden(inputs, orgs),
            today=inputs.today,
        )

    @timed("judge")
    def judge(self, inputs: Inputs) -> Judgement:
        """Findings and scores of the inputs."""
        return self.amounts_to(self._evaluator.findings(self.rule_inputs(inputs)), inputs, self._counted)

    def amounts_to(self, findings: tuple[Finding, ...], inputs: Inputs, counted: Counted | None = None) -> Judgement:
        """What findings amount to at the organisations of these inputs.

        :param counted: see :func:`interlock.judge.tallies.tally_all`.
        """
        tallies = tally_all(findings, self.rules, self._accepts, counted)
        blockers, target = tallies.product_blockers(), inputs.settings.target_gate
        readiness = tuple(
            org_readiness(org, tallies, blockers, inputs.observations.get(org.id), target)
            for org in inputs.organizations
        )
        return Judgement(
            findings=findings,
            tallies=tallies,
            product_score=product_score(tallies),
            readiness=readiness,
            verdict=decide(ballot_of(tallies, inputs.organizations), readiness, inputs.organizations),
            rules=self.rules,
        )

    def votes(self, inputs: Inputs) -> tuple[Finding, ...]:
        """The findings of the rules that may argue for a verdict: much quicker, for trying many answers."""
        return self._evaluator.findings(self.rule_inputs(inputs), self._voting)

    def conclude(self, rule_id: str, subject: Subject, tries: Iterable[Inputs]) -> Iterator[Conclusion]:
        """What one rule concludes about one subject, with each of several sets of answers to the same inputs."""
        orgs = [subject.id] if subject.scope is Scope.ORG else []
        return self._evaluator.conclude(rule_id, subject, (self.rule_inputs(inputs, orgs) for inputs in tries))


@lru_cache(maxsize=8)
def judge_of(content: Content) -> Judge:
    """The judge of one content: always the same, so that one more answer is quick."""
    return Judge(content.questionnaires, content.ruleset)


def judge(inputs: Inputs) -> Judgement:
    """Findings and scores of the inputs; quick when little changed since the last time."""
    return judge_of(inputs.content).judge(inputs)


def asked(inputs: Inputs, scope: str) -> tuple[Item, ...]:
    """Questions of ``product`` or of one organisation that are shown (or may yet be), in reading order, by profile.

    Of the product also what may be proposed for all organisations, while more than one has no answer of its own.
    """
    of_org = scope != "product"
    answers = inputs.answers(scope)
    hiding = judge_of(inputs.content).hiding
    hidden = hiding.of(inputs.product, answers if of_org else None, inputs.kind)
    every = inputs.settings.profile == "full"

    def belongs(item: Item) -> bool:
        if of_org or item.scope is not Scope.ORG:
            return (item.scope is Scope.ORG) is of_org
        if not item.proposable or item.id in answers:
            return item.proposable
        return sum(item.id not in inputs.answers(org.id) for org in inputs.organizations) > 1

    return tuple(
        item
        for item in inputs.content.items.values()
        if belongs(item) and item.id not in hidden and (every or item.priority == "core" or item.id in answers)
    )


def totals(inputs: Inputs, judged: Judgement) -> Totals:
    """How many organisations, stages, findings and answers there are."""
    statuses = [
        counts_as(item, answers.get(item.id))
        for scope in chain(["product"], (org.id for org in inputs.organizations))
        for answers in (inputs.answers(scope),)
        for item in asked(inputs, scope)
    ]
    stages = [readiness.stage.value if readiness.stage else "none" for readiness in judged.readiness]
    return Totals(
        organizations=len(inputs.organizations),
        observed=sum(readiness.observed in {"observed", "partial"} for readiness in judged.readiness),
        by_stage={name: stages.count(name) for name in ("none", *(gate.value for gate in Gate))},
        findings={outcome: sum(f.outcome is outcome for f in judged.findings) for outcome in RuleOutcome},
        questions=len(statuses),
        answered=statuses.count(Status.ANSWERED),
        unknown=statuses.count(Status.UNKNOWN),
        not_applicable=statuses.count(Status.NOT_APPLICABLE),
    )


def find_patterns(inputs: Inputs, org: str | None = None) -> tuple[PatternMatch, ...]:
    """Every pattern of the library on the inputs, in id order.

    :param org: keep only what concerns this organisation; fleet patterns that name nobody concern everybody.
    """
    matches = inputs.content.patterns.match(judge_of(inputs.content).rule_inputs(inputs))
    return matches if org is None else tuple(_pattern_at(pattern_match, org) for pattern_match in matches)


def _pattern_at(pattern_match: PatternMatch, org: str) -> PatternMatch:
    if pattern_match.scope == "fleet":
        concerned = pattern_match.outcome != "matched" or not pattern_match.orgs or org in pattern_match.orgs
        return (
            pattern_match
            if concerned
            else pattern_match.model_copy(update={"outcome": "not_matched", "orgs": (), "messages": ()})
        )
    here = [
        message
        for matched_org, message in zip(pattern_match.orgs, pattern_match.messages, strict=True)
        if matched_org == org
    ]
    undecided = org in pattern_match.undecided_orgs
    return pattern_match.model_copy(
        update={
            "outcome": "matched" if here else "undecided" if undecided else "not_matched",
            "orgs": (org,) if here else (),
            "messages": tuple(here),
            "undecided_orgs": (org,) if undecided else (),
            "detail": pattern_match.detail if undecided else None,
            "missing_answers": pattern_match.missing_answers if undecided else (),
            "missing_facts": pattern_match.missing_facts if undecided else (),
        }
    )
