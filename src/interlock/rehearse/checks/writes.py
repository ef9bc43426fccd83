"""What the product writes: of the right patient, once, over nobody's change, and told when it was not saved."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from interlock.fhir.scopes import parse
from interlock.rehearse.acting import act, hidden_fields, waited
from interlock.rehearse.browser import Browser, Page
from interlock.rehearse.checks.base import check, edit_token, not_reached, shows_own
from interlock.rehearse.hospitals import Asked
from interlock.rehearse.pages import visible_text
from interlock.rehearse.stage import BROKE, HELD, Row, Stage, Visit, judged, row
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.replies import outcome
from interlock.sandbox.wire import WireResponse

Resource = Mapping[str, Any]

_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_VOID = "entered-in-error"
_NOT_SHOWN = "the sign-in did not show its patient"
#: Who writes besides the result itself.
_BESIDES = ("AuditEvent", "Binary", "Device", "Provenance")
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
_CHANGED = "https://example.org/rehearsal/changed-by-somebody-else"
_MOST_TRIES = 5
#: How long a write may come after the page that answers.
_LATE_SECONDS, _UNWANTED_SECONDS = 3.0, 0.3


@dataclass(frozen=True, slots=True)
class Write:
    """Something that a user saved: the page that answered, and what was kept at the hospital before it."""

    stage: Stage
    org: str
    page: Page
    since: int
    before: Mapping[str, Resource]

    @property
    def asked(self) -> list[Asked]:
        """The writes that the product tried at any hospital."""
        return [request for request in self.stage.hospitals.asked(self.since, role="resource") if _writes(request)]

    @property
    def made(self) -> Mapping[str, Resource]:
        """What is new at the hospital, by ``Type/id``, without what only goes along with a result."""
        kept = self.stage.hospitals.kept(self.org)
        new = {address: resource for address, resource in kept.items() if address not in self.before}
        results = {address: resource for address, resource in new.items() if address.partition("/")[0] not in _BESIDES}
        contract = self.stage.contract
        wanted = {need.resource for need in contract.outputs} if contract is not None else set()
        named = {address: resource for address, resource in results.items() if address.partition("/")[0] in wanted}
        return named or results


def _writes(request: Asked) -> bool:
    return bool(request.resources) or (request.role == "resource" and request.method in ("PATCH", "DELETE"))


def _signed_in(stage: Stage, org: str, patient: str = "p1") -> tuple[Browser, Visit] | None:
    browser = stage.browser()
    visit = stage.visit(org, patient, browser=browser)
    return (browser, visit) if shows_own(stage, visit) else None


def _write(stage: Stage, browser: Browser, visit: Visit, *pages: Page, wanted: bool = True) -> Write:
    """Save something.

    :param pages: where the form may be, besides the page of the sign-in.
    :param wanted: whether the product should write it; what it should not is waited for less long.
    """
    assert stage.product.actions.write is not None
    hospitals = stage.hospitals
    before, since = hospitals.kept(visit.org), hospitals.now()
    page = act(stage, browser, stage.product.actions.write, visit.org, *pages, visit.page, patient=visit.patient)
    write = Write(stage, visit.org, page, since, before)
    waited(lambda: bool(write.asked), _LATE_SECONDS if wanted else _UNWANTED_SECONDS)
    if write.asked:
        waited(lambda: all(request.status is not None for request in write.asked), _LATE_SECONDS)
    return write


def _polite(stage: Stage, org: str) -> tuple[Browser, Visit, Write] | Row:
    """A user who is signed in and has saved something; or why nothing is known of that."""
    signed_in = _signed_in(stage, org)
    if signed_in is None:
        return not_reached(_NOT_SHOWN, org)
    write = _write(stage, *signed_in)
    if not write.asked:
        return not_reached(f"saving led to no write at the hospital, but to {write.page.told}", org)
    return (*signed_in, write)


def _nothing_saved(write: Write) -> str:
    """What became of a write that left nothing; empty where it left something."""
    if write.made:
        return ""
    last = write.asked[-1]
    words = "; ".join(write.stage.hospitals.words_of(last.number)[-1:])
    return f"the hospital kept nothing: {last.method} {last.path.rsplit('/', 1)[-1]}, status {last.status}" + (
        f" ({words})" if words else ""
    )


# -- what is written ------------------------------------------------------------------------------------------------


@check("W01")
def draft(stage: Stage) -> list[Row]:
    """What is kept at the hospital after a user has saved something."""
    rows = []
    for org in stage.orgs:
        polite = _polite(stage, org)
        if isinstance(polite, Row):
            rows.append(polite)
            continue
        write = polite[2]
        problem = _nothing_saved(write) or next(
            (wrong for address, kept in write.made.items() if (wrong := _wrong(stage, org, address, kept))), ""
        )
        rows.append(judged(problem, f"{_named(write)}: patient, encounter and state are right", write.asked, org=org))
    return rows


def _named(write: Write) -> str:
    return ", ".join(dict.fromkeys(address.partition("/")[0] for address in write.made))


def _wrong(stage: Stage, org: str, address: str, kept: Resource) -> str:
    kind, base = address.partition("/")[0], stage.hospitals.base(org)
    subject = kept.get("subject") or kept.get("patient") or kept.get("for") or {}
    if _refers(subject, base) != "Patient/p1":
        return f"{kind} is of {_refers(subject, base) or 'no patient'}, and the launch was for patient 1"
    context = kept.get("context")
    encounter = kept.get("encounter") or (context.get("encounter") if isinstance(context, dict) else None) or {}
    encounter = encounter[0] if isinstance(encounter, list) and encounter else encounter
    if kind in _WITH_ENCOUNTER and _refers(encounter, base) != "Encounter/p1-encounter":
        return f"{kind} names {_refers(encounter, base) or 'no encounter'}, and the launch had one"
    drafts = _drafts(stage, kind)
    told = kept.get("docStatus" if kind == "DocumentReference" else "status")
    if drafts and told not in drafts:
        return f"{kind} is {told or 'of no state'} before anybody has signed it, and not {' or '.join(drafts)}"
    return ""


def _refers(reference: Any, base: str) -> str:
    text = reference.get("reference", "") if isinstance(reference, dict) else ""
    return str(text).removeprefix(f"{base}/")


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
    for org in stage.orgs:
        polite = _polite(stage, org)
        if isinstance(polite, Row):
            rows.append(polite)
            continue
        write = polite[2]
        by_header = any("device" in request.headers.get("x-provenance", "").lower() for request in write.asked)
        beside = [
            kept
            for address, kept in stage.hospitals.kept(org).items()
            if address not in write.before and address.startswith("Provenance/")
        ]
        if not write.made:
            rows.append(not_reached(_nothing_saved(write), org))
            continue
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


# -- when it goes wrong ---------------------------------------------------------------------------------------------


def _is_write(exchange: Exchange, org: str) -> bool:
    here = exchange.organization.id == org and exchange.role == "resource"
    return here and exchange.request.method in _WRITES and not exchange.path.endswith("_search")


@check("W02")
def lost_answer(stage: Stage) -> Row:
    """The hospital keeps what it is sent, and the connection ends before it has answered."""
    signed_in = _signed_in(stage, stage.a)
    if signed_in is None:
        return not_reached(_NOT_SHOWN)
    browser, visit = signed_in
    lost: list[str] = []

    def lose(exchange: Exchange, response: Response) -> Response:
        if lost or not _is_write(exchange, stage.a) or response.status_code not in (200, 201):
            return response
        lost.append(exchange.path)
        return WireResponse(exchange, response, _ended)

    with stage.hospitals.twisted(altered=lose):
        write = _write(stage, browser, visit)
    if not lost or not write.made:
        return not_reached(f"saving led to no write that was kept, but to {write.page.told}")
    later = stage.hospitals.asked(write.asked[0].number, org=stage.a, role="resource")
    looked_for = any(lost[0].partition("/")[0] in request.path and request.status in (200, 201) for request in later)
    if not looked_for:  # it has not found out by itself: its user tries again
        _write(stage, browser, visit, write.page)
    asked = stage.hospitals.asked(write.since, org=stage.a, role="resource")
    many = len(write.made)
    problem = f"the hospital has {many} of what was saved once" if many > 1 else ""
    return judged(problem, "the hospital has one of it", asked)


async def _ended(_: Exchange, transport: Any, __: bytes, ___: bytes) -> None:
    transport.abort()


@check("W03")
def changed_meanwhile(stage: Stage) -> Row:
    """Somebody else changes the record at the moment at which the product updates it."""
    polite = _polite(stage, stage.a)
    if isinstance(polite, Row):
        return polite
    browser, visit, write = polite
    if not write.made:
        return not_reached(_nothing_saved(write))
    changed: list[str] = []

    def change(exchange: Exchange) -> None:
        if changed or not _is_write(exchange, stage.a) or exchange.path not in write.made:
            return
        store = stage.hospitals.server.store(stage.a)  # within the hospital's own loop, between two requests
        kept = store.get(*exchange.path.split("/"))
        if kept is not None and kept.resource is not None:
            mark = {"url": _CHANGED, "valueBoolean": True}
            store.put({**kept.content, "extension": [*kept.content.get("extension", []), mark]}, kept.id, "PUT")
            changed.append(exchange.path)

    since = stage.hospitals.now()
    with stage.hospitals.twisted(instead=change):
        page = _withdrawn(stage, browser, visit, write)
    asked = [request for request in stage.hospitals.asked(since, org=stage.a, role="resource") if _writes(request)]
    if not changed:
        return not_reached(f"withdrawing led to no update of what was written, but to {page.told}")
    kept = stage.hospitals.kept(stage.a).get(changed[0], {})
    is_there = any(extension.get("url") == _CHANGED for extension in kept.get("extension", []))
    problem = "" if is_there else "the product wrote over what somebody else had changed, and that is gone"
    return judged(problem, f"the other's change is still there; {page.told}", asked)


def _withdrawn(stage: Stage, browser: Browser, visit: Visit, write: Write) -> Page:
    assert stage.product.actions.withdraw is not None
    return act(stage, browser, stage.product.actions.withdraw, visit.org, write.page, visit.page)


@check("W04")
def refused(stage: Stage) -> list[Row] | Row:
    """Writes that the hospital refuses, and then takes."""
    polite = _polite(stage, stage.a)
    if isinstance(polite, Row):
        return polite
    if not polite[2].made:
        return not_reached(_nothing_saved(polite[2]))
    well = visible_text(polite[2].page)
    return [_refused(stage, status, well) for status in (422, 403, 500)]


def _refused(stage: Stage, status: int, well: str) -> Row:
    subject = f"status {status}"
    signed_in = _signed_in(stage, stage.a)
    if signed_in is None:
        return not_reached(_NOT_SHOWN, subject=subject)
    browser, visit = signed_in

    def refuse(exchange: Exchange) -> Response | None:
        return outcome(status, "processing", "it is not kept") if _is_write(exchange, stage.a) else None

    with stage.hospitals.twisted(instead=refuse):
        write = _write(stage, browser, visit)
    if not write.asked:
        return not_reached(f"saving led to no write, but to {write.page.told}", subject=subject)
    problem = stage.crashed(write.page)
    if not problem and visible_text(write.page) == well:
        problem = "the page reads as it does after a write that was kept"
    if not problem and len(write.asked) > _MOST_TRIES:
        problem = f"it tried {len(write.asked)} times"
    if not problem:
        again = _write(stage, browser, visit, write.page)
        if len(again.made) != 1:
            problem = f"it was saved again when the hospital was well, and the hospital has {len(again.made)} of it"
    return judged(problem, f"told by {write.page.told}, and saved afterwards", write.asked, subject=subject)


@check("W05")
def withdrawn(stage: Stage) -> Row:
    """What is kept after a user has withdrawn it."""
    polite = _polite(stage, stage.a)
    if isinstance(polite, Row):
        return polite
    browser, visit, write = polite
    made = write.made
    if not made:
        return not_reached(_nothing_saved(write))
    since = stage.hospitals.now()
    page = _withdrawn(stage, browser, visit, write)
    waited(lambda: any(map(_writes, stage.hospitals.asked(since, role="resource"))), _LATE_SECONDS)
    kept = stage.hospitals.kept(stage.a)
    left = [address for address in made if address in kept and not _is_void(kept[address])]
    gone = [address for address in made if address not in kept]
    asked = [request for request in stage.hospitals.asked(since, role="resource") if _writes(request)]
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


# -- when it must not be --------------------------------------------------------------------------------------------


@check("W06")
def after_a_switch(stage: Stage) -> Row:
    """The form of patient 1's tab, sent after patient 2 was opened in the same browser."""
    signed_in = _signed_in(stage, stage.a)
    if signed_in is None:
        return not_reached(_NOT_SHOWN)
    browser, first = signed_in
    action = stage.product.actions.write
    assert action is not None
    hidden = hidden_fields(first.page, stage.at(action.path, stage.a))
    if not hidden and "{patient}" not in f"{action.path}{action.form}":
        seen = "no form of the page has a hidden field for it, and write has no {patient}: the two tabs send the same"
        return not_reached(seen)
    if not shows_own(stage, stage.visit(stage.a, "p2", browser=browser)):
        return not_reached("the second sign-in did not show its patient")
    write = _write(stage, browser, first, wanted=False)
    base = stage.hospitals.base(stage.a)
    of = {_refers(kept.get("subject") or kept.get("patient") or {}, base) for kept in write.made.values()}
    if "Patient/p2" in of:
        return row(BROKE, "what was written in the tab of patient 1 was saved in the chart of patient 2", write.asked)
    well = f"saved for {' and '.join(sorted(of))}, whom the tab shows" if of else f"refused with {write.page.told}"
    return judged(stage.crashed(write.page), well, write.asked)


