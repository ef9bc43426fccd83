"""Which patterns hold, where, and what is not known (S44; docs/patterns.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from interlock.content.compile import CompiledPattern, compile_pattern
from interlock.content.messages import fill, show
from interlock.documents.timing import timed
from interlock.judge.answers import Causes
from interlock.judge.context import Known
from interlock.judge.engine import Conclusion, all_causes, decide, listed, over_all
from interlock.judge.evaluate import Conclusions
from interlock.judge.variables import RuleInputs
from interlock.model.base import RuleOutcome
from interlock.model.finding import UNDECIDED
from interlock.model.pattern import Pattern, PatternMatch, PatternOutcome
from interlock.model.questionnaire import Questionnaire

#: What a condition concludes about an organisation, by its id; in the workspace's order.
ByOrg = Mapping[str, Conclusion]


class PatternLibrary:
    """Patterns, to be matched against everything that is known, again and again.

    :raises DocumentError: a condition is not CEL. Inputs never raise.
    """

    def __init__(self, patterns: Sequence[Pattern], questionnaires: Iterable[Questionnaire]) -> None:
        self.patterns = patterns
        self._compiled = tuple(map(compile_pattern, patterns))
        self._conclusions = Conclusions(self._compiled, questionnaires, decide)

    @timed("patterns")
    def match(self, inputs: RuleInputs) -> tuple[PatternMatch, ...]:
        """Every pattern on what is known, in their order."""
        knowledge = self._conclusions.knowledge(inputs)
        product = knowledge.product()
        organizations = {org.id: knowledge.organization(org) for org in inputs.organizations}
        return tuple(
            self._at_each(pattern, organizations)
            if pattern.rule.scope == "org"
            else self._over_all(pattern, product, organizations)
            for pattern in self._compiled
        )

    def _at_each(self, pattern: CompiledPattern, organizations: Mapping[str, Known]) -> PatternMatch:
        conclusions = {org: self._conclusions.of(pattern, known) for org, known in organizations.items()}
        causes = all_causes(conclusions)
        at = _gaps(conclusions)
        messages = [fill(pattern.rule.message, organizations[org].shown) for org in at]
        outcome: PatternOutcome = "matched" if at else "undecided" if causes.organizations else "not_matched"
        return _match(pattern.rule, outcome, at, messages, causes, organizations)

    def _over_all(self, pattern: CompiledPattern, product: Known, organizations: Mapping[str, Known]) -> PatternMatch:
        concluded = {
            name: {org: self._conclusions.of(condition, known) for org, known in organizations.items()}
            for name, condition in pattern.where.items()
        }
        conclusion = decide(pattern, over_all(self._conclusions.context(pattern, product), concluded))
        if conclusion.outcome is not RuleOutcome.GAP:
            outcome: PatternOutcome = "undecided" if conclusion.outcome in UNDECIDED else "not_matched"
            return _match(pattern.rule, outcome, [], [], conclusion.causes, organizations)
        at = _gaps(concluded[pattern.rule.concerns]) if pattern.rule.concerns else []
        who = show([_name(organizations[org]) for org in at])
        message = fill(pattern.rule.message, lambda name: who if name == "who" else product.shown(name))
        return _match(pattern.rule, "matched", at, [message], conclusion.causes, organizations)


def _gaps(conclusions: ByOrg) -> list[str]:
    return [org for org, conclusion in conclusions.items() if conclusion.outcome is RuleOutcome.GAP]


def _name(known: Known) -> str:
    return str(known.variables["org"]["name"])


def _match(
    pattern: Pattern,
    outcome: PatternOutcome,
    at: Sequence[str],
    messages: Sequence[str],
    causes: Causes,
    organizations: Mapping[str, Known],
) -> PatternMatch:
    return PatternMatch(
        pattern=pattern.id,
        outcome=outcome,
        orgs=tuple(at),
        messages=tuple(messages),
        undecided_orgs=causes.organizations,
        detail=_detail(causes, [_name(organizations[org]) for org in causes.organizations]),
        missing_answers=causes.answers,
        missing_facts=causes.facts,
        **{
            name: getattr(pattern, name)
            for name in ("title", "scope", "means", "action", "owner", "source", "references")
        },
    )


def _detail(causes: Causes, names: Sequence[str]) -> str | None:
    """What is not known, and of whom; what is worked out from facts is there as soon as they are."""
    others = [name for name in causes.others if not (causes.facts and name.startswith("site."))]
    kinds = (("not answered", causes.answers), ("not observed", causes.facts), ("not known", others))
    parts = [f"{kind}: {listed(missing)}" for kind, missing in kinds if missing]
    if not parts:
        return None
    return "; ".join(parts) + (f" ({listed(names)})" if names else "")
