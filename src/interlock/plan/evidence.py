"""The work of getting the evidence that the gates up to the target want: one task a subject and kind of evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.base import Evidence, Gate, Grade, Owner, Scope, VerdictValue
from interlock.model.evidence import EvidenceTask
from interlock.model.finding import GATE_RANK
from interlock.model.organization import Organization
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
    wanting: Sequence[EvidenceTask], organizations: Sequence[Organization], target_gate: Gate
) -> Iterator[Task]:
    """What is met up to the target gate with less evidence than its gate accepts, or that has expired, as our tasks.

    One is done when the answers have the evidence, and nobody says so: it is of a kind of its own. What a gate accepts
    all the same is renewed by filing it. Nobody has a product tested that is not settled yet, or not proven.

    :param wanting: those of the earliest gates first.
    """
    vendor_of = {organization.id: organization.vendor for organization in organizations}
    groups: dict[tuple[str, str], dict[str, EvidenceTask]] = defaultdict(dict)
    for entry in wanting:
        if GATE_RANK[entry.gate] <= GATE_RANK[target_gate]:
            tested = entry.wanted is Evidence.OBSERVED and not entry.accepted
            how = "test" if tested else "renew" if entry.expired else "evidence"
            groups[how, entry.key.partition("@")[2]].setdefault(entry.key, entry)
    for (how, subject), entries in groups.items():
        scope = Scope.PRODUCT if not subject else Scope.VENDOR if subject.startswith("vendor:") else Scope.ORG
        name, count, tested = subject.removeprefix("vendor:"), len(entries), how == "test"
        about = words.count(count, "met requirement")
        yield Task(
            id=f"{how}:{subject or 'product'}",
            title=_TITLES[how].format(about=about, rests=words.agree(count, "rests", "rest")),
            kind="evidence",
            scope=scope,
            org=name if scope is Scope.ORG else None,
            orgs=tuple(dict.fromkeys(org for entry in entries.values() for org in entry.orgs)),
            parties=parties_of(scope, name, vendor_of),
            owner=Owner.US,
            gate=min((entry.gate for entry in entries.values()), key=GATE_RANK.__getitem__),
            effort=TEST_EFFORT if tested else _times(DOCUMENT_EFFORT, count),
            lead_time=TEST_TIME if tested else None,
            after=(),
            postponed_by=VerdictValue.PROVE_OUTSIDE_EHR if tested else None,
            about=tuple(entries),
        )


_TITLES = {
    "evidence": "Write down and file what {about} {rests} on",
    "renew": "Renew the evidence that {about} {rests} on and that has expired",
    "test": "Have {about} independently tested",
}


def _times(effort: Effort, count: int) -> Effort:
    return Effort(low=effort.low * count, expected=effort.expected * count, high=effort.high * count)
