"""Which patterns hold, where, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from interlock.content.cel import cel
from interlock.content.expression import Expression
from interlock.content.messages import fill
from interlock.documents.timing import timed
from interlock.judge.causes import NO_CAUSES, Causes, causes_of, listed
from interlock.judge.context import SubjectContext, Variables, subject_contexts
from interlock.judge.fleet_conditions import ENTRY, Place, truth
from interlock.judge.inputs import RuleInputs
from interlock.judge.names import Wanted, kept
from interlock.judge.patterns import CompiledPattern, CompiledPatterns, as_compiled
from interlock.judge.sites import sites
from interlock.judge.variables import cleaned
from interlock.model.base import Scope
from interlock.model.pattern import Pattern, PatternMatch, PatternOutcome


@timed("patterns")
def match(patterns: CompiledPatterns | Sequence[Pattern], inputs: RuleInputs) -> tuple[PatternMatch, ...]:
    """Every pattern on what is known, in id order.

    :raises DocumentError: a pattern that is not compiled yet is not CEL. Inputs never raise.
    """
    compiled = as_compiled(patterns)
    if not compiled.patterns:
        return ()
    contexts: dict[Scope, list[SubjectContext]] = {scope: [] for scope in Scope}
    for context in subject_contexts(_asked_for(inputs, compiled), compiled.reads_at_org):
        contexts[context.subject.scope].append(context)
    fleet = with_variables(contexts[Scope.PRODUCT][0], {}, compiled.reads_over_all)
    derived = sites(inputs)
    places = [
        place_of(context, derived[org.id].model_dump(exclude_none=True), fleet, compiled, org.name)
        for org, context in zip(inputs.organizations, contexts[Scope.ORG], strict=True)
    ]
    return tuple(
        _at_each(one, places) if one.pattern.scope == "org" else _over_all(one, fleet, places)
        for one in compiled.patterns
    )


def _asked_for(inputs: RuleInputs, patterns: CompiledPatterns) -> RuleInputs:
    """The same with only the questions that some pattern reads: few of many, and each is looked up per organisation."""
    kept = [
        questionnaire.model_copy(
            update={"items": tuple(item for item in questionnaire.questions() if item.id in patterns.items)}
        )
        for questionnaire in inputs.questionnaires
    ]
    return replace(inputs, questionnaires=tuple(kept))


def with_variables(context: SubjectContext, more: Variables, wanted: Wanted | None = None) -> SubjectContext:
    """The same subject with further variables, and with the names worth handing over; by default everything."""
    variables = {**context.variables, **more}
    return SubjectContext(context.subject, variables, context.answers, wanted or {}, context.unobserved)


def place_of(
    context: SubjectContext, site: Variables, product: SubjectContext, patterns: CompiledPatterns, name: str
) -> Place:
    """One organisation as patterns see it: with ``site``, and as an entry of ``orgs`` with what any of them reads."""
    own = with_variables(context, {"site": site}, patterns.wanted_at_org)
    entry = cleaned(kept(own.variables, patterns.reads_of_each))
    beside = kept(product.variables, patterns.reads_beside_each) if patterns.reads_beside_each else {}
    return Place(context.subject.id, name, own, entry, cel.Context(variables={**cleaned(beside), ENTRY: entry}))


def decide_at(condition: Expression, context: SubjectContext) -> tuple[PatternOutcome, Causes]:
    """Whether a condition holds for one organisation, and what an undecided one waits for."""
    value, error = condition.evaluate(context.context)
    if value is not None:
        return ("matched" if value else "not_matched"), NO_CAUSES
    causes = causes_of(condition, context)
    if error is not None:
        return "undecided", causes._replace(others=(*causes.others, error))
    return ("not_matched" if causes.only_excused else "undecided"), causes


def decide_over(
    one: CompiledPattern, product: SubjectContext, places: Sequence[Place]
) -> tuple[PatternOutcome, Causes, tuple[Place, ...]]:
    """Whether a fleet pattern holds, and what an undecided one waits for, of whom."""
    assert one.over_all is not None
    found = truth(one.over_all, product, places)
    if found.value is not None:
        return ("matched" if found.value else "not_matched"), NO_CAUSES, ()
    return ("not_matched" if found.causes.only_excused else "undecided"), found.causes, found.places


def _at_each(one: CompiledPattern, places: Sequence[Place]) -> PatternMatch:
    found: dict[PatternOutcome, list[Place]] = {"matched": [], "not_matched": [], "undecided": []}
    causes = NO_CAUSES
    for place in places:
        outcome, waits_for = decide_at(one.when, place.context)
        found[outcome].append(place)
        causes = causes if outcome != "undecided" else causes.union(waits_for)
    return _result(
        one.pattern,
        "matched" if found["matched"] else "undecided" if found["undecided"] else "not_matched",
        at=found["matched"],
        messages=[fill(one.pattern.message, place.context.shown) for place in found["matched"]],
        undecided=found["undecided"],
        causes=causes,
    )


def _over_all(one: CompiledPattern, product: SubjectContext, places: Sequence[Place]) -> PatternMatch:
    outcome, causes, unknown = decide_over(one, product, places)
    named = [place for place in places if one.concerns and one.concerns.evaluate(place.seen) == (True, None)]
    at = named if outcome == "matched" else []
    shown = with_variables(product, {"who": [place.name for place in at]}).shown
    return _result(
        one.pattern,
        outcome,
        at=at,
        messages=[fill(one.pattern.message, shown)] if outcome == "matched" else [],
        undecided=unknown,
        causes=causes,
    )


def _result(
    pattern: Pattern,
    outcome: PatternOutcome,
    *,
    at: Sequence[Place],
    messages: Sequence[str],
    undecided: Sequence[Place],
    causes: Causes,
) -> PatternMatch:
    return PatternMatch(
        pattern=pattern.id,
        title=pattern.title,
        scope=pattern.scope,
        outcome=outcome,
        orgs=tuple(place.id for place in at),
        messages=tuple(messages),
        undecided_orgs=tuple(place.id for place in undecided),
        detail=_detail(causes, [place.name for place in undecided]),
        missing_answers=causes.answers,
        missing_facts=causes.facts,
        means=pattern.means,
        action=pattern.action,
        owner=pattern.owner,
        source=pattern.source,
        references=pattern.references,
    )


def _detail(causes: Causes, names: Sequence[str]) -> str | None:
    others = causes.others if not causes.facts else tuple(name for name in causes.others if not _derived(name))
    kinds = (("not answered", causes.answers), ("not observed", causes.facts), ("not known", others))
    parts = [f"{kind}: {listed(found)}" for kind, found in kinds if found]
    if not parts:
        return None
    return "; ".join(parts) + (f" ({listed(names)})" if names else "")


def _derived(name: str) -> bool:
    """Whether a name is worked out from facts: it is there as soon as they are."""
    return name.startswith("site.")
