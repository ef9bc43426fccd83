"""Rehearsals of the team's own product: the catalogue, the safety around one, and running it."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from interlock.content.rehearsals import REHEARSAL, load_catalogue
from interlock.documents.names import did_you_mean
from interlock.documents.resources import data_dir
from interlock.model.base import CheckOutcome
from interlock.model.contract import WorkflowContract
from interlock.model.errors import InterlockError, Location, NothingObservedError, ThresholdNotMetError
from interlock.model.observation import Check, Observation, Target
from interlock.model.product import Driver, Product, VisitedEndpoint
from interlock.model.rehearsal import (
    LETTERS,
    ProductObservation,
    RehearsalCheck,
    RehearsalOutcome,
    RehearsalResult,
    RehearsedApp,
    worst,
)
from interlock.model.text import plain
from interlock.model.words import listed, rehearsed
from interlock.probe.transport.addresses import has_userinfo, is_loopback_host, kind_of_host, origin
from interlock.rehearse.chromium import Chromium, NoChromiumError
from interlock.rehearse.hooks import Programs
from interlock.rehearse.hospitals import Hospitals
from interlock.rehearse.program import Elsewhere, Started
from interlock.rehearse.run import BUILT, rehearse
from interlock.usecases.registering import by_hand
from interlock.usecases.trust import new_commands
from interlock.workspace.checkout import commit_of
from interlock.workspace.history import save_rehearsal
from interlock.workspace.store import PRODUCT_FILE, Workspace

_CHECK_OUTCOMES = {
    RehearsalOutcome.HELD: CheckOutcome.PASS,
    RehearsalOutcome.BROKE: CheckOutcome.FAIL,
    RehearsalOutcome.INCONCLUSIVE: CheckOutcome.WARN,
    RehearsalOutcome.NOT_APPLICABLE: CheckOutcome.NOT_APPLICABLE,
}


def catalogue() -> tuple[RehearsalCheck, ...]:
    """Every check that there is, families in order, built or not."""
    return load_catalogue(data_dir("rulesets") / REHEARSAL)


def is_built(check: RehearsalCheck) -> bool:
    """Whether a rehearsal can look at a check already."""
    return check.id in BUILT


def needs_scripts(check: RehearsalCheck) -> bool:
    """Whether a check is looked at only where Chromium drives the product."""
    return check.id in BUILT and BUILT[check.id].scripts


def rehearsal_check(check_id: str) -> RehearsalCheck:
    """One check by its id, in letters of any case, ``RH-`` or not.

    :raises InterlockError: there is no such check.
    """
    known = {check.id: check for check in catalogue()}
    wanted = f"RH-{check_id.upper().removeprefix('RH-')}"
    if wanted not in known:
        hint = did_you_mean(wanted, known)
        message = f"there is no rehearsal check {check_id!r}{hint}"
        raise InterlockError(message, remedy="interlock rehearse --list names them all")
    return known[wanted]


def chosen_checks(only: Sequence[str]) -> frozenset[str]:
    """Ids of the checks that are named, one by one or by their family; nothing named is nothing left out.

    :raises InterlockError: there is no such check or family, or nothing of it is built.
    """
    chosen: set[str] = set()
    for name in only:
        family = next((family for family in LETTERS if name.lower() in (family, LETTERS[family].lower())), None)
        checks = [check for check in catalogue() if check.family == family] if family else [rehearsal_check(name)]
        built = {check.id for check in checks if is_built(check)}
        if not built:
            raise InterlockError(
                f"nothing of {name!r} can be rehearsed yet", remedy="interlock rehearse --list tells what can"
            )
        chosen |= built
    return frozenset(chosen)


@dataclass(frozen=True)
class Permission:
    """What the user allows for one rehearsal.

    :ivar target: an origin beside loopback; ``own`` says that the user has said that it is theirs.
    :ivar start: whether the programs that it names may be run without a grant, because the user has just said so.
    """

    target: str | None = None
    own: bool = False
    start: bool = False


def product_of(workspace: Workspace) -> Product:
    """What ``product.yaml`` says.

    :raises InterlockError: it is not there. :raises DocumentError: it is broken; with file, line and column.
    """
    product = workspace.product()
    if product is None:
        raise InterlockError(
            f"there is no {PRODUCT_FILE}, which says how your running product is reached",
            location=Location(file=str(workspace.root / PRODUCT_FILE)),
            remedy="write one, as docs/rehearsal.md shows; interlock config schema product has every key",
        )
    return product


def rehearse_product(
    workspace: Workspace,
    *,
    orgs: Sequence[str] = (),
    only: Sequence[str] = (),
    permission: Permission | None = None,
    repeat: int = 1,
    save: bool = True,
    any_port: bool = False,
    wait: float = 0,
    on_open: Callable[[Sequence[tuple[str, str, str]]], None] | None = None,
    driver: Driver | None = None,
    on_note: Callable[[str], None] | None = None,
    on_result: Callable[[RehearsalResult], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> ProductObservation:
    """Rehearse the product of a workspace, and keep what was seen as an observation of it.

    :param orgs: only these of the hospitals that ``product.yaml`` names.
    :param only: only these checks or families.
    :param any_port: whether product and hospitals take other ports where those of the file are taken: only for a
        product that is started here, and needs to know nobody's address by heart.
    :param wait: for how many seconds to wait for a product that somebody else starts.
    :param on_open: told what is entered in the product by hand (hospital, what it is, value), once the hospitals
        stand and before the product is looked for.
    :param driver: what acts as the browser, in place of what ``product.yaml`` says.
    :param on_note: told in a sentence what is left out, and how to have it.
    :param on_result: told each row as soon as it is known.
    :param stop: asked before each request whether to end early; what was seen then is not kept.
    :raises DocumentError: the contract is broken; with file, line and column.
    :raises InterlockError: nothing that was chosen can be looked at, nothing is said of the product, an address of it
        is neither on this machine nor allowed, the start command is not allowed, or the hospitals cannot stand.
    :raises NothingObservedError: the product is not there.
    """
    product, allowed = product_of(workspace), permission or Permission()
    contract = workspace.contract()
    chosen = chosen_checks(only)
    _known(product, orgs)
    pinned = _pinned(workspace, allowed)
    _check_addresses(workspace, product, allowed.target)
    started_in = workspace.root / (product.start.folder or ".") if product.start is not None else None
    commit = commit_of(started_in) if started_in is not None else None
    about = RehearsedApp(launch_url=product.launch_url, version=product.version, commit=commit)
    if any_port and product.start is not None:
        product = product.at_port(_free_port(urlsplit(product.launch_url).port or 0))
    with contextlib.ExitStack() as stack:
        chromium = stack.enter_context(_chromium(product, driver or product.driver, chosen, on_note))
        hospitals = stack.enter_context(Hospitals(product, 0 if any_port else None))
        if on_open is not None:
            on_open(by_hand(hospitals))
        running = stack.enter_context(_running(workspace, hospitals, allowed, pinned, wait, stop))
        observation = rehearse(
            hospitals,
            running,
            catalogue(),
            orgs=orgs,
            only=chosen,
            endpoints=endpoints_of(product, contract),
            contract=contract,
            programs=Programs(workspace.root, hospitals.environment()),
            target=allowed.target,
            pinned=pinned,
            chromium=chromium,
            repeat=repeat,
            app=about,
            on_result=on_result,
            stop=stop,
        )
    if save and not (stop is not None and stop()):
        save_rehearsal(workspace, observation)
    return observation


@contextlib.contextmanager
def _chromium(
    product: Product, driver: Driver, chosen: Collection[str], on_note: Callable[[str], None] | None
) -> Iterator[Chromium | None]:
    """The browser with scripts, if one shall drive the product and there is one; what is left out without it is told.

    :raises InterlockError: nothing was chosen but what needs one.
    """
    with contextlib.ExitStack() as stack:
        chromium: Chromium | None = None
        problem: NoChromiumError | None = None
        if driver == "chromium" and product.tls:
            remedy = f"leave tls out of {PRODUCT_FILE} for this rehearsal"
            problem = NoChromiumError("with tls the hospitals speak https, into which nobody can look", remedy=remedy)
        elif driver == "chromium":
            try:
                chromium = stack.enter_context(Chromium())
            except NoChromiumError as error:
                problem = error
        if chromium is None:
            lost = sorted(check for check, built in BUILT.items() if built.scripts and (not chosen or check in chosen))
            why = problem.message if problem is not None else "the driver is http, which runs no scripts"
            remedy = (problem.remedy if problem is not None else None) or "interlock rehearse --driver chromium"
            if chosen and len(lost) == len(chosen):
                message = f"without a browser with scripts nothing is seen of {listed(lost, 6)}: {why}"
                raise InterlockError(message, remedy=remedy)
            if lost and on_note is not None:
                left = f"{listed(lost, 6)} and what scripts do on pages"
                on_note(f"Left out: {left}; {why}. To have it: {remedy}")
        yield chromium


def _free_port(wanted: int) -> int:
    """This port of this machine, or another where somebody has it."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(("127.0.0.1", port))
            return int(trial.getsockname()[1])
    return wanted


