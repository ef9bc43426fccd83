"""Score (an interval, never one number), gates and stage; formulas and worked examples: docs/scoring.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from interlock.judge.recommendation import recommend
from interlock.judge.tallies import Keys, Tallies, Tally, merged
from interlock.judge.verdict import range_of
from interlock.model.base import Gate
from interlock.model.finding import GATE_RANK, listed
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.readiness import GateState, Interval, OrgReadiness, Score
from interlock.model.words import count, gate

#: An open blocker caps the score here (docs/scoring.md#caps).
BLOCKER_CAP = 39.0
#: An undecided gate requirement caps the score here (docs/scoring.md#caps).
UNKNOWN_CAP = 69.0
NOTHING_APPLICABLE = "nothing applicable: no finding to score"


def product_score(tallies: Tallies, target_gate: Gate) -> Score:
    """The product's own score, over product-scope findings only: it is scored once, whoever integrates it.

    :param target_gate: undecided requirements up to this gate cap the score.
    """
    product = tallies.product
    return _score((product,), (product,), tallies.product_blockers(), target_gate)


def org_readiness(
    org: Organization,
    tallies: Tallies,
    product_blockers: Keys,
    observation: Observation | None,
    target_gate: Gate,
) -> OrgReadiness:
    """Where one organisation stands.

    :param product_blockers: keys of all open product blockers, sorted; they hold back everyone.
    :param observation: its latest one; none means that it was never probed.
    """
    concerning = tallies.concerning(org)
    gates = gate_states(concerning)
    verdicts = range_of(concerning)
    reached = stage(gates)
    observed = observation is not None and observation.outcome != "not_observed"
    recommendation, because = recommend(concerning, reached, target_gate, observed=observed)
    return OrgReadiness.trusted(
        org=org.id,
        observed=observation.outcome if observation else "never_probed",
        observed_at=observation.started.isoformat().replace("+00:00", "Z") if observation else None,
        not_observed_because=observation.reason_not_observed() if observation else None,
        score=_score(concerning[1:], concerning, product_blockers, target_gate),
        stage=reached,
        stage_if_unknowns_hold=stage(gates, unknowns_hold=True),
        gates=gates,
        verdict=verdicts.earliest,
        latest_verdict=verdicts.latest,
        recommendation=recommendation,
        because=because,
    )


def gate_states(concerning: Sequence[Tally]) -> tuple[GateState, ...]:
    """The four gates of a subject that these tallies concern (product, vendor and organisation together).

    A gate's requirements are the findings of stable rules other than advice at that gate. It holds when every one is
    met or not applicable, so a gate without requirements holds. ``required`` counts the applicable ones.
    """
    return tuple(_gate_state(gate, number, concerning) for number, gate in enumerate(Gate))


def _gate_state(gate: Gate, number: int, concerning: Sequence[Tally]) -> GateState:
    is_open = merged([tally.opened[number] for tally in concerning])
    is_unknown = merged([tally.unknown[number] for tally in concerning])
    met = sum(tally.met[number] for tally in concerning)
    return GateState(
        gate=gate,
        holds=not is_open and not is_unknown,
        required=met + len(is_open) + len(is_unknown),
        met=met,
        open=is_open,
        undecided=is_unknown,
    )


def stage(gates: Iterable[GateState], *, unknowns_hold: bool = False) -> Gate | None:
    """The highest gate that holds together with all before it; none when not even the first holds.

    :param unknowns_hold: treat every undecided requirement as met.
    """
    reached = None
    for state in gates:
        if not (state.holds or (unknowns_hold and not state.open)):
            break
        reached = state.gate
    return reached


def _score(own: Sequence[Tally], concerning: Sequence[Tally], product_blockers: Keys, target_gate: Gate) -> Score:
    """Score ``own``; blockers, and undecided requirements among ``concerning``, cap the interval."""
    applicable = sum(tally.applicable for tally in own)
    low = sum(tally.value for tally in own) / applicable if applicable else 0.0
    width = sum(tally.undecided for tally in own) / applicable if applicable else 1.0
    not_applicable = sum(tally.not_applicable for tally in own)
    evidence = sum(tally.evidence for tally in own)
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


def _cap(concerning: Sequence[Tally], product_blockers: Keys, target_gate: Gate) -> tuple[float, list[str]]:
    """The lowest cap that applies (100 for none), and a sentence for each cap."""
    cap, reasons = 100.0, []
    integration = merged([tally.integration_blockers for tally in concerning])
    for keys, words in ((product_blockers, "product blocker"), (integration, "integration blocker")):
        if keys:
            cap = BLOCKER_CAP
            reasons.append(f"at most {BLOCKER_CAP:.0f}: open {words} {listed(keys)}")
    gates = range(GATE_RANK[target_gate] + 1)
    unknown = merged([tally.unknown[number] for tally in concerning for number in gates])
    if unknown:
        cap = min(cap, UNKNOWN_CAP)
        reasons.append(
            f"at most {UNKNOWN_CAP:.0f}: {count(len(unknown), 'requirement')} up to the {gate(target_gate)} "
            f"not decided ({listed(unknown)})"
        )
    return cap, reasons
