"""The score: an interval, never one number (DESIGN, section Score; worked examples in docs/scoring.md)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from interlock.gaps.parts import NO_PART, Keys, Part, Parts, merged
from interlock.gaps.stages import gate_states, stage
from interlock.gaps.statements import listed
from interlock.gaps.subjects import GATE_RANK
from interlock.gaps.verdict import own_verdict
from interlock.model.base import Gate
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.readiness import Interval, OrgReadiness, Score
from interlock.model.words import count, gate

#: An open blocker caps the score here (DESIGN, section Score).
BLOCKER_CAP = 39.0
#: An undecided gate requirement caps the score here (DESIGN, section Score).
UNKNOWN_CAP = 69.0
NOTHING_APPLICABLE = "nothing applicable: no finding to score"


def product_score(parts: Parts, target_gate: Gate) -> Score:
    """The product's own score, over product-scope findings only: it is scored once, whoever integrates it.

    :param target_gate: undecided requirements up to this gate cap the score.
    """
    product = parts.product
    return _score((product,), (product,), parts.product_blockers(), target_gate)


def org_readiness(
    org: Organization, parts: Parts, product_blockers: Keys, observation: Observation | None, target_gate: Gate
) -> OrgReadiness:
    """Where one organisation stands.

    :param product_blockers: keys of all open product blockers, sorted; they hold back everyone.
    :param observation: its latest one; none means that it was never probed.
    """
    concerning = parts.concerning(org)
    gates = gate_states(concerning)
    verdict, provisional = own_verdict(concerning)
    return OrgReadiness.trusted(
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
    unknown = merged([part.unknown[number] for part in concerning for number in gates])
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
        f"at most {UNKNOWN_CAP:.0f}: {count(len(unknown), 'requirement')} up to the {gate(target_gate)} "
        f"not decided ({listed(unknown)})"
    )
