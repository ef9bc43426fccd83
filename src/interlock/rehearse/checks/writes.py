"""What the product writes: of the right patient, as a draft, labelled, withdrawn when it was wrong."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from interlock.rehearse.acting import waited
from interlock.rehearse.browser import Browser
from interlock.rehearse.checks.base import NOT_SHOWN, check, not_reached
from interlock.rehearse.checks.saving import (
    LATE_SECONDS,
    Resource,
    Write,
    nothing_kept,
    refers,
    save,
    saved,
    saved_at_each,
    signed_in,
    take_back,
    writes,
)
from interlock.rehearse.stage import BROKE, HELD, Row, Stage, Visit, judged, row

_VOID = "entered-in-error"
#: States of a result that nobody has signed yet (FHIR R4, the value sets of these elements).
_DRAFTS: Mapping[str, tuple[str, ...]] = {
    "CarePlan": ("draft",),
    "Communication": ("preparation",),
    "Composition": ("preliminary",),
    "DiagnosticReport": ("registered", "partial", "preliminary"),
    "DocumentReference": ("preliminary",),
    "Observation": ("registered", "preliminary"),
    "QuestionnaireResponse": ("in-progress",),
    "RiskAssessment": ("registered", "preliminary"),
    "ServiceRequest": ("draft",),
}
#: Types that have an encounter (FHIR R4).
_WITH_ENCOUNTER = (
    "CarePlan", "ClinicalImpression", "Communication", "Composition", "Condition", "DiagnosticReport",
    "DocumentReference", "Flag", "List", "Observation", "QuestionnaireResponse", "RiskAssessment", "ServiceRequest",
    "Task",
)  # fmt: skip
#: AI asserted (HL7 v3 ObservationValue), the label that a result of software has.
_LABEL = "AIAST"


@check("W01")
def draft(stage: Stage) -> list[Row]:
    """What is kept at the hospital after a user has saved something."""
    rows = []
    for org, write in saved_at_each(stage):
        if isinstance(write, Row):
            rows.append(write)
            continue
        problem = nothing_kept(write) or next(
            (wrong for address, kept in write.made.items() if (wrong := _wrong(stage, org, address, kept))), ""
        )
        rows.append(judged(problem, f"{_named(write)}: patient, encounter and state are right", write.asked, org=org))
    return rows


def _named(write: Write) -> str:
    return ", ".join(dict.fromkeys(address.partition("/")[0] for address in write.made))


def _wrong(stage: Stage, org: str, address: str, kept: Resource) -> str:
    kind, base = address.partition("/")[0], stage.hospitals.base(org)
    subject = kept.get("subject") or kept.get("patient") or kept.get("for") or {}
    if refers(subject, base) != "Patient/p1":
        return f"{kind} is of {refers(subject, base) or 'no patient'}, and the launch was for patient 1"
    context = kept.get("context")
    encounter = kept.get("encounter") or (context.get("encounter") if isinstance(context, dict) else None) or {}
    encounter = encounter[0] if isinstance(encounter, list) and encounter else encounter
    if kind in _WITH_ENCOUNTER and refers(encounter, base) != "Encounter/p1-encounter":
        return f"{kind} names {refers(encounter, base) or 'no encounter'}, and the launch had one"
    drafts = _drafts(stage, kind)
    told = kept.get("docStatus" if kind == "DocumentReference" else "status")
    if drafts and told not in drafts:
        return f"{kind} is {told or 'of no state'} before anybody has signed it, and not {' or '.join(drafts)}"
    return ""


def _drafts(stage: Stage, kind: str) -> tuple[str, ...]:
    """The states in which a result begins: what the contract says, or those of its type that nobody has signed."""
    contract = stage.contract
    if contract is not None:
        flow = next((need.status_flow for need in contract.outputs if need.resource == kind), ())
        if flow:
            return (flow[0].state,)
        if contract.review.required is False:
            return ()
    return _DRAFTS.get(kind, ())


@check("W07")
def labelled(stage: Stage) -> list[Row]:
    """Whether what was written says that software made it."""
    rows = []
    for org, write in saved_at_each(stage):
        if isinstance(write, Row) or not write.made:
            rows.append(write if isinstance(write, Row) else not_reached(nothing_kept(write), org))
            continue
        by_header = any("device" in request.headers.get("x-provenance", "").lower() for request in write.asked)
        beside = [
            kept
            for address, kept in stage.hospitals.kept(org).items()
            if address not in write.before and address.startswith("Provenance/")
        ]
        problem = next(
            (
                f"{address.partition('/')[0]} says nowhere that software made it: no device, no {_LABEL}"
                for address, kept in write.made.items()
                if not (_by_software(kept) or by_header or any(map(_by_software, beside)))
            ),
            "",
        )
        rows.append(judged(problem, f"{_named(write)} says that software made it", write.asked, org=org))
    return rows


def _by_software(value: Any) -> bool:
    """Whether a device is named anywhere, or the label of what software asserted is."""
    if isinstance(value, Mapping):
        labels = value.get("security")
        if isinstance(labels, list) and any(
            isinstance(label, dict) and label.get("code") == _LABEL for label in labels
        ):
            return True
        if value.get("resourceType") == "Device" or str(value.get("reference", "")).partition("/")[0] == "Device":
            return True
        return any(map(_by_software, value.values()))
    return isinstance(value, list) and any(map(_by_software, value))


@check("W05")
def withdrawn(stage: Stage) -> Row:
    """What is kept after a user has withdrawn it."""
    polite = saved(stage, stage.a)
    if isinstance(polite, Row):
        return polite
    browser, visit, write = polite
    made = write.made
    if not made:
        return not_reached(nothing_kept(write))
    since = stage.hospitals.now()
    page = take_back(stage, browser, visit, write)
    waited(lambda: any(map(writes, stage.hospitals.asked(since, role="resource"))), LATE_SECONDS)
    kept = stage.hospitals.kept(stage.a)
    left = [address for address in made if address in kept and not _is_void(kept[address])]
    gone = [address for address in made if address not in kept]
    asked = [request for request in stage.hospitals.asked(since, role="resource") if writes(request)]
    if left:
        kind = left[0].partition("/")[0]
        return row(
            BROKE, f"{kind} is not marked as entered in error; the product gave {page.told}", asked or write.asked
        )
    if gone and not _may_delete(stage, gone[0].partition("/")[0]):
        return row(BROKE, "it was deleted, so nobody who has read it learns that it was wrong", asked)
    return row(HELD, "it is marked as entered in error" if not gone else "it was deleted, as the contract says", asked)


def _is_void(kept: Resource) -> bool:
    verified = kept.get("verificationStatus")
    codes = verified.get("coding", []) if isinstance(verified, dict) else []
    return kept.get("status") == _VOID or any(isinstance(code, dict) and code.get("code") == _VOID for code in codes)


def _may_delete(stage: Stage, kind: str) -> bool:
    outputs = stage.contract.outputs if stage.contract is not None else ()
    return any("delete" in need.interactions for need in outputs if need.resource == kind)


@check("W09", two=True)
def at_once(stage: Stage) -> Row:
    """A user of A and one of B, who save at the same time."""
    assert stage.b is not None
    orgs = (stage.a, stage.b)
    users = [signed_in(stage, org) for org in orgs]
    if users[0] is None or users[1] is None:
        return not_reached(NOT_SHOWN)
    since, ready = stage.hospitals.now(), threading.Barrier(len(orgs))

    def at_the_same_time(user: tuple[Browser, Visit]) -> Write:
        ready.wait(LATE_SECONDS)
        return save(stage, *user)

    with ThreadPoolExecutor(len(orgs)) as pool:
        made = list(pool.map(at_the_same_time, (users[0], users[1])))
    asked = [request for request in stage.hospitals.asked(since, role="resource") if writes(request)]
    if not asked:
        return not_reached("saving led to no write at either hospital")
    tokens = [
        {request.token for request in stage.hospitals.asked(org=org, role="resource") if request.token} for org in orgs
    ]
    if tokens[0] & tokens[1]:
        return row(BROKE, f"one token was used at {stage.a} and at {stage.b}", asked)
    times = {write.org: len(write.made) for write in made}
    wrong = next((f"{org} was written to {number} times, not once" for org, number in times.items() if number != 1), "")
    return judged(wrong, "each hospital has one, written with its own token", asked)