def endpoints_of(product: Product, contract: WorkflowContract | None) -> tuple[VisitedEndpoint, ...]:
    """The endpoints that are visited: those of the product's file, or else those of the contract with patient data."""
    if product.endpoints:
        return product.endpoints
    named = [entry.path for entry in contract.endpoints if entry.carries_phi] if contract is not None else []
    return tuple(VisitedEndpoint(path=path) for path in named if path.startswith("/") and "{" not in path)[:100]


@contextlib.contextmanager
def _running(
    workspace: Workspace,
    hospitals: Hospitals,
    allowed: Permission,
    pinned: str | None,
    wait: float,
    stop: Callable[[], bool] | None,
) -> Iterator[Started | Elsewhere]:
    product = hospitals.product
    refused = () if allowed.start else new_commands(workspace)
    if refused:
        named = "; ".join(plain(grant.command or "", 200) for grant in refused)
        raise InterlockError(
            f"{PRODUCT_FILE} wants to run what you have not allowed: {named}",
            remedy="look at it and allow it: interlock trust; or leave it out of product.yaml",
        )
    if product.start is None:
        with Elsewhere(product.launch_url, pinned, wait) as running:
            yield running
        return
    environment = hospitals.environment(workspace.root / "reports" / "rehearsal-ca.pem")
    with Started(product.start, product.launch_url, workspace.root, environment, stop=stop) as started:
        yield started


