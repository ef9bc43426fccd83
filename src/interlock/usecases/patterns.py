"""The named patterns of trouble on a workspace, without scoring or planning anything."""

from __future__ import annotations

from interlock.model.pattern import PatternMatch
from interlock.usecases.judge import judge_of
from interlock.usecases.load import Inputs


def find_patterns(inputs: Inputs, org: str | None = None) -> tuple[PatternMatch, ...]:
    """Every pattern of the library on the inputs, in id order.

    :param org: keep only what concerns this organisation; fleet patterns that name nobody concern everybody.
    :raises InterlockError: there is no such organisation.
    """
    matches = inputs.content.patterns.match(judge_of(inputs.content).rule_inputs(inputs))
    if org is None:
        return matches
    inputs.organization(org)
    return tuple(_at(pattern_match, org) for pattern_match in matches)


def _at(pattern_match: PatternMatch, org: str) -> PatternMatch:
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
