"""What a launch says beside the patient: who is signed in, in which encounter, and whether to name the patient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from interlock.rehearse.browser import Browser, Page
from interlock.rehearse.checks.base import NOT_SHOWN, check, claims_of, edit_token, not_reached, shows_own
from interlock.rehearse.checks.saving import save, signed_in
from interlock.rehearse.records import USERS, canary, user_canary
from interlock.rehearse.stage import BROKE, HELD, NEEDS_HOOK, NOT_APPLICABLE, Row, Stage, Visit, judged, row
from interlock.sandbox.exchange import Exchange

_NO_OPENID = "the scope openid is not asked for"
#: Where a resource that is written names its encounter (FHIR R4).
_ENCOUNTER = ("encounter", "context")


@check("R03")
def banner(stage: Stage) -> list[Row]:
    """The token answer says that a patient banner is needed, and that none is."""
    return [_named_where_asked(stage, needed=needed) for needed in (True, False)]


def _named_where_asked(stage: Stage, *, needed: bool) -> Row:
    subject = f"need_patient_banner: {str(needed).lower()}"
    with edit_token(stage, stage.a, need_patient_banner=needed):
        visit = stage.visit(stage.a)
    if not shows_own(stage, visit):
        return not_reached(f"it ended with {visit.page.told}, which shows no record", subject=subject)
    is_named = visit.page.shows(canary(stage.a, "p1", "patient"))
    if needed:
        problem = "" if is_named else "the page shows a record and does not say whose it is, as the EHR has asked"
        return judged(problem, "the page names the patient", visit.asked, subject=subject)
    if not is_named:
        return row(HELD, "the page leaves it to the EHR to name the patient", visit.asked, subject=subject)
    question = "whether that is once too often beside the EHR's own banner, a person has to judge"
    return row(NEEDS_HOOK, f"the page names the patient all the same; {question}", visit.asked, subject=subject)


@check("R04")
def no_encounter(stage: Stage) -> Row:
    """A launch with an encounter, then one without in the same browser; and then something is saved."""
    user = signed_in(stage, stage.a)
    if user is None:
        return not_reached(NOT_SHOWN)
    browser, _ = user
    with edit_token(stage, stage.a, encounter=None):
        visit = stage.visit(stage.a, browser=browser)
    if not shows_own(stage, visit):
        return row(HELD, f"without an encounter it signs nobody in: {stage.refusal(visit.page)}", visit.asked)
    write = save(stage, browser, visit, wanted=False)
    kept = {address.partition("/")[0]: resource for address, resource in write.made.items()}
    named = [kind for kind, resource in kept.items() if "Encounter/" in str([resource.get(key) for key in _ENCOUNTER])]
    if named:
        seen = f"the {named[0]} that was saved names an encounter, and the launch named none"
        return row(BROKE, seen, write.asked, about="other_source")
    bare = [kind for kind in kept if _needs_encounter(stage, kind)]
    if bare:
        return row(BROKE, f"a {bare[0]} was saved without the encounter that contract.yaml requires", write.asked)
    if kept:
        return row(HELD, f"saved without an encounter, which contract.yaml does not require of {next(iter(kept))}")
    return row(HELD, f"nothing was saved: {write.page.told}", write.asked or visit.asked)


def _needs_encounter(stage: Stage, kind: str) -> bool:
    outputs = stage.contract.outputs if stage.contract is not None else ()
    fields = [field for need in outputs if need.resource == kind for field in need.required_fields]
    return any(field.partition(".")[0] in _ENCOUNTER for field in fields)


# -- who is signed in -----------------------------------------------------------------------------------------------


def _asks_who(stage: Stage) -> bool:
    return "openid" in stage.visits[stage.a].authorization.get("scope", "").split()


def _users_shown(stage: Stage, browser: Browser, visit: Visit) -> list[str]:
    """The users whose names stand on the page of a sign-in, or on the one that product.yaml names for that."""
    pages: list[Page] = [visit.page]
    if stage.product.user_page is not None and shows_own(stage, visit):
        address = stage.at(stage.product.user_page, visit.org, visit.patient)
        pages.append(browser.open(address, until=stage.authorization_endpoints))
    users = [(org, user) for org in stage.orgs for user in USERS]
    return [f"{org} {user}" for org, user in users if any(page.shows(user_canary(org, user)) for page in pages)]


def _nobody_named(stage: Stage) -> Row:
    if stage.product.user_page is None:
        return row(NEEDS_HOOK, "the first page names nobody who is signed in", hook="user_page")
    return not_reached(f"{stage.product.user_page} names nobody who is signed in")


@check("R09")
def no_identity(stage: Stage) -> Row:
    """A token answer without an ID token, for another user than the one who was signed in with the same browser."""
    if not _asks_who(stage):
        return row(NOT_APPLICABLE, _NO_OPENID)
    browser = stage.browser()
    before = f"{stage.a} {USERS[0]}"
    if before not in _users_shown(stage, browser, stage.visit(stage.a, browser=browser, user=USERS[0])):
        return _nobody_named(stage)
    with edit_token(stage, stage.a, id_token=None):
        visit = stage.visit(stage.a, browser=browser, user=USERS[1])
    if not visit.of("token"):
        return not_reached("the token endpoint was not asked")
    if not shows_own(stage, visit):
        return row(HELD, f"without an ID token it signs nobody in: {stage.refusal(visit.page)}", visit.asked)
    stays = before in _users_shown(stage, browser, visit)
    problem = "without an ID token the page says that the user before is signed in" if stays else ""
    return judged(problem, "without an ID token the page says nothing of the user before", visit.asked)


@check("R10", two=True)
def same_subject(stage: Stage) -> Row:
    """Two hospitals with one ``sub``: A, then B, then A again, each in a new browser."""
    if not _asks_who(stage):
        return row(NOT_APPLICABLE, _NO_OPENID)
    assert stage.b is not None
    since = stage.hospitals.now()
    with _one_subject(stage, stage.a, stage.b):
        for org in (stage.a, stage.b, stage.a):
            browser = stage.browser()
            shown = _users_shown(stage, browser, stage.visit(org, browser=browser, user=USERS[0]))
            others = [name for name in shown if not name.startswith(f"{org} ")]
            if others:
                seen = f"a user of {org} is taken for one of {others[0].partition(' ')[0]} who has the same sub"
                return row(BROKE, seen, stage.hospitals.asked(since))
            if not shown:
                return _nobody_named(stage)
    return row(HELD, "the same sub at two hospitals is two users", stage.hospitals.asked(since, role="token"))


@contextmanager
def _one_subject(stage: Stage, *orgs: str) -> Iterator[None]:
    """Let the ID tokens of hospitals have the same subject."""

    def edit(exchange: Exchange, document: dict[str, Any]) -> None:
        if "id_token" in document:
            claims = claims_of(document["id_token"])[1] | {"sub": "zqx-one-subject"}
            document["id_token"] = exchange.state.keys.sign(exchange.organization.id, claims, "RS256")

    with ExitStack() as stack:
        for org in orgs:
            stack.enter_context(stage.edits(org, ("token",), edit))
        yield
