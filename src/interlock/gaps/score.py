"""The score: an interval, never one number (DESIGN, section Score; worked examples in docs/scoring.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from interlock.gaps.parts import NO_PART, Keys, Part, Parts, merged
from interlock.gaps.stages import gate_states, stage
from interlock.gaps.subjects import GATE_RANK
from interlock.gaps.verdict import own_verdict
from interlock.gaps.wording import count, gate_words, listed
from interlock.model.assessment import Interval, OrgStanding, Score
from interlock.model.base import Gate
from interlock.model.finding import Finding
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.rule import Rule

#: An open blocker caps the score here (DESIGN, section Score).
BLOCKER_CAP = 39.0
#: An undecided gate requirement caps the score here (DESIGN, section Score).
UNKNOWN_CAP = 69.0
NOTHING_APPLICABLE = "nothing applicable: no finding to score"


def product_score(findings: Sequence[Finding], rules: Mapping[str, Rule], target_gate: Gate = Gate.PRODUCTION) -> Score:
    """The product's own score, over product-scope findings only: it is scored once, whoever integrates it.

    :param target_gate: undecided requirements up to this gate cap the score.
    """
    return product_score_of(Parts.of(findings, rules), target_gate)


def product_score_of(parts: Parts, target_gate: Gate) -> Score:
    """:func:`product_score` of findings that are counted already."""
    product = parts.product
    return _score((product,), (product,), parts.product_blockers(), target_gate)


def standing(
    org: Organization,
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    observation: Observation | None,
    target_gate: Gate,
) -> OrgStanding:
    """Where one organisation stands. For many organisations :func:`standings` counts the findings only once."""
    parts = Parts.of(findings, rules)
    return standing_of(org, parts, parts.product_blockers(), observation, target_gate)


def standings(
    organizations: Sequence[Organization],
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    observations: Mapping[str, Observation],
    target_gate: Gate,
) -> tuple[OrgStanding, ...]:
    """Where every organisation stands, in the order given.

    :param observations: organisation id → latest observation; absent means that it was never probed.
    """
    parts = Parts.of(findings, rules)
    blockers = parts.product_blockers()
    return tuple(standing_of(org, parts, blockers, observations.get(org.id), target_gate) for org in organizations)


def standing_of(
    org: Organization, parts: Parts, product_blockers: Keys, observation: Observation | None, target_gate: Gate
) -> OrgStanding:
    """:func:`standing` of findings that are counted already.

    :param product_blockers: keys of all open product blockers, sorted; they hold back everyone.
    """
    concerning = parts.concerning(org)
    gates = gate_states(concerning)
    verdict, provisional = own_verdict(concerning)
    return OrgStanding.trusted(
        org=org.id,
        observed=observation.outcome if observation else "never_probed",
        observed_at=observation.started.isoformat().replace("+00:00", "Z") if observation else None,
        not_observed_because=observation.reason_not_observed() if observation else None,
        score=_score(concerning[1:], concerning, product_blockers, target_gate),
        stage=stage(gates),
        stage_if_unknowns_hold=stage(gates, unknowns_hold=True),
        gates=gates,
        verdict=verdict,
        verdict_provisional=provisional,
    )


def _score(own: Sequence[Part], concerning: Sequence[Part], product_blockers: Keys, target_gate: Gate) -> Score:
    """Score ``own``; blockers, and undecided requirements among ``concerning``, cap the interval."""
    filled = [part for part in own if part is not NO_PART]
    applicable = sum(part.applicable for part in filled)
    low = sum(part.value for part in filled) / applicable if applicable else 0.0
    width = sum(part.undecided for part in filled) / applicable if applicable else 1.0
    not_applicable = sum(part.not_applicable for part in filled)
    evidence = sum(part.evidence for part in filled)
    uncapped = Interval.trusted(low=round(100 * low, 1), high=round(100 * min(1.0, low + width), 1))
    cap, reasons = _cap(concerning, product_blockers, target_gate)
    everything = applicable + not_applicable
    return Score.trusted(
        interval=Interval.trusted(low=min(uncapped.low, cap), high=min(uncapped.high, cap)),
        uncapped=uncapped,
        completeness=round(1.0 - width, 4),
        confidence=round(evidence / applicable, 4) if applicable else 0.0,
        not_applicable=round(not_applicable / everything, 4) if everything else 0.0,
        caps=tuple(reasons) if applicable else (NOTHING_APPLICABLE, *reasons),
    )


def _cap(concerning: Sequence[Part], product_blockers: Keys, target_gate: Gate) -> tuple[float, list[str]]:
    """The lowest cap that applies (100 for none), and a sentence for each cap."""
    cap, reasons = 100.0, []
    integration = merged([part.integration_blockers for part in concerning])
    for keys, words in ((product_blockers, "product blocker"), (integration, "integration blocker")):
        if keys:
            cap = BLOCKER_CAP
            reasons.append(_blocked(words, keys))
    gates = range(GATE_RANK[target_gate] + 1)
    unknown = merged([part.unknown[gate] for part in concerning for gate in gates])
    if unknown:
        cap = min(cap, UNKNOWN_CAP)
        reasons.append(_undecided(unknown, target_gate))
    return cap, reasons


@lru_cache(maxsize=8192)
def _blocked(words: str, keys: Keys) -> str:
    """Remembered, as is :func:`_undecided`: one more answer leaves most organisations' caps as they were."""
    return f"at most {BLOCKER_CAP:.0f}: open {words} {listed(keys)}"


@lru_cache(maxsize=8192)
def _undecided(unknown: Keys, target_gate: Gate) -> str:
    return (
        f"at most {UNKNOWN_CAP:.0f}: {count(len(unknown), 'requirement')} up to the {gate_words(target_gate)} "
        f"not decided ({listed(unknown)})"
    )
