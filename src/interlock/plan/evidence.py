"""The work of getting the evidence that the gates up to the target accept: one task a subject and kind of evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.base import Evidence, Gate, Grade, Owner, Scope, VerdictValue
from interlock.model.finding import GATE_RANK
from interlock.model.organization import Organization
from interlock.model.readiness import OrgReadiness
from interlock.model.rule import Effort, LeadTime
from interlock.plan.tasks import Task, parties_of

#: Effort of writing down, and filing, what one met requirement rests on, in person-days. Judgement.
DOCUMENT_EFFORT = Effort(low=0.05, expected=0.2, high=0.5)
#: Effort and lead time of an independent test of all that has to be observed: those of the penetration test. Judgement.
TEST_EFFORT = Effort(low=1, expected=3, high=8)
TEST_TIME = LeadTime(
    low=10, expected=25, high=70, unit="working_days", source="judgement", grade=Grade.JUDGEMENT, as_of="2026-11-22"
)


def evidence_work(
    readiness: Sequence[OrgReadiness], organizations: Sequence[Organization], target_gate: Gate
) -> Iterator[Task]:
    """What is met up to the target gate with less evidence than its gate accepts, as tasks of ours.

    Nobody has a product tested that is not settled yet, or not proven.
    """
    vendor_of = {organization.id: organization.vendor for organization in organizations}
    wanted: dict[tuple[str, bool], dict[str, Gate]] = defaultdict(dict)
    orgs: dict[tuple[str, bool], dict[str, None]] = defaultdict(dict)
    for own in readiness:
        for state in own.gates[: GATE_RANK[target_gate] + 1]:
            for entry in state.weak:
                group = entry.key.partition("@")[2], entry.wanted is Evidence.OBSERVED
                wanted[group].setdefault(entry.key, state.gate)
                orgs[group][own.org] = None
    for (subject, observed), gates in wanted.items():
        scope = Scope.PRODUCT if not subject else Scope.VENDOR if subject.startswith("vendor:") else Scope.ORG
        name = subject.removeprefix("vendor:")
        count, gate = len(gates), min(gates.values(), key=GATE_RANK.__getitem__)
        about, rests = words.count(count, "met requirement"), words.agree(count, "rests", "rest")
        yield Task(
            id=f"{'test' if observed else 'evidence'}:{subject or 'product'}",
            title=f"Have {about} independently tested" if observed else f"Write down and file what {about} {rests} on",
            kind="routine",
            scope=scope,
            org=name if scope is Scope.ORG else None,
            orgs=tuple(orgs[subject, observed]),
            parties=parties_of(scope, name, vendor_of),
            owner=Owner.US,
            gate=gate,
            effort=TEST_EFFORT if observed else _times(DOCUMENT_EFFORT, count),
            lead_time=TEST_TIME if observed else None,
            after=(),
            postponed_by=VerdictValue.PROVE_OUTSIDE_EHR if observed else None,
        )


def _times(effort: Effort, count: int) -> Effort:
    return Effort(low=effort.low * count, expected=effort.expected * count, high=effort.high * count)
