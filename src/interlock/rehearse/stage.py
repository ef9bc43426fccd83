"""What a check of a rehearsal has at hand: the hospitals, browsers, the product, and the ways that lead through it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import Response

from interlock.model.base import Severity
from interlock.model.contract import WorkflowContract
from interlock.model.product import Product, VisitedEndpoint
from interlock.model.rehearsal import Hook, RehearsalOutcome
from interlock.rehearse.browser import Browser, Budget, Page
from interlock.rehearse.chromium import Chromium
from interlock.rehearse.hooks import Log, Programs
from interlock.rehearse.hospitals import Asked, Hospitals, OutOfReachError
from interlock.rehearse.http_browser import HttpBrowser
from interlock.rehearse.records import PATIENTS, canary
from interlock.rehearse.tab import ChromiumBrowser
from interlock.sandbox.exchange import FHIR_CONTENT, Exchange
from interlock.sandbox.launches import with_query
from interlock.sandbox.replies import fhir_json, plain_json

HELD, BROKE, NOT_REACHED = RehearsalOutcome.HELD, RehearsalOutcome.BROKE, RehearsalOutcome.NOT_REACHED
NEEDS_HOOK, NOT_APPLICABLE = RehearsalOutcome.NEEDS_HOOK, RehearsalOutcome.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class Row:
    """What one check showed, at one hospital or endpoint; see :class:`interlock.model.rehearsal.RehearsalResult`.

    :ivar severity: where it is another than the check's.
    """

    outcome: RehearsalOutcome
    seen: str
    requests: tuple[int, ...] = ()
    org: str | None = None
    subject: str | None = None
    about: str | None = None
    hook: Hook | None = None
    severity: Severity | None = None


def row(outcome: RehearsalOutcome, seen: str, asked: Iterable[Asked] = (), **about: Any) -> Row:
    """A row with the numbers of the requests that show it, at most 50."""
    return Row(outcome, seen, tuple(request.number for request in asked)[:50], **about)


def judged(problem: str, well: str, asked: Iterable[Asked] = (), **about: Any) -> Row:
    """A row that broke by a problem, or held, in the words of ``well``."""
    return row(BROKE if problem else HELD, problem or well, asked, **about)


class Running(Protocol):
    """The product as a program: whether it runs, and what to do when it ended."""

    deaths: int

    def alive(self) -> bool:
        """Whether it runs, as far as anybody can tell from outside."""

    def revive(self) -> bool:
        """Start it again if it ended and can be; whether it had ended."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has come as far as the authorization request, which was not sent yet.

    :ivar asked: the parameters of the authorization request; empty where none was made.
    """

    org: str
    page: Page
    asked: Mapping[str, str]
    since: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A sign-in that has come as far as the answer of the authorization server, which was not delivered yet.

    :ivar url: the whole address of the answer; ``fields`` its parameters.
    """

    begun: Begun
    url: str
    fields: Mapping[str, str]

    @property
    def code(self) -> str:
        """The code."""
        return self.fields.get("code", "")

    def but(self, base: str | None = None, **changed: str | None) -> str:
        """The address with other parameters; none takes one away."""
        fields = {name: value for name, value in {**self.fields, **changed}.items() if value is not None}
        return with_query(base or self.url.partition("?")[0], **fields)


@dataclass(frozen=True, slots=True)
class Visit:
    """A sign-in that was followed to its end.

    :ivar asked: every request of the application at any hospital since it began.
    :ivar authorization: the parameters of the authorization request.
    """

    org: str
    patient: str
    page: Page
    authorization: Mapping[str, str]
    since: int
    asked: tuple[Asked, ...]

    def of(self, role: str) -> list[Asked]:
        """The application's requests in one role at its hospital."""
        return [request for request in self.asked if request.role == role and request.organization == self.org]


