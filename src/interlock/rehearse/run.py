"""One rehearsal from its beginning to its end: polite launches, then every check, and the observation of it all."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from interlock.model.contract import WorkflowContract
from interlock.model.product import Product, VisitedEndpoint
from interlock.model.rehearsal import (
    ProductObservation,
    RehearsalCheck,
    RehearsalOutcome,
    RehearsalResult,
    RehearsedApp,
    TapeLine,
)
from interlock.model.text import plain
from interlock.model.words import listed
from interlock.rehearse.browser import Budget, BudgetSpentError, UnsettledError
from interlock.rehearse.checks import (
    authorization,
    backend,
    callback,
    charts,
    context,
    endpoints,
    failing,
    identity,
    launch,
    links,
    logs,
    missing,
    outgoing,
    paging,
    reading,
    refresh,
    scripts,
    sessions,
    surface,
    tokens,
    unsaved,
    values,
    writes,
)
from interlock.rehearse.checks.base import BUILT, Built, shows_own
from interlock.rehearse.chromium import Chromium
from interlock.rehearse.hooks import Log, Programs
from interlock.rehearse.hospitals import BROWSER, STRANGER, Hospitals, OutOfReachError
from interlock.rehearse.stage import NEEDS_HOOK, NOT_APPLICABLE, NOT_REACHED, Row, Running, Stage
from interlock.sandbox.launches import with_query
from interlock.sandbox.tape import Entry

__all__ = ["BUILT", "rehearse"]

_FAMILIES = (
    launch,
    authorization,
    callback,
    tokens,
    context,
    identity,
    refresh,
    reading,
    failing,
    paging,
    missing,
    values,
    charts,
    outgoing,
    writes,
    unsaved,
    sessions,
    scripts,
    endpoints,
    surface,
    links,
    backend,
    logs,
)
#: The check that also says whether the product lived on, whatever was done to it.
_LIVES_ON = "RH-L10"
MAX_REQUESTS, MAX_SECONDS = 4_000, 300.0


def rehearse(
    hospitals: Hospitals,
    running: Running,
    catalogue: Sequence[RehearsalCheck],
    *,
    orgs: Sequence[str] = (),
    only: Collection[str] = (),
    endpoints: tuple[VisitedEndpoint, ...] = (),
    contract: WorkflowContract | None = None,
    programs: Programs | None = None,
    target: str | None = None,
    pinned: str | None = None,
    chromium: Chromium | None = None,
    repeat: int = 1,
    app: RehearsedApp | None = None,
    on_result: Callable[[RehearsalResult], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> ProductObservation:
    """Rehearse the product that runs, against hospitals that stand.

    :param catalogue: the checks to look at.
    :param orgs: only these of the hospitals that the product knows, the first two in these roles.
    :param only: only these checks, by id.
    :param contract: the product's workflow contract: what it reads and writes, and what it says of what is missing.
    :param programs: how programs that product.yaml names are run; without them none is.
    :param chromium: what drives the product, where a browser without scripts does not see the same.
    :param repeat: how often each is looked at; where two looks differ it is inconclusive.
    :param on_result: told each row as soon as it is known.
    :param stop: asked before each request whether to end early.
    """
    product: Product = hospitals.product
    began, started = time.monotonic(), datetime.now(UTC)
    budget = Budget(MAX_REQUESTS, began + MAX_SECONDS * (2 if chromium is not None else 1), stop=stop)
    stage = Stage(
        hospitals,
        product,
        running,
        budget,
        endpoints,
        contract,
        tuple(orgs or hospitals.clients),
        target,
        pinned,
        programs,
        Log(product.log, programs) if product.log is not None and programs is not None else None,
        chromium,
    )
    results: list[RehearsalResult] = []
    stopped: str | None = None
    plain: Stage | None = None
    polite = False

    def tell(check: RehearsalCheck, rows: Sequence[Row]) -> None:
        for row in rows:
            result = _result(check, row)
            results.append(result)
            if on_result is not None:
                on_result(result)

    chosen = [
        (check, BUILT[check.id])
        for check in catalogue
        if (not only or check.id in only) and (chromium is not None or not BUILT[check.id].scripts)
    ]
    try:
        _prove_reachable(stage)
        _register(stage)
        for org in stage.orgs:
            stage.visits[org] = stage.visit(org)
        stage.close_browsers()
        polite = all(shows_own(stage, visit) for visit in stage.visits.values())
        plain = _without_scripts(stage) if polite and chromium is not None else None
        for check, built in chosen:
            tell(check, _looked(stage, plain, built, check, polite=polite, repeat=repeat))
        for check in (check for check, _ in chosen if check.id == _LIVES_ON):
            for during, subject, seen in (
                (stage.died, "the product as a program", "the product ended by itself"),
                (stage.crashed_in, "what has to be refused", "the product crashed where it has to refuse,"),
            ):
                if during:
                    told = f"{seen} during {listed(list(dict.fromkeys(during)))}"
                    tell(check, [Row(RehearsalOutcome.BROKE, told, subject=subject)])
    except BudgetSpentError as spent:
        stopped = f"the rehearsal ended early: {spent.message}"
        known = {result.id for result in results}
        for check, _ in chosen:
            if check.id not in known:
                tell(check, [Row(NOT_REACHED, stopped)])
    finally:
        for one in (stage, plain):
            if one is not None:
                one.close()
    about = app or RehearsedApp(launch_url=product.launch_url)
    return ProductObservation(
        app=about.but(deaths=running.deaths, **_reported(stage)),
        started=started,
        elapsed_ms=round((time.monotonic() - began) * 1_000, 1),
        driver=f"chromium {chromium.version}" if chromium is not None else "http",
        layout=hospitals.layout,
        organizations=stage.orgs,
        polite=polite,
        stopped=stopped,
        sent=budget.sent,
        results=tuple(results),
        tape=tuple(_line(entry, hospitals) for entry in hospitals.entries),
    )


def _prove_reachable(stage: Stage) -> None:
    """Ask each decoy once: one that cannot be reached would make a check hold that was never put."""
    browser = stage.browser()
    for org in (*stage.orgs, STRANGER):
        page = browser.open(f"{stage.hospitals.base(org)}/.well-known/smart-configuration")
        if page.status != 200:
            raise BudgetSpentError(f"the simulated hospital {org} cannot be reached: {page.told}")


def _reported(stage: Stage) -> dict[str, str]:
    """The version that the product's pages tell, and in which header, where its file names one."""
    name = stage.product.version_header
    told = (visit.page.headers.get(name.lower()) for visit in stage.visits.values()) if name else ()
    return next(({"version": plain(value, 200), "version_header": name} for value in told if value and name), {})


