"""Writes that go wrong or must not be: once, over nobody's change, and told when they were not saved."""

from __future__ import annotations

from collections.abc import Sequence
from html import unescape
from typing import Any

from starlette.responses import Response

from interlock.fhir.scopes import parse
from interlock.rehearse.acting import hidden_fields
from interlock.rehearse.browser import Browser
from interlock.rehearse.checks.base import NOT_SHOWN, check, edit_token, not_reached, shows_own
from interlock.rehearse.checks.saving import (
    Write,
    is_write,
    nothing_kept,
    refers,
    save,
    saved,
    signed_in,
    take_back,
    writes,
)
from interlock.rehearse.checks.searches import UNSTEADY
from interlock.rehearse.pages import visible_text
from interlock.rehearse.stage import BROKE, NEEDS_HOOK, Row, Stage, Visit, filled, judged, row
from interlock.sandbox.exchange import NUMBER, Exchange
from interlock.sandbox.replies import outcome
from interlock.sandbox.wire import WireResponse

_CHANGED = "https://example.org/rehearsal/changed-by-somebody-else"
_MOST_TRIES = 5
#: Letters of a text that a user writes, and does not choose.
_SHORTEST = 4


@check("W02")
def lost_answer(stage: Stage) -> Row:
    """The hospital keeps what it is sent, and the connection ends before it has answered."""
    user = signed_in(stage, stage.a)
    if user is None:
        return not_reached(NOT_SHOWN)
    browser, visit = user
    lost: dict[int, str] = {}

    def lose(exchange: Exchange, response: Response) -> Response:
        if lost or not is_write(exchange, stage.a) or response.status_code not in (200, 201):
            return response
        lost[int(exchange.request.scope[NUMBER])] = exchange.path
        return WireResponse(exchange, response, _ended)

    with stage.hospitals.twisted(altered=lose):
        write = save(stage, browser, visit, lost=lost)
    if not lost or not write.made:
        return not_reached(f"saving led to no write that was kept, but to {write.page.told}")
    later = stage.hospitals.asked(write.asked[0].number, org=stage.a, role="resource")
    kind = next(iter(lost.values())).partition("/")[0]
    looked_for = any(kind in request.path and request.status in (200, 201) for request in later)
    if not looked_for:  # it has not found out by itself: its user tries again
        save(stage, browser, visit, write.page)
    asked = stage.hospitals.asked(write.since, org=stage.a, role="resource")
    many = len(write.made)
    problem = f"the hospital has {many} of what was saved once" if many > 1 else ""
    return judged(problem, "the hospital has one of it", asked)


async def _ended(_: Exchange, transport: Any, __: bytes, ___: bytes) -> None:
    transport.abort()


@check("W03")
def changed_meanwhile(stage: Stage) -> Row:
    """Somebody else changes the record at the moment at which the product updates it."""
    polite = saved(stage, stage.a)
    if isinstance(polite, Row):
        return polite
    browser, visit, write = polite
    if not write.made:
        return not_reached(nothing_kept(write))
    changed: list[str] = []

    def change(exchange: Exchange) -> None:
        if changed or not is_write(exchange, stage.a) or exchange.path not in write.made:
            return
        store = stage.hospitals.server.store(stage.a)  # within the hospital's own loop, between two requests
        kept = store.get(*exchange.path.split("/"))
        if kept is not None and kept.resource is not None:
            mark = {"url": _CHANGED, "valueBoolean": True}
            store.put({**kept.content, "extension": [*kept.content.get("extension", []), mark]}, kept.id, "PUT")
            changed.append(exchange.path)

    since = stage.hospitals.now()
    with stage.hospitals.twisted(instead=change):
        page = take_back(stage, browser, visit, write)
    asked = [request for request in stage.hospitals.asked(since, org=stage.a, role="resource") if writes(request)]
    if not changed:
        return not_reached(f"withdrawing led to no update of what was written, but to {page.told}")
    kept = stage.hospitals.kept(stage.a).get(changed[0], {})
    is_there = any(extension.get("url") == _CHANGED for extension in kept.get("extension", []))
    problem = "" if is_there else "the product wrote over what somebody else had changed, and that is gone"
    return judged(problem, f"the other's change is still there; {page.told}", asked)


@check("W04")
def refused(stage: Stage) -> list[Row] | Row:
    """Writes that the hospital refuses, and then takes."""
    wells = []
    for _ in range(2):
        polite = saved(stage, stage.a)
        if isinstance(polite, Row):
            return polite
        if not polite[2].made:
            return not_reached(nothing_kept(polite[2]))
        wells.append(visible_text(polite[2].page))
    return [_refused(stage, status, wells) for status in (422, 403, 500)]