@dataclass
class Stage:
    """The stage of one rehearsal.

    :ivar contract: the product's workflow contract, where there is one.
    :ivar orgs: ids of the hospitals that the product knows, the first two called A and B.
    :ivar visits: the polite sign-in at each of them that held.
    :ivar begun: sign-ins of twenty new browsers, for the checks that compare many.
    :ivar died: ids of the checks during which the product ended by itself.
    :ivar crashes: how it failed by itself where it had to refuse, and in ``crashed_in`` during which checks.
    :ivar programs: how programs that product.yaml names are run; ``log`` is the product's log, where it names one.
    :ivar ended: browsers that are signed in with tokens that have ended, for the checks of refreshing.
    :ivar chromium: the browser with scripts, where one drives the product.
    :ivar unlike: addresses of pages that browsers without scripts met, and one with scripts may have seen otherwise.
    """

    hospitals: Hospitals
    product: Product
    running: Running
    budget: Budget
    endpoints: tuple[VisitedEndpoint, ...] = ()
    contract: WorkflowContract | None = None
    orgs: tuple[str, ...] = ()
    target: str | None = None
    pinned: str | None = None
    programs: Programs | None = None
    log: Log | None = None
    chromium: Chromium | None = None
    unlike: list[str] = field(default_factory=list)
    visits: dict[str, Visit] = field(default_factory=dict)
    begun: list[Begun] = field(default_factory=list)
    died: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    crashed_in: list[str] = field(default_factory=list)
    ended: list[Browser] = field(default_factory=list)
    _browsers: list[Browser] = field(default_factory=list)
    _next: ChromiumBrowser | None = None

    @property
    def a(self) -> str:
        """The first hospital."""
        return self.orgs[0]

    @property
    def b(self) -> str | None:
        """The second one, where the product knows two."""
        return self.orgs[1] if len(self.orgs) > 1 else None

    # -- browsers ---------------------------------------------------------------------------------------------------

    def browser(self) -> Browser:
        """A new browser, closed when the check ends."""
        return self.take(self.lasting_browser())

    def lasting_browser(self) -> Browser:
        """A new browser that outlives the check."""
        if self.chromium is None:
            return HttpBrowser(self.budget, self.target, self.pinned, self.unlike)
        new = ChromiumBrowser(self.chromium, self.budget, self.target, self.pinned)
        opened, self._next = self._next or new, replace(new)
        self._next.prepare()
        return opened

    def plain_browser(self) -> HttpBrowser:
        """A new browser without scripts, whatever drives the product: for requests at once."""
        browser = HttpBrowser(self.budget, self.target, self.pinned)
        self.take(browser)
        return browser

    def take(self, browser: Browser) -> Browser:
        """Let a browser be closed when the check ends."""
        self._browsers.append(browser)
        return browser

    def close(self) -> None:
        """Forget every browser, those too that wait for a check."""
        self._browsers += [*self.ended, *([self._next] if self._next is not None else [])]
        self.ended.clear()
        self._next = None
        self.close_browsers()

    def close_browsers(self) -> None:
        """Forget the browsers of one check."""
        while self._browsers:
            self._browsers.pop().close()

    # -- the ways through the product -------------------------------------------------------------------------------

    def begin(self, browser: Browser, org: str, patient: str = "p1", url: str | None = None, **launch: Any) -> Begun:
        """Launch, and stop before the authorization request is sent."""
        self.running.revive()
        since = self.hospitals.now()
        address = url or self.hospitals.launch(org, patient, **launch)
        page = browser.open(address, until=self.authorization_endpoints)
        at = page.next if page.stopped == "elsewhere" else ""
        known = any(at.startswith(endpoint) for endpoint in self.authorization_endpoints)
        return Begun(org, page, _fields(at, page.form) if known else {}, since)

    def answer(self, browser: Browser, begun: Begun) -> Answered | None:
        """Send the authorization request, and stop before the answer is delivered; none where there is none."""
        if not begun.asked:
            return None
        page = browser.open(
            begun.page.next, method=begun.page.method, form=begun.page.form, until=self.redirect_addresses
        )
        if page.stopped != "elsewhere" or not page.next:
            return None
        return Answered(begun, page.next, _fields(page.next, None))

    def answered(self, browser: Browser, org: str, patient: str = "p1") -> Answered | None:
        """Launch at a hospital, up to its answer, which is a code or nothing counts."""
        answer = self.answer(browser, self.begin(browser, org, patient))
        return answer if answer is not None and answer.code else None

    def visit(
        self,
        org: str,
        patient: str = "p1",
        *,
        browser: Browser | None = None,
        url: str | None = None,
        home: bool = True,
        **launch: Any,
    ) -> Visit:
        """Launch, and follow to the end: the page of the product that shows a record.

        :param home: whether to open that page where the sign-in ends at another; without it only where nothing was
            read yet, so that no request is made twice by us.
        """
        browser = browser or self.browser()
        begun = self.begin(browser, org, patient, url, **launch)
        page = begun.page
        if begun.asked:
            page = browser.open(page.next, method=page.method, form=page.form)
            elsewhere = self.product.home is not None and page.url != self.home_address(org, patient)
            if elsewhere and page.stopped is None and page.status < 400 and (home or not self._read(org, begun.since)):
                page = self.home(browser, org, patient)
        return Visit(org, patient, page, begun.asked, begun.since, tuple(self.hospitals.asked(begun.since)))

    def _read(self, org: str, since: int) -> bool:
        return bool(self.hospitals.asked(since, org=org, role="resource"))

    def home(self, browser: Browser, org: str, patient: str = "p1") -> Page:
        """The page of the product that shows a record, as this browser sees it, without a new sign-in."""
        return browser.open(self.home_address(org, patient), until=self.authorization_endpoints)

    def again(self, browser: Browser, page: Page) -> Page:
        """A page loaded once more, without a new sign-in: many products send whoever has no session to one.

        :raises OutOfReachError: see :meth:`address_of`.
        """
        return browser.open(self.address_of(page), until=self.authorization_endpoints)

    def home_address(self, org: str, patient: str = "p1") -> str:
        """Where that page is: what the product's file says, or where the polite sign-in ended.

        :raises OutOfReachError: see :meth:`address_of`.
        """
        if self.product.home is not None:
            return self.at(self.product.home, org, patient)
        return self.address_of(self.visits[org].page)

    def address_of(self, page: Page) -> str:
        """The address at which a page is loaded again.

        :raises OutOfReachError: that is where the code arrived, which is no page to come back to.
        """
        if "code" in _fields(page.url, None):
            raise OutOfReachError("the sign-in ends at the address with the code: name a page as home in product.yaml")
        return page.url

    def at(self, path: str, org: str, patient: str = "p1") -> str:
        """An address of the product by its path, filled in."""
        parts = urlsplit(self.product.launch_at(self.hospitals.clients[org]))
        return f"{parts.scheme}://{parts.netloc}{filled(path, org, patient)}"

    @property
    def authorization_endpoints(self) -> tuple[str, ...]:
        """Of every hospital that the product knows."""
        return tuple(self.hospitals.address(org, "authorize") for org in self.hospitals.clients)

    @property
    def redirect_addresses(self) -> tuple[str, ...]:
        """The product's own."""
        return tuple(client.redirect_uri for client in self.hospitals.clients.values())

    # -- what is looked for -----------------------------------------------------------------------------------------

    def uses(self, code: str, since: int) -> list[Asked]:
        """Requests of the application that carry this code, at any hospital."""
        return [
            request
            for request in self.hospitals.asked(since)
            if request.form.get("code") == code or request.holds(code)
        ]

    def shown(self, page: Page, orgs: Iterable[str] | None = None) -> list[str]:
        """Whose canaries a page shows: ``alder p1`` and so on."""
        among = self.orgs if orgs is None else orgs
        return [f"{org} {patient}" for org in among for patient in PATIENTS if page.shows(canary(org, patient))]

    def crashed(self, page: Page) -> str:
        """Whether a page shows that the application failed by itself; empty when it did not.

        A status of 502 to 504 is an application that says who failed: somebody else.
        """
        if page.status in (500, 501) or page.status > 504:
            return f"it answered with status {page.status}"
        if page.stopped in ("no_answer", "too_slow", "too_large", "redirects"):
            return f"it gave {page.told}"
        return "" if self.running.alive() else "it ended"

    def refusal(self, page: Page) -> str:
        """How something was refused; a crash refuses too, is told as one, and counts where crashes do (RH-L10)."""
        crash = self.crashed(page)
        if not crash:
            return f"refused with {page.told}"
        self.crashes.append(crash)
        return f"not let in, but only because it crashed: {crash} (RH-L10 counts that)"

    @contextlib.contextmanager
    def answers(
        self, org: str, role: str, make: Callable[[Exchange], Response | None], among: Sequence[str] = ()
    ) -> Iterator[None]:
        """Let one endpoint of a hospital answer something else; ``among`` names more roles."""
        roles = (role, *among)
        with self.hospitals.twisted(
            instead=lambda exchange: (
                make(exchange) if exchange.organization.id == org and exchange.role in roles else None
            )
        ):
            yield

    @contextlib.contextmanager
    def edits(self, org: str, roles: Sequence[str], edit: Callable[[Exchange, dict[str, Any]], Any]) -> Iterator[None]:
        """Let the JSON answers of a hospital say something else: what ``edit`` returns, or made of what it changed."""

        def altered(exchange: Exchange, response: Response) -> Response:
            if exchange.organization.id != org or exchange.role not in roles or response.status_code != 200:
                return response
            try:
                document = json.loads(bytes(response.body))
            except ValueError:
                return response
            changed = edit(exchange, document)
            made = document if changed is None else changed
            if exchange.role in FHIR_CONTENT:
                return fhir_json(made)
            return plain_json(made, headers=_kept(response))

        with self.hospitals.twisted(altered=altered):
            yield


def _kept(response: Response) -> dict[str, str]:
    return {name: response.headers[name] for name in ("cache-control", "pragma") if name in response.headers}


def _fields(url: str, form: Mapping[str, str] | None) -> dict[str, str]:
    """Parameters of an address, and of a form that would be posted to it."""
    try:
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        pairs = []
    return {**dict(pairs), **(form or {})}


def filled(text: str, org: str, patient: str) -> str:
    """A template of the product's file with ``{org}`` and ``{patient}`` filled in."""
    return text.replace("{org}", org).replace("{patient}", patient)


def is_scripted(page: Page) -> bool:
    """Whether a script of a page may go on where a browser without scripts stops."""
    return page.stopped is None and page.status == 200 and "<script" in page.text.lower()


def is_search(exchange: Exchange) -> bool:
    """Whether a request is a search: of a type, and of no record by its id."""
    return exchange.role == "resource" and "/" not in exchange.path.removesuffix("/_search")


def query_of(url: str, fields: Mapping[str, str]) -> str:
    """An address with parameters added, encoded as a form is."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}" if fields else url