@check("W08")
def without_scope(stage: Stage) -> Row:
    """A sign-in that was granted everything but writing."""
    polite = _polite(stage, stage.a)
    if isinstance(polite, Row):
        return polite
    asked = polite[1].authorization.get("scope", "").split()
    writing = [text for text in asked if (scope := parse(text)) is not None and set(scope.letters) & set("cud")]
    if not writing:
        return not_reached("no scope that lets it write was asked for")
    reading = [text for text in asked if text not in writing]
    with edit_token(stage, stage.a, scope=" ".join(reading)):
        signed_in = _signed_in(stage, stage.a)
        if signed_in is None:
            return not_reached("without these scopes the sign-in did not show its patient")
        write = _write(stage, *signed_in, wanted=False)
    if write.asked:
        return row(BROKE, "it tried to write, and had not been granted that", write.asked)
    same = visible_text(write.page) == visible_text(polite[2].page)
    return judged(
        "nothing was written, and the page reads as if it had been" if same else "",
        f"nothing was tried; {write.page.told}",
        stage.hospitals.asked(write.since),
    )


@check("W09", two=True)
def at_once(stage: Stage) -> Row:
    """A user of A and one of B, who save at the same time."""
    assert stage.b is not None
    orgs = (stage.a, stage.b)
    users = [_signed_in(stage, org) for org in orgs]
    if users[0] is None or users[1] is None:
        return not_reached(_NOT_SHOWN)
    since, ready = stage.hospitals.now(), threading.Barrier(len(orgs))

    def save(user: tuple[Browser, Visit]) -> Write:
        ready.wait(_LATE_SECONDS)
        return _write(stage, *user)

    with ThreadPoolExecutor(len(orgs)) as pool:
        writes = list(pool.map(save, (users[0], users[1])))
    asked = [request for request in stage.hospitals.asked(since, role="resource") if _writes(request)]
    if not asked:
        return not_reached("saving led to no write at either hospital")
    tokens = [
        {request.token for request in stage.hospitals.asked(org=org, role="resource") if request.token} for org in orgs
    ]
    if tokens[0] & tokens[1]:
        return row(BROKE, f"one token was used at {stage.a} and at {stage.b}", asked)
    times = {write.org: len(write.made) for write in writes}
    wrong = next((f"{org} was written to {number} times, not once" for org, number in times.items() if number != 1), "")
    return judged(wrong, "each hospital has one, written with its own token", asked)