def _known(product: Product, orgs: Sequence[str]) -> None:
    known = [client.id for client in product.organizations]
    for org in orgs:
        if org not in known:
            hint = did_you_mean(org, known)
            message = f"{PRODUCT_FILE} names no organisation {org!r}{hint}"
            raise InterlockError(message, remedy=f"organisations: {', '.join(known)}")


# -- safety ---------------------------------------------------------------------------------------------------------


def _check_addresses(workspace: Workspace, product: Product, target: str | None) -> None:
    """Let every address of the product be on this machine, or at the one origin that was named.

    :raises InterlockError: one is not; says which.
    """
    document = workspace.load(PRODUCT_FILE)
    addresses: list[tuple[tuple[str | int, ...], str | None]] = [
        (("launch_url",), product.launch_url),
        (("standalone_url",), product.standalone_url),
        (("jwks_url",), product.jwks_url),
        (("start", "ready"), product.start.ready if product.start else None),
    ]
    for number, client in enumerate(product.organizations):
        addresses += [
            (("organizations", number, "redirect_uri"), client.redirect_uri),
            (("organizations", number, "launch_url"), client.launch_url),
        ]
    for path, address in addresses:
        if not address:
            continue
        where = origin(address.replace("{org}", "org"))
        at_target = target is not None and where is not None and where == origin(target)
        if where is None or has_userinfo(address) or not (at_target or is_loopback_host(where.host)):
            raise InterlockError(
                f"{plain(address, 200)} is not on this machine, and a rehearsal asks nobody else",
                location=document.location(path),
                remedy="rehearse a copy on 127.0.0.1; for a staging system of your own: --target ORIGIN --i-own-this",
            )


