"""What the product does without a user: its own tokens, one for each hospital, and what it does when one fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from starlette.responses import Response

from interlock.fhir.scopes import parse
from interlock.rehearse.acting import Work, waited
from interlock.rehearse.browser import BudgetSpentError
from interlock.rehearse.checks.base import check, claims_of, edit_token, not_reached, shows_own
from interlock.rehearse.checks.logs import logged
from interlock.rehearse.checks.tokens import wrong_assertion
from interlock.rehearse.hospitals import Asked
from interlock.rehearse.stage import BROKE, HELD, NOT_APPLICABLE, Row, Stage, is_search, judged, row
from interlock.sandbox.bearer import bearer_token
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.replies import fhir_json, outcome, plain_json

_GRANT = "client_credentials"
_JOBS, _PROGRAMS, _AT_ONCE = 20, 3, 5
#: How many tokens jobs at once may ask for: one, and another where two of them met.
_MET = 2
_MOST_TRIES = 5
#: How long what a job asks may come after it was set going, and how long one that must not ask is watched.
_LATE_SECONDS, _UNWANTED_SECONDS = 3.0, 0.5
_PUBLIC = "a public client has no backend token, and product.yaml names no backend of its organizations"
_NOTHING = "the job asked nothing of the hospital"


def _grants(stage: Stage, since: int = 0, org: str | None = None) -> list[Asked]:
    asked = stage.hospitals.asked(since, org=org, role="token")
    return [request for request in asked if request.form.get("grant_type") == _GRANT]


def _read(stage: Stage, since: int, org: str) -> list[Asked]:
    return [request for request in stage.hospitals.asked(since, org=org, role="resource") if request.token]


def _job(stage: Stage, org: str) -> Work:
    assert stage.product.actions.job is not None
    return Work(stage, org, stage.product.actions.job)


def _run(work: Work) -> tuple[list[Asked], str]:
    """Set a job going: what it read at its hospital, and what was told of it."""
    since = work.stage.hospitals.now()
    _, told = work.done()
    waited(lambda: any(request.status is not None for request in _read(work.stage, since, work.org)), _LATE_SECONDS)
    return _read(work.stage, since, work.org), told


def _confidential(stage: Stage) -> list[str]:
    return [org for org in stage.orgs if stage.hospitals.clients[org].for_jobs is not None]


@check("B01")
def as_specified(stage: Stage) -> list[Row] | Row:
    """The token requests of a job at each hospital."""
    rows = []
    for org in _confidential(stage):
        _run(_job(stage, org))
        asked = _grants(stage, org=org)
        problem, ids, client = "", set[str](), stage.hospitals.clients[org].for_jobs
        assert client is not None
        for request in asked:
            problem = problem or _wrong_scope(request.form.get("scope", ""))
            if client.client == "confidential-asymmetric" and not problem:
                header, claims = claims_of(request.form.get("client_assertion", ""))
                problem = wrong_assertion(stage, org, header, claims, request.at, client.client_id)
                problem = problem or ("jti was used before" if str(claims.get("jti")) in ids else "")
                ids.add(str(claims.get("jti")))
        if not asked:
            rows.append(not_reached("the job asked for no token of its own", org))
            continue
        well = "the scope is of the system level, and the client proves itself as it should"
        rows.append(judged(problem, well, asked, org=org))
    return rows or row(NOT_APPLICABLE, _PUBLIC)


def _wrong_scope(scope: str) -> str:
    if not scope.split():
        return "no scope is asked for"
    other = next((text for text in scope.split() if (known := parse(text)) is None or known.level != "system"), None)
    return f"it asks for {other}, which is not of the system level" if other else ""


@check("B02")
def one_token(stage: Stage) -> list[Row] | Row:
    """Many jobs, one after the other."""
    rows = []
    for org in _confidential(stage):
        work = _job(stage, org)
        jobs = _JOBS if work.trigger.path is not None else _PROGRAMS
        since = stage.hospitals.now()
        read = [asked for _ in range(jobs) for asked in _run(work)[0]]
        asked = _grants(stage, since, org)
        if not read:
            rows.append(not_reached(_NOTHING, org))
            continue
        # What a program holds in memory ends with it.
        most = 1 if work.trigger.path is not None else jobs
        problem = f"for {jobs} jobs it asked for a token {len(asked)} times" if len(asked) > most else ""
        well = f"for {jobs} jobs it asked for {len(asked) or 'no new'} token{'s' if len(asked) > 1 else ''}"
        rows.append(judged(problem, well, asked or read[:1], org=org, subject="one after the other"))
        if work.trigger.path is not None and stage.chromium is None:  # Chromium is driven from one thread
            rows.append(_at_once(stage, org))
    return rows or row(NOT_APPLICABLE, _PUBLIC)


def _at_once(stage: Stage, org: str) -> Row:
    """Jobs that begin together, when the token that the product holds is taken no more."""
    works = [_job(stage, org) for _ in range(_AT_ONCE)]
    since = stage.hospitals.now()
    with _anew(stage, org), ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(Work.done, works))
    asked = _grants(stage, since, org)
    problem = f"for {_AT_ONCE} jobs at once it asked for a token {len(asked)} times" if len(asked) > _MET else ""
    well = f"for {_AT_ONCE} jobs at once it asked for a token {'twice' if len(asked) > 1 else 'once'}"
    if not asked:
        return not_reached("no new token was asked for", org, "at once")
    return judged(problem, well, asked, org=org, subject="at once")


@check("B03", two=True)
def apart(stage: Stage) -> Row:
    """A job at A, then one at B, and both once more."""
    orgs = _confidential(stage)[:2]
    if len(orgs) < 2:
        return row(NOT_APPLICABLE, _PUBLIC)
    works = {org: _job(stage, org) for org in orgs}
    since = stage.hospitals.now()
    read = [_run(works[org])[0] for org in (*orgs, *orgs)]
    if not all(read[:2]):
        return not_reached(_NOTHING)
    there = [{request.token for request in _read(stage, since, org)} for org in orgs]
    lost = [
        request for request in stage.hospitals.asked(since, role="resource") if request.token in there[0] & there[1]
    ]
    problem = f"one token was sent to {orgs[0]} and to {orgs[1]}" if lost else ""
    return judged(problem, "each hospital's token went to that hospital alone", lost or read[0] + read[1])


@contextmanager
def _anew(stage: Stage, org: str) -> Iterator[None]:
    """Let a hospital take none of the backend tokens that it has issued until now."""
    old = {request.token for request in stage.hospitals.asked(org=org, role="resource")}

    def refuse(exchange: Exchange) -> Response | None:
        grant, token = exchange.trace.grant, bearer_token(exchange.request.headers)
        of_backend = grant is not None and all(scope.startswith("system/") for scope in grant.scopes)
        if exchange.organization.id != org or not of_backend or token not in old:
            return None
        return outcome(401, "expired", "the token has ended")

    with stage.hospitals.twisted(instead=refuse):
        yield


@check("B04")
def recovers(stage: Stage) -> list[Row] | Row:
    """A token that ends early, and invalid_client in the place of a new one; then all is well again."""
    orgs = _confidential(stage)
    if not orgs:
        return row(NOT_APPLICABLE, _PUBLIC)
    org = orgs[0]
    work = _job(stage, org)
    usual = logged(stage, lambda: _run(work))
    if not _read(stage, 0, org):
        return not_reached(_NOTHING, org)

    def refuse(exchange: Exchange) -> Response | None:
        here = exchange.organization.id == org and exchange.role == "token" and _GRANT.encode() in exchange.body
        return plain_json({"error": "invalid_client"}, 401) if here else None

    with _anew(stage, org):
        since = stage.hospitals.now()
        with stage.hospitals.twisted(instead=refuse):
            told = logged(stage, lambda: _run(work))
            time.sleep(_UNWANTED_SECONDS)
        tries = _grants(stage, since, org)
        read = _run(work)[0]
    problem = f"it asked for a token {len(tries)} times, and was refused each time" if len(tries) > _MOST_TRIES else ""
    if not problem and not any(request.status == 200 for request in read):
        problem = "when the hospital was well again the next job read nothing"
    well = f"refused {'once' if len(tries) == 1 else f'{len(tries)} times'}; the next job read again"
    rows = [judged(problem, well, (*tries, *read), org=org, subject="invalid_client")]
    if stage.log is not None:
        silent = "of a token that was refused the log says no more than of a job that went well"
        problem = "" if told - usual else silent
        rows.append(judged(problem, "the log tells of it", tries, org=org, subject="the log"))
    return rows


@check("B05")
def fewer_scopes(stage: Stage) -> Row:
    """A token for part of what was asked for; compared with a hospital in which the other part is empty."""
    orgs = _confidential(stage)
    if not orgs:
        return row(NOT_APPLICABLE, _PUBLIC)
    org = orgs[0]
    work = _job(stage, org)
    with _anew(stage, org):
        read, whole = _run(work)
    asked = _grants(stage, org=org)
    scopes = [scope for text in (asked[-1].form.get("scope", "").split() if asked else ()) if (scope := parse(text))]
    if not read or not scopes:
        return not_reached(_NOTHING)
    kept = "Patient" if scopes[0].type == "*" else scopes[0].type
    if len({scope.type for scope in scopes}) < 2 and scopes[0].type != "*":
        return not_reached(f"it asks for {kept} alone, so there is no part of it")

    def empty(exchange: Exchange) -> Response | None:
        if exchange.organization.id != org or not is_search(exchange) or exchange.path.partition("/")[0] == kept:
            return None
        return fhir_json({"resourceType": "Bundle", "type": "searchset", "total": 0})

    with stage.hospitals.twisted(instead=empty):
        nothing_there = _run(work)[1]
    if nothing_there == whole:
        return not_reached("what is told of the job does not depend on what it read")
    since = stage.hospitals.now()
    with _anew(stage, org), edit_token(stage, org, scope=f"system/{kept}.{scopes[0].letters}"):
        fewer = _run(work)[1]
    tries = _grants(stage, since, org)
    if not tries:
        return not_reached("no new token was asked for")
    problem = f"without its scopes it tells the same as if the hospital had nothing but {kept}"
    well = "what it could not read is told otherwise than what is not there"
    return judged(problem if fewer == nothing_there else "", well, (*tries, *_read(stage, since, org)))


@check("B06")
def switched_off(stage: Stage) -> Row:
    """A hospital that was switched off: a session that is open there, a launch, a job."""
    actions, org = stage.product.actions, stage.b or stage.a
    assert actions.switch_off is not None
    browser = stage.browser()
    visit = stage.visit(org, browser=browser)
    job = _job(stage, org) if actions.job is not None and org in _confidential(stage) else None
    switch = Work(stage, org, actions.switch_off)
    taken, told = switch.done()
    try:
        if not shows_own(stage, visit) or not taken:
            return not_reached(f"switching off was not taken: {told[:200]}", org)
        since = stage.hospitals.now()
        stage.home(browser, org)
        stage.visit(org)
        if job is not None:
            job.done()
        asked = stage.hospitals.asked
        waited(lambda: bool(asked(since, org=org, role="resource")), _UNWANTED_SECONDS)
        came = [request for request in asked(since, org=org) if request.role in ("token", "resource")]
    finally:
        switch.done(actions.switch_on)
        if not shows_own(stage, stage.visit(org)):
            raise BudgetSpentError(f"{org} was switched off, and switch_on has not switched it on again")
    if came:
        return row(BROKE, f"{org} was switched off and was asked {len(came)} times after that", came, org=org)
    return row(HELD, f"{org} was asked for no token and no record after that", org=org)
