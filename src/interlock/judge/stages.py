"""Gates and stages: what each gate of one organisation requires, and the highest gate that it has reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from interlock.judge.tallies import Tally, merged
from interlock.model.base import Gate
from interlock.model.readiness import GateState


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
