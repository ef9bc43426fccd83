"""Rehearsals of the team's own product: the safety around one, and running it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from interlock.documents.names import did_you_mean
from interlock.model.contract import WorkflowContract
from interlock.model.errors import InterlockError, Location, NothingObservedError
from interlock.model.product import Driver, Product, VisitedEndpoint
from interlock.model.rehearsal import (
    ProductObservation,
    RehearsalResult,
    RehearsedApp,
)
from interlock.model.text import plain
from interlock.model.words import listed
from interlock.probe.transport.addresses import has_userinfo, is_loopback_host, kind_of_host, origin
from interlock.rehearse.chromium import Chromium, NoChromiumError
from interlock.rehearse.hooks import Programs
from interlock.rehearse.hospitals import Hospitals
from interlock.rehearse.program import Elsewhere, Started
from interlock.rehearse.run import BUILT, rehearse
from interlock.usecases.registering import by_hand
from interlock.usecases.rehearsal_checks import catalogue, chosen_checks
from interlock.usecases.trust import new_commands
from interlock.workspace.checkout import commit_of
from interlock.workspace.history import save_rehearsal
from interlock.workspace.store import PRODUCT_FILE, Workspace


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
    left_out: list[str] = []

    def leave_out(told: str) -> None:
        left_out.append(told)
        if on_note is not None:
            on_note(f"Left out: {told}")

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
        chromium = stack.enter_context(_chromium(product, driver or product.driver, chosen, leave_out))
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
        lost = chromium is not None and chromium.ended
    observation = observation.but(left_out=left_out[0] if left_out else None)
    if save and not lost and not (stop is not None and stop()):
        save_rehearsal(workspace, observation)
    return observation


@contextlib.contextmanager
def _chromium(
    product: Product, driver: Driver, chosen: Collection[str], on_note: Callable[[str], None]
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
            if lost:
                on_note(f"{listed(lost, 6)} and what scripts do on pages; {why}. To have it: {remedy}")
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