def _register(stage: Stage) -> None:
    """Launch a product that registers itself wherever it has not yet, up to the hospital's door: then it has to.

    :raises BudgetSpentError: it has not registered itself.
    """
    hospitals, browser = stage.hospitals, stage.browser()
    for org in (org for org in hospitals.adopt() if org in stage.orgs):
        address = with_query(
            stage.product.launch_at(hospitals.clients[org]), iss=hospitals.base(org), launch="zqxfirst"
        )
        browser.open(address, until=stage.authorization_endpoints)
    missing = [org for org in hospitals.adopt() if org in stage.orgs]
    if missing:
        raise BudgetSpentError(f"the product was launched from {missing[0]}, and has not registered itself there")


def _without_scripts(stage: Stage) -> Stage | None:
    """The same stage for browsers without scripts, which are ten times as quick; none where they see something else."""
    plain = replace(stage, chromium=None, unlike=[], visits={}, begun=[], ended=[], _browsers=[])
    plain.visits |= {org: plain.visit(org) for org in plain.orgs}
    plain.close_browsers()
    return plain if not plain.unlike and all(shows_own(plain, visit) for visit in plain.visits.values()) else None


def _looked(
    stage: Stage, plain: Stage | None, built: Built, check: RehearsalCheck, *, polite: bool, repeat: int
) -> list[Row]:
    if not polite and not built.polite:
        return [Row(NOT_REACHED, "a polite launch did not hold at every hospital, and nothing else was tried")]
    if built.two and stage.b is None:
        return [Row(NOT_APPLICABLE, "the product knows one hospital here, and this needs two")]
    hook = check.hook
    if hook is not None and not stage.product.has(hook):
        return [Row(NEEDS_HOOK, f"product.yaml names no {hook}", hook=hook)]
    quicker = plain if "browser" not in check.how else None
    looks = [_look(stage, quicker, built) for _ in range(max(1, repeat))]
    return looks[0] if len(looks) == 1 else _agreed(looks)


def _look(stage: Stage, plain: Stage | None, built: Built) -> list[Row]:
    """One look, without scripts where that can be; with them where a page was met that has some."""
    if plain is not None:
        plain.unlike.clear()
        rows = _once(plain, built)
        if not plain.unlike:
            return rows
    return _once(stage, built)


def _once(stage: Stage, built: Built) -> list[Row]:
    deaths, crashes = stage.running.deaths, len(stage.crashes)
    try:
        looked = built.look(stage)
    except (OutOfReachError, UnsettledError) as problem:
        looked = Row(NOT_REACHED, str(problem))
    finally:
        stage.close_browsers()
    stage.running.revive()
    rows = [looked] if isinstance(looked, Row) else list(looked)
    if stage.running.deaths > deaths:
        stage.died.append(built.id)
    if len(stage.crashes) > crashes:
        stage.crashed_in.append(built.id)
    return rows


def _agreed(looks: Sequence[list[Row]]) -> list[Row]:
    """The rows of several looks; one that is not the same in all of them is inconclusive."""
    known = [{(row.org, row.subject): row for row in rows} for rows in looks]
    agreed = []
    for key, row in {key: row for rows in reversed(known) for key, row in rows.items()}.items():
        outcomes = {other[key].outcome if key in other else None for other in known}
        if len(outcomes) == 1:
            agreed.append(row)
        else:
            seen = f"{len(looks)} looks differ; one of them: {row.seen}"
            agreed.append(replace(row, outcome=RehearsalOutcome.INCONCLUSIVE, seen=seen))
    return agreed


def _result(check: RehearsalCheck, row: Row) -> RehearsalResult:
    return RehearsalResult(
        id=check.id,
        outcome=row.outcome,
        severity=row.severity or check.severity,
        title=check.title,
        organization=row.org,
        subject=plain(row.subject, 300) if row.subject else None,
        about=row.about,
        seen=plain(row.seen, 1_000),
        hook=row.hook,
        requests=row.requests[:50],
    )


def _line(entry: Entry, hospitals: Hospitals) -> TapeLine:
    headers = dict(entry.headers)
    at_stranger = headers.get("host") == hospitals.host(STRANGER)
    return TapeLine(
        number=entry.number,
        at=round(entry.at - hospitals.began, 3),
        by="browser" if BROWSER in headers.get("user-agent", "") else "app",
        where=entry.organization or (STRANGER if at_stranger else "nowhere"),
        role=entry.role,
        method=entry.method,
        path=entry.path,
        query=entry.query,
        form=entry.body.form or (),
        status=entry.answer.status if entry.answer else None,
        words=entry.words,
    )