def _pinned(workspace: Workspace, allowed: Permission) -> str | None:
    """The address of the target, looked up once; none without a target, or where it is on this machine.

    :raises InterlockError: the target is no origin, not said to be the user's own, an organisation's, or nowhere.
    """
    if allowed.target is None:
        return None
    where = origin(allowed.target)
    if where is None or urlsplit(allowed.target).path not in ("", "/") or has_userinfo(allowed.target):
        raise InterlockError(
            f"--target {plain(allowed.target, 200)!r} is no origin", remedy="write it as https://staging.example.org"
        )
    for org in workspace.read().organizations:
        theirs = origin(org.fhir_base_url or "")
        if theirs is not None and (where.host == theirs.host or where.host.endswith(f".{theirs.host}")):
            raise InterlockError(
                f"--target {where.host} is {org.name}'s, an organisation of this workspace",
                remedy="a rehearsal attacks what it looks at: give a system of your own",
            )
    if not allowed.own:
        raise InterlockError(
            f"a rehearsal of {where.host} sends it answers that are not what they should be",
            remedy="if it is yours and holds no real data, say so: --i-own-this",
        )
    if is_loopback_host(where.host):
        return None
    try:
        address = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)[0][4][0]
    except OSError as error:
        raise NothingObservedError(f"{where.host} has no address: {error}", remedy="check --target") from error
    if kind_of_host(str(address)) == "never":
        raise InterlockError(f"{where.host} has an address that is never contacted: {address}", remedy="check --target")
    return str(address)


# -- what it comes to -----------------------------------------------------------------------------------------------


def summary(observation: ProductObservation) -> str:
    """``18 of 24 checks held; 3 broke; 3 need you``: checks, each counted once over its rows."""
    return rehearsed(Counter(observation.outcomes.values()))


def require_held(observation: ProductObservation) -> None:
    """Hold a rehearsal against what was asked: that nothing breaks.

    :raises NothingObservedError: a polite launch did not hold, so that next to nothing was looked at.
    :raises ThresholdNotMetError: something broke.
    """
    if not observation.polite:
        first = next((row for row in observation.results if row.outcome is not RehearsalOutcome.HELD), None)
        raise NothingObservedError(
            f"a polite launch did not show its patient: {first.seen if first else observation.stopped}",
            remedy="compare what your product knows with interlock rehearse --write-env FILE",
        )
    broke = [check for check, outcome in observation.outcomes.items() if outcome is RehearsalOutcome.BROKE]
    if broke:
        raise ThresholdNotMetError(f"broke: {listed(broke, 6)}", remedy=f"interlock rehearse --explain {broke[0]}")


def as_checks(observation: ProductObservation) -> Observation:
    """The same as checks of one target, a check each, for build servers."""
    about = {check.id: check for check in catalogue()}
    checks = []
    for name in observation.outcomes:
        rows = [row for row in observation.results if row.id == name]
        outcome = worst(row.outcome for row in rows)
        told = [(row.subject or row.organization, row.seen) for row in rows if row.outcome is outcome]
        said = "; ".join(f"{where}: {shown}" if where else shown for where, shown in told)
        checks.append(
            Check(
                id=name,
                title=rows[0].title,
                outcome=_CHECK_OUTCOMES.get(outcome, CheckOutcome.NOT_OBSERVED),
                severity=rows[0].severity,
                message=plain(said, 1_000),
                references=about[name].references if name in about else (),
            )
        )
    return Observation(
        target=Target(base_url=observation.app.launch_url),
        started=observation.started,
        elapsed_ms=observation.elapsed_ms,
        outcome="observed" if observation.polite else "partial",
        checks=tuple(checks),
    )


def to_sarif(observation: ProductObservation) -> str:
    """What broke as findings for code scanning, at the product's file."""
    from interlock.report import sarif  # only a build server asks for it

    return sarif.to_sarif([as_checks(observation)], what="rehearse", file=PRODUCT_FILE)


def to_junit(observation: ProductObservation) -> str:
    """The checks as test cases, for a build server."""
    from interlock.report import junit

    return junit.to_junit([as_checks(observation)], command="rehearse")
