"""Score (an interval, never one number), gates and stage; formulas and worked examples: docs/scoring.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from interlock.judge.recommendation import recommend
from interlock.judge.tallies import Blockers, Tallies, Tally, merged
from interlock.judge.verdict import range_of
from interlock.model import words
from interlock.model.base import GapClass, Gate
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.readiness import GateState, Interval, OrgReadiness, Score

#: An open blocker caps the score here (docs/scoring.md#caps).
BLOCKER_CAP = 39.0
NOTHING_APPLICABLE = "nothing applicable: no finding to score"


def product_score(tallies: Tallies) -> Score:
    """The product's own score, over product-scope findings only: it is scored once, whoever integrates it."""
    product = tallies.product
    return _score((product,), (product,), tallies.product_blockers())


def org_readiness(
    org: Organization,
    tallies: Tallies,
    product_blockers: Blockers,
    observation: Observation | None,
    target_gate: Gate,
) -> OrgReadiness:
    """Where one organisation stands.

    :param product_blockers: all that are open and all that are undecided; they hold back everyone.
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
        score=_score(concerning[1:], concerning, product_blockers),
        stage=reached,
        stage_if_unknowns_hold=stage(gates, unknowns_hold=True),
        gates=gates,
        held=held(gates),
        verdict=verdicts.earliest,
        latest_verdict=verdicts.latest,
        recommendation=recommendation,
        because=because,
    )


def gate_states(concerning: Sequence[Tally]) -> tuple[GateState, ...]:
    """The four gates of a subject that these tallies concern (product, vendor and organisation together).

    A gate's requirements are the findings of stable rules other than advice at that gate. It holds when every one is
    met with evidence that the gate accepts, or not applicable, so a gate without requirements holds. ``required``
    counts the applicable ones.
    """
    return tuple(_gate_state(gate, number, concerning) for number, gate in enumerate(Gate))


def _gate_state(gate: Gate, number: int, concerning: Sequence[Tally]) -> GateState:
    is_open = merged([tally.opened[number] for tally in concerning])
    is_unknown = merged([tally.unknown[number] for tally in concerning])
    is_weak = sorted(chain.from_iterable(tally.weak[number] for tally in concerning), key=lambda entry: entry.key)
    met = sum(tally.met[number] for tally in concerning)
    return GateState(
        gate=gate,
        holds=not is_open and not is_unknown and not is_weak,
        required=met + len(is_open) + len(is_unknown) + len(is_weak),
        met=met,
        open=is_open,
        undecided=is_unknown,
        weak=tuple(is_weak),
    )


def stage(gates: Iterable[GateState], *, unknowns_hold: bool = False) -> Gate | None:
    """The highest gate that holds together with all before it; none when not even the first holds.

    :param unknowns_hold: treat every undecided requirement as met.
    """
    reached = None
    for state in gates:
        if not (state.holds or (unknowns_hold and not state.open and not state.weak)):
            break
        reached = state.gate
    return reached


def held(gates: Iterable[GateState]) -> str:
    """What keeps the first gate that does not hold from holding, in words; empty when all hold."""
    state = next((state for state in gates if not state.holds), None)
    if state is None:
        return ""
    return f"{words.count(state.required, 'requirement')} at the {words.gate(state.gate)}: {state.in_the_way}"


def _score(own: Sequence[Tally], concerning: Sequence[Tally], product: Blockers) -> Score:
    """Score ``own``; blockers among ``concerning``, and the product's, cap the interval.

    The low end is what would be true if every unknown were a gap, so an undecided blocker caps it as an open one does;
    the high end what would be true if every unknown were met.
    """
    applicable = sum(tally.applicable for tally in own)
    low = sum(tally.value for tally in own) / applicable if applicable else 0.0
    width = sum(tally.undecided for tally in own) / applicable if applicable else 1.0
    not_applicable = sum(tally.not_applicable for tally in own)
    evidence = sum(tally.evidence for tally in own)
    uncapped = Interval.trusted(low=_points(low), high=_points(min(1.0, low + width)))
    integration = Blockers(
        merged([tally.integration_blockers.open for tally in concerning]),
        merged([tally.integration_blockers.undecided for tally in concerning]),
    )
    classes = ((GapClass.PRODUCT_BLOCKER, product), (GapClass.INTEGRATION_BLOCKER, integration))
    named = [(words.GAP_CLASS[gap_class].phrase, blockers) for gap_class, blockers in classes]
    caps = [
        f"at most {BLOCKER_CAP:.0f}: {words.count(len(own.open), phrase)} open" for phrase, own in named if own.open
    ]
    caps_low = [
        f"verified at most {BLOCKER_CAP:.0f}: {words.count(len(own.undecided), phrase)} not decided"
        for phrase, own in named
        if own.undecided
    ]
    everything = applicable + not_applicable
    return Score.trusted(
        interval=Interval.trusted(
            low=min(uncapped.low, BLOCKER_CAP) if caps or caps_low else uncapped.low,
            high=min(uncapped.high, BLOCKER_CAP) if caps else uncapped.high,
        ),
        uncapped=uncapped,
        completeness=round(1.0 - width, 4),
        confidence=round(evidence / applicable, 4) if applicable else 0.0,
        not_applicable=round(not_applicable / everything, 4) if everything else 0.0,
        caps=(*(() if applicable else (NOTHING_APPLICABLE,)), *caps, *caps_low),
        capped_by=(*product.open, *integration.open, *product.undecided, *integration.undecided),
    )


def _points(share: float) -> float:
    """A share as points of 100 to one decimal; sums that differ in their last bit alone give the same."""
    return round(round(100 * share, 6), 1)
