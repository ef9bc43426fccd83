"""How a user saves something in the product, and what the hospital has of it then: what checks of writes share."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from interlock.rehearse.acting import act, waited
from interlock.rehearse.browser import Browser, Page
from interlock.rehearse.checks.base import NOT_SHOWN, not_reached, shows_own
from interlock.rehearse.hospitals import Asked
from interlock.rehearse.stage import Row, Stage, Visit
from interlock.sandbox.exchange import Exchange

Resource = Mapping[str, Any]

#: How long a write may come after the page that answers.
LATE_SECONDS, _UNWANTED_SECONDS = 3.0, 0.3
_WRITES = ("POST", "PUT", "PATCH", "DELETE")
#: What is written besides the result itself.
_BESIDES = ("AuditEvent", "Binary", "Device", "Provenance")


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
        return [request for request in self.stage.hospitals.asked(self.since, role="resource") if writes(request)]

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


def writes(request: Asked) -> bool:
    """Whether a request of the product was to change something at the hospital."""
    return bool(request.resources) or (request.role == "resource" and request.method in ("PATCH", "DELETE"))


def signed_in(stage: Stage, org: str, patient: str = "p1") -> tuple[Browser, Visit] | None:
    """A user whose sign-in shows its patient."""
    browser = stage.browser()
    visit = stage.visit(org, patient, browser=browser)
    return (browser, visit) if shows_own(stage, visit) else None


def save(
    stage: Stage, browser: Browser, visit: Visit, *pages: Page, wanted: bool = True, lost: Collection[int] = ()
) -> Write:
    """Save something.

    :param pages: where the form may be, besides the page of the sign-in.
    :param wanted: whether the product should write it; what it should not is waited for less long.
    :param lost: numbers of the requests that are never answered.
    """
    assert stage.product.actions.write is not None
    hospitals = stage.hospitals
    before, since = hospitals.kept(visit.org), hospitals.now()
    page = act(stage, browser, stage.product.actions.write, visit.org, *pages, visit.page, patient=visit.patient)
    write = Write(stage, visit.org, page, since, before)
    waited(lambda: bool(write.asked), LATE_SECONDS if wanted else _UNWANTED_SECONDS)
    if write.asked:
        waited(
            lambda: all(request.status is not None or request.number in lost for request in write.asked), LATE_SECONDS
        )
    return write


def saved(stage: Stage, org: str) -> tuple[Browser, Visit, Write] | Row:
    """A user who is signed in and has saved something; or why nothing is known of that."""
    user = signed_in(stage, org)
    if user is None:
        return not_reached(NOT_SHOWN, org)
    write = save(stage, *user)
    if not write.asked:
        return not_reached(f"saving led to no write at the hospital, but to {write.page.told}", org)
    return (*user, write)


def saved_at_each(stage: Stage) -> Iterator[tuple[str, Write | Row]]:
    """What a user saved at each hospital; or why nothing is known of that."""
    for org in stage.orgs:
        found = saved(stage, org)
        yield org, found if isinstance(found, Row) else found[2]


def nothing_kept(write: Write) -> str:
    """What became of a write that left nothing; empty where it left something."""
    if write.made:
        return ""
    last = write.asked[-1]
    words = "; ".join(write.stage.hospitals.words_of(last.number)[-1:])
    return f"the hospital kept nothing: {last.method} {last.path.rsplit('/', 1)[-1]}, status {last.status}" + (
        f" ({words})" if words else ""
    )


def take_back(stage: Stage, browser: Browser, visit: Visit, write: Write) -> Page:
    """The page that answers when a user withdraws what was saved."""
    assert stage.product.actions.withdraw is not None
    return act(stage, browser, stage.product.actions.withdraw, visit.org, write.page, visit.page)


def is_write(exchange: Exchange, org: str) -> bool:
    """The same of a request that is just being answered, at one hospital."""
    here = exchange.organization.id == org and exchange.role == "resource"
    return here and exchange.request.method in _WRITES and not exchange.path.endswith("_search")


def refers(reference: Any, base: str) -> str:
    """What a reference names, from the hospital's base."""
    text = reference.get("reference", "") if isinstance(reference, dict) else ""
    return str(text).removeprefix(f"{base}/")