def _refused(stage: Stage, status: int, wells: Sequence[str]) -> Row:
    subject = f"status {status}"
    user = signed_in(stage, stage.a)
    if user is None:
        return not_reached(NOT_SHOWN, subject=subject)
    browser, visit = user

    def refuse(exchange: Exchange) -> Response | None:
        return outcome(status, "processing", "it is not kept") if is_write(exchange, stage.a) else None

    with stage.hospitals.twisted(instead=refuse):
        write = save(stage, browser, visit)
    if not write.asked:
        return not_reached(f"saving led to no write, but to {write.page.told}", subject=subject)
    problem, gone = stage.crashed(write.page), _gone(stage, browser, visit, write)
    if not problem and visible_text(write.page) in wells:
        problem = "the page reads as it does after a write that was kept"
    if not problem and len(write.asked) > _MOST_TRIES:
        problem = f"it tried {len(write.asked)} times"
    if not problem:
        again = save(stage, browser, visit, write.page)
        if len(again.made) != 1:
            problem = f"it was saved again when the hospital was well, and the hospital has {len(again.made)} of it"
    if not problem and len(set(wells)) > 1:
        return not_reached(UNSTEADY, subject=subject)
    if not problem and gone:
        seen = f"neither the page that tells of it nor the first page has “{gone}”, which the user wrote"
        question = "whether it is kept elsewhere, a person has to judge"
        return row(NEEDS_HOOK, f"{seen}; {question}", write.asked, subject=subject)
    return judged(problem, f"told by {write.page.told}, and saved afterwards", write.asked, subject=subject)


def _gone(stage: Stage, browser: Browser, visit: Visit, write: Write) -> str:
    """What a user wrote that no page has after the write was refused; empty where nothing of the sort can be said.

    A text is the user's where the form's page did not have it before. An answer that is no page leaves the form's page
    as it is, and so may a script.
    """
    assert stage.product.actions.write is not None
    if stage.chromium is not None or "html" not in write.page.headers.get("content-type", ""):
        return ""
    texts = [filled(text, visit.org, visit.patient) for text in stage.product.actions.write.form.values()]
    written = [text for text in texts if len(text) >= _SHORTEST and text not in unescape(visit.page.text)]
    after = unescape(write.page.text + stage.home(browser, visit.org).text) if written else ""
    return next((text[:100] for text in written if text not in after), "")


@check("W06")
def after_a_switch(stage: Stage) -> Row:
    """The form of patient 1's tab, sent after patient 2 was opened in the same browser."""
    user = signed_in(stage, stage.a)
    if user is None:
        return not_reached(NOT_SHOWN)
    browser, first = user
    action = stage.product.actions.write
    assert action is not None
    hidden = hidden_fields(first.page, stage.at(action.path, stage.a))
    if not hidden and "{patient}" not in f"{action.path}{action.form}":
        seen = "no form of the page has a hidden field for it, and write has no {patient}: the two tabs send the same"
        return not_reached(seen)
    if not shows_own(stage, stage.visit(stage.a, "p2", browser=browser)):
        return not_reached("the second sign-in did not show its patient")
    write = save(stage, browser, first, wanted=False)
    base = stage.hospitals.base(stage.a)
    of = {refers(kept.get("subject") or kept.get("patient") or {}, base) for kept in write.made.values()}
    if "Patient/p2" in of:
        return row(BROKE, "what was written in the tab of patient 1 was saved in the chart of patient 2", write.asked)
    well = f"saved for {' and '.join(sorted(of))}, whom the tab shows" if of else f"refused with {write.page.told}"
    return judged(stage.crashed(write.page), well, write.asked)


@check("W08")
def without_scope(stage: Stage) -> Row:
    """A sign-in that was granted everything but writing."""
    polite = saved(stage, stage.a)
    if isinstance(polite, Row):
        return polite
    asked = polite[1].authorization.get("scope", "").split()
    writing = [text for text in asked if (scope := parse(text)) is not None and set(scope.letters) & set("cud")]
    if not writing:
        return not_reached("no scope that lets it write was asked for")
    reading = [text for text in asked if text not in writing]
    with edit_token(stage, stage.a, scope=" ".join(reading)):
        user = signed_in(stage, stage.a)
        if user is None:
            return not_reached("without these scopes the sign-in did not show its patient")
        write = save(stage, *user, wanted=False)
    if write.asked:
        return row(BROKE, "it tried to write, and had not been granted that", write.asked)
    same = visible_text(write.page) == visible_text(polite[2].page)
    return judged(
        "nothing was written, and the page reads as if it had been" if same else "",
        f"nothing was tried; {write.page.told}",
        stage.hospitals.asked(write.since),
    )
