"""The named patterns of trouble on a workspace, without scoring or planning anything."""

from __future__ import annotations

from interlock.model.pattern import PatternMatch
from interlock.rules.pattern_matching import match
from interlock.usecases.assess import rule_inputs
from interlock.usecases.load import Inputs


def find_patterns(inputs: Inputs, org: str | None = None) -> tuple[PatternMatch, ...]:
    """Every pattern of the library on the inputs, in id order.

    :param org: keep only what concerns this organisation; fleet patterns that name nobody concern everybody.
    :raises InterlockError: there is no such organisation.
    """
    found = match(inputs.content.patterns, rule_inputs(inputs))
    if org is None:
        return found
    inputs.organization(org)
    return tuple(_at(one, org) for one in found)


def _at(one: PatternMatch, org: str) -> PatternMatch:
    if one.scope == "fleet":
        concerned = one.outcome != "matched" or not one.orgs or org in one.orgs
        return one if concerned else one.model_copy(update={"outcome": "not_matched", "orgs": (), "messages": ()})
    here = [message for place, message in zip(one.orgs, one.messages, strict=True) if place == org]
    undecided = org in one.undecided_orgs
    return one.model_copy(
        update={
            "outcome": "matched" if here else "undecided" if undecided else "not_matched",
            "orgs": (org,) if here else (),
            "messages": tuple(here),
            "undecided_orgs": (org,) if undecided else (),
            "detail": one.detail if undecided else None,
            "missing_answers": one.missing_answers if undecided else (),
            "missing_facts": one.missing_facts if undecided else (),
        }
    )
