"""What a rehearsal lets users of the product do: post a form of its pages, and start work that runs without them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin

from interlock.model.product import Action, Trigger
from interlock.rehearse.browser import Browser, Page
from interlock.rehearse.hospitals import OutOfReachError
from interlock.rehearse.stage import Stage, Visit, filled, query_of

_POLL_SECONDS = 0.02


def act(stage: Stage, browser: Browser, action: Action, org: str, *pages: Page, patient: str = "p1") -> Page:
    """Do something as the user of a browser.

    :param pages: where the user may find the form for it, the first one first; its hidden fields are sent along.
    """
    url = stage.at(action.path, org, patient)
    hidden = next((fields for page in pages if (fields := hidden_fields(page, url)) is not None), {})
    form = hidden | {name: filled(value, org, patient) for name, value in action.form.items()}
    if action.method == "GET":
        return browser.open(query_of(url, form), until=stage.authorization_endpoints)
    return browser.open(url, method="POST", form=form, until=stage.authorization_endpoints)


def sign_out(stage: Stage, browser: Browser, visit: Visit) -> Page:
    """Sign out as the user of a browser does.

    :raises OutOfReachError: it was not taken, so nothing can be said of what is open after it.
    """
    leave = stage.product.sign_out
    assert leave is not None
    page = act(stage, browser, leave, visit.org, visit.page)
    if stage.crashed(page) or page.refused:
        raise OutOfReachError(f"signing out gave {page.told}")
    return page


def hidden_fields(page: Page, url: str) -> dict[str, str] | None:
    """The hidden fields of the form on a page that goes to an address; none where there is no such form."""
    if page.stopped is not None or "<form" not in page.text.lower():
        return None
    forms = _Forms(page.url)
    forms.feed(page.text)
    return next((fields for target, fields in forms.found if target.partition("?")[0] == url.partition("?")[0]), None)


class _Forms(HTMLParser):
    """Every form of a page: where it goes, and its hidden fields."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            try:
                self.found.append((urljoin(self.url, given.get("action", "")), {}))
            except ValueError:  # an action that is no address
                self.found.append(("", {}))
        elif tag == "input" and given.get("type", "").lower() == "hidden" and given.get("name") and self.found:
            self.found[-1][1][given["name"]] = given.get("value", "")


@dataclass
class Work:
    """Triggers at one hospital: the browser that is signed in there, where they are requests.

    :ivar visit: how it signed in; none where they are programs.
    """

    stage: Stage
    org: str
    trigger: Trigger
    browser: Browser | None = field(init=False, default=None)
    visit: Visit | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Sign in where that is needed."""
        if self.trigger.path is not None:
            self.browser = self.stage.browser()
            self.visit = self.stage.visit(self.org, browser=self.browser)

    def done(self, trigger: Trigger | None = None) -> tuple[bool, str]:
        """Set it going, or another trigger; whether it was taken, and what was told of it.

        :raises OutOfReachError: there is nobody who may run programs, or it is neither this nor that.
        :raises OutOfReachError: see :meth:`interlock.rehearse.hooks.Programs.run`.
        """
        trigger = trigger or self.trigger
        if trigger.command is not None:
            if self.stage.programs is None:
                raise OutOfReachError("programs of product.yaml are not run here")
            status, output = self.stage.programs.run(trigger.command, org=self.org)
            return status == 0, " ".join(output.split())[:2_000]
        browser = self.browser or self.stage.browser()
        action = Action(path=trigger.path or "/", method=trigger.method, form=trigger.form)
        page = act(self.stage, browser, action, self.org, *([self.visit.page] if self.visit else []))
        text = " ".join(unescape(re.sub(r"<[^>]*>", " ", page.text)).split())
        return page.stopped is None and page.status < 400, f"{page.told}: {text[:2_000]}"


def waited(fact: Callable[[], bool], seconds: float) -> bool:
    """Whether a fact comes true within some seconds."""
    until = time.monotonic() + seconds
    while not (seen := fact()) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    return seen
