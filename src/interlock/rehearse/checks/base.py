"""The register of checks that are built, and what several of them share.

A check is a function of the stage that says what it saw, in one row or several. It obeys five rules. It looks for
canaries, not for words of one application. Its verdict hangs on the thing (this code at that endpoint), not on a count.
It compares, and its precondition comes first. It waits for a fact, within a bound. Hospitals that are played politely
are right.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from interlock.rehearse.browser import Browser, Page
from interlock.rehearse.hospitals import Asked
from interlock.rehearse.pages import visible_text
from interlock.rehearse.stage import NOT_REACHED, Row, Stage, Visit, judged
from interlock.sandbox.exchange import Exchange

Look = Callable[[Stage], Row | Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Built:
    """A check that is built.

    :ivar two: it needs two hospitals that the product knows.
    :ivar polite: it only reads what the polite sign-ins asked, so it says something even where those failed.
    :ivar scripts: it needs a browser with scripts.
    """

    id: str
    look: Look
    two: bool = False
    polite: bool = False
    scripts: bool = False


#: Every check that is built, by its id.
BUILT: dict[str, Built] = {}


def check(number: str, *, two: bool = False, polite: bool = False, scripts: bool = False) -> Callable[[Look], Look]:
    """Register a check by letter and number."""

    def register(look: Look) -> Look:
        BUILT[f"RH-{number}"] = Built(f"RH-{number}", look, two, polite, scripts)
        return look

    return register


def shows_own(stage: Stage, visit: Visit) -> bool:
    """Whether a sign-in ended on a page that shows its own patient."""
    return f"{visit.org} {visit.patient}" in stage.shown(visit.page, [visit.org])


def changed_tab(stage: Stage, browser: Browser, first: Visit, second: Visit, again: Page) -> str:
    """What is wrong with the page of a first sign-in, loaded again after a second one; empty when nothing is.

    The first patient is right, and so is a page that shows nobody. The second patient is right only where both have
    one page and this one says something that the second tab does not: that it changed, we hope; no reader is told by
    a page that is the same to the letter. What differs from one load to the next by chance says nothing: the page is
    loaded thrice more, and only where these agree does a difference count.
    """
    was, now = (f"{visit.org} {visit.patient}" for visit in (first, second))
    shown = stage.shown(again)
    if now not in shown:
        return ""
    told = False
    if again.url == second.page.url and was not in shown:
        loads = [visible_text(browser.open(again.url)).split() for _ in range(3)]
        told = any(_apart(visible_text(page).split(), *loads) for page in (again, second.page))
    return (
        "" if told else f"the tab that was opened for {was} shows {now} when it is loaded again, and says nothing of it"
    )


def _apart(words: list[str], later: list[str], *others: list[str]) -> bool:
    """Whether words differ from later loads of the same page where these agree."""
    loose = [change for other in others for change in _changes(later, other)]
    return any(all(end < begins or start > ends for begins, ends in loose) for start, end in _changes(later, words))


def _changes(before: list[str], after: list[str]) -> list[tuple[int, int]]:
    """The places in ``before`` at which ``after`` says something else."""
    matched = SequenceMatcher(None, before, after, autojunk=False)
    return [(start, end) for kind, start, end, _, _ in matched.get_opcodes() if kind != "equal"]


#: What a sign-in has to have come to before anything can be said, and what is said where it has not.
_MISSING = {
    "authorize": "there was no authorization request",
    "token": "there was no token request",
    "resource": "nothing was read",
}


def lacking(visit: Visit, needs: str) -> Row | None:
    """The row of a sign-in that never came so far, for want of what a check looks at; none where it did."""
    came = visit.authorization if needs == "authorize" else visit.of(needs)
    return None if came else not_reached(f"{_MISSING[needs]}: it ended with {visit.page.told}", org=visit.org)


def each(
    stage: Stage,
    problem_of: Callable[[Visit], tuple[str, Iterable[Asked]]],
    well: str,
    *,
    needs: str = "authorize",
) -> list[Row]:
    """A row for each polite sign-in: it broke where there is a problem, and says nothing where it never came so far."""
    rows = []
    for org, visit in stage.visits.items():
        row = lacking(visit, needs)
        if row is None:
            problem, asked = problem_of(visit)
            row = judged(problem, well, asked, org=org)
        rows.append(row)
    return rows


def edit_token(stage: Stage, org: str, **changed: Any) -> Any:
    """Let the token endpoint's answers say something else; none takes a member away. As a context.

    Another ``scope`` is also what the token is good for: the hospital answers 403 to a read beyond it.
    """

    def edit(exchange: Exchange, document: dict[str, Any]) -> dict[str, Any]:
        if "access_token" not in document:
            return document
        grant = exchange.trace.grant
        if "scope" in changed and grant is not None:
            less = replace(grant, scopes=tuple(changed["scope"].split()))
            exchange.state.ledger.add_token(less, document["access_token"])
            exchange.note(f"of these scopes {changed['scope']} alone were granted in the end")
        merged = {**document, **changed}
        return {name: value for name, value in merged.items() if value is not None}

    return stage.edits(org, ("token",), edit)


#: Where a CapabilityStatement has what the SMART configuration calls so, by the names of the extension oauth-uris.
_OAUTH_URIS = {"authorize": "authorization_endpoint", "token": "token_endpoint"}


@contextmanager
def edited_discovery(
    stage: Stage, org: str, edit: Callable[[dict[str, Any]], dict[str, Any]]
) -> Iterator[Callable[[], bool]]:
    """Let a hospital's discovery documents say something else; gives whether the application has asked for one.

    Those are its SMART and OpenID documents; to an application that never asks for these, its CapabilityStatement,
    as far as the extension oauth-uris says the same.
    """
    since, read = stage.hospitals.now(), set[str]()
    older = not any(request.role in ("smart", "openid") for request in stage.hospitals.asked(org=org))

    def edited(exchange: Exchange, document: dict[str, Any]) -> dict[str, Any]:
        if exchange.role != "metadata":
            return edit(document)
        uris = {_OAUTH_URIS[uri["url"]]: uri for uri in _oauth_uris(document)} if older else {}
        changed = edit({name: uri["valueUri"] for name, uri in uris.items()}) if uris else {}
        for name, uri in uris.items():
            if changed.get(name) != uri["valueUri"]:
                uri["valueUri"] = changed.get(name)
                read.add("metadata")
        return document

    def asked() -> bool:
        roles = {"smart", "openid", *read}
        return any(request.role in roles for request in stage.hospitals.asked(since, org=org))

    with stage.edits(org, ("smart", "openid", "metadata"), edited):
        yield asked


def _oauth_uris(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        uri
        for rest in metadata.get("rest", [])
        for extension in rest.get("security", {}).get("extension", [])
        for uri in extension.get("extension", [])
        if uri.get("url") in _OAUTH_URIS
    ]


#: What is said where a sign-in ended on another page than that of its patient.
NOT_SHOWN = "the sign-in did not show its patient"
#: What is said of a check of TLS where there is none.
NO_TLS = "the simulated hospitals speak http; with tls: true in product.yaml they speak https"
#: What is said of a check that changes discovery, where the application never looked.
NOT_ASKED = "in this sign-in the application did not ask for what was changed, so what it would do is not known"


def bits(values: Sequence[str]) -> float:
    """How many bits values have at most, by the alphabet of the places where they differ from each other.

    A place that is the same in all of them counts for nothing; so a prefix, a dash or a constant adds nothing.
    """
    if len(values) < 2:
        return 0.0
    width = min(map(len, values))
    varying = [position for position in range(width) if len({value[position] for value in values}) > 1]
    letters = {value[position] for value in values for position in varying}
    return len(varying) * math.log2(_alphabet(letters)) if varying else 0.0


def _alphabet(letters: set[str]) -> int:
    for size, known in ((10, "0123456789"), (16, "0123456789abcdef"), (16, "0123456789ABCDEF")):
        if letters <= set(known):
            return size
    return 64 if all(letter.isalnum() or letter in "-_+/=.~" for letter in letters) else max(2, len(letters))


def claims_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT without looking at its signature; empty for anything else."""
    parts = []
    for text in token.split(".")[:2]:
        try:
            part = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except ValueError:
            part = None
        parts.append(part if isinstance(part, dict) else {})
    return (parts[0], parts[1]) if len(parts) == 2 else ({}, {})


def not_reached(reason: str, org: str | None = None, subject: str | None = None) -> Row:
    """A row that says nothing, because what it builds on did not happen."""
    return Row(NOT_REACHED, reason, org=org, subject=subject)
