"""A readable card of one observation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from interlock.cli.output import cell_text, console, make_table
from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.observation import CapabilityFacts, Check, Observation, SmartFacts
from interlock.model.sample import DataFacts, InputSample
from interlock.model.text import plain
from interlock.usecases.checks import auth_paths_of

_STYLES = {CheckOutcome.FAIL: "bold red", CheckOutcome.ERROR: "bold red", CheckOutcome.WARN: "yellow"}
_WRITES = ("create", "update", "patch", "delete")


_UNINTERESTING = "http://terminology.hl7.org/CodeSystem/"


def show_card(observation: Observation, name: str | None = None) -> None:
    """Print what one probe saw: facts first, then what is off, then what could not be looked at."""
    out = console()
    title = plain(name or observation.target.org or observation.target.base_url)
    state = words.OBSERVED[observation.outcome].phrase
    style = "green" if observation.outcome == "observed" else "yellow"
    out.print(Text.assemble((title, "bold"), "   ", (state, style), (f" in {observation.elapsed_ms:,.0f} ms", "dim")))
    if title != observation.target.base_url:
        out.print(Text(plain(observation.target.base_url), "dim"))
    out.print()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in _facts(observation):
        grid.add_row(label, cell_text(value))
    out.print(grid)
    if observation.facts.data is not None:
        out.print()
        show_sample(observation.facts.data)
    rows = [check for check in observation.checks if check.outcome in _STYLES]
    if rows:
        out.print()
        out.print(_checks(rows))
    for document, reason, number in _not_seen(observation):
        at = f" at {document}" if document else ""
        out.print(Text(f"{words.count(number, 'check')} could not look{at}: {plain(reason, 300)}", "dim"))
    out.print()


def _not_seen(observation: Observation) -> Iterator[tuple[str, str, int]]:
    """Why checks did not run: document, reason and count; a target that was not seen has said why already."""
    if observation.outcome == "not_observed":
        return
    reasons = Counter(
        (_document(observation, check), check.message.removeprefix("Not observed: "))
        for check in observation.checks
        if check.outcome is CheckOutcome.NOT_OBSERVED
    )
    for (document, reason), count in reasons.most_common(5):
        yield document, reason, count


def _document(observation: Observation, check: Check) -> str:
    """Where a check would have looked: relative to the base if it lies there, empty if it asks for none."""
    address = check.evidence[0].url.partition("?")[0] if check.evidence else ""
    base = observation.target.base_url.rstrip("/")
    return plain(address.removeprefix(base) if address.startswith(f"{base}/") else address, 100)


def _facts(observation: Observation) -> Iterator[tuple[str, str]]:
    reason = observation.reason_not_observed()
    if reason:
        yield "Why not", reason
    capability, smart = observation.facts.capability, observation.facts.smart
    if capability:
        yield from _capability(capability)
    elif observation.outcome != "not_observed":
        yield "Statement", "not observed"
    if smart:
        yield from _smart(smart)
        yield from _auth_paths(observation)
    elif observation.outcome != "not_observed":
        absent = any(c.id == "SMART-001" and c.outcome is CheckOutcome.FAIL for c in observation.checks)
        yield "SMART", "the server publishes no SMART configuration" if absent else "not observed"
    counts = {
        outcome: sum(check.outcome is outcome for check in observation.checks)
        for outcome in (CheckOutcome.PASS, *_STYLES, CheckOutcome.NOT_OBSERVED)
    }
    shown = [f"{number} {words.CHECK[outcome].phrase}" for outcome, number in counts.items() if number]
    if shown:
        yield "Checks", ", ".join(shown)
    if observation.proxies:
        yield "Proxy", f"asked through {words.listed([plain(proxy) for proxy in observation.proxies])}"
    size = sum(request.bytes for request in observation.requests)
    yield "Requests", f"{len(observation.requests)}, {size / 1024:,.0f} KB"


def _capability(facts: CapabilityFacts) -> Iterator[tuple[str, str]]:
    software = " ".join(plain(facts.software.get(key, ""), 80) for key in ("name", "version")).strip()
    parts = [f"{facts.fhir_release or 'unknown release'} ({facts.fhir_version or 'no version'})", software]
    if facts.date:
        parts.append(f"statement of {words.iso_day(facts.date)}")
    yield "FHIR", " · ".join(part for part in parts if part)
    searchable = sum("search-type" in resource.interactions for resource in facts.resources.values())
    writable = {
        name: [code for code in _WRITES if code in resource.interactions]
        for name, resource in facts.resources.items()
        if any(code in resource.interactions for code in _WRITES)
    }
    yield "Resources", f"{len(facts.resources)} types, {searchable} searchable, {len(writable)} writable"
    if writable:
        yield "Writes", words.listed([f"{plain(name, 100)} ({', '.join(codes)})" for name, codes in writable.items()])


def _smart(facts: SmartFacts) -> Iterator[tuple[str, str]]:
    if facts.source == "oauth-uris":
        yield "SMART", "only the statement's oauth-uris (SMART 1.0); no SMART configuration"
    if facts.client_types:
        yield "Clients", ", ".join(facts.client_types)
    if facts.capability_sets:
        yield "Sets", words.listed([plain(name, 100) for name in facts.capability_sets], 6)
    pkce = {True: "S256", False: "offered without S256", None: "undeclared"}[facts.pkce_s256]
    yield "PKCE", pkce
    if facts.scopes_supported is not None:
        kinds = [name for name, there in (("v1", facts.scopes_v1), ("v2", facts.scopes_v2)) if there]
        yield "Scopes", f"{len(facts.scopes_supported)} listed" + (f", {' and '.join(kinds)} syntax" if kinds else "")
    else:
        yield "Scopes", "none listed"
    if facts.token_endpoint:
        yield "Token", facts.token_endpoint


def _auth_paths(observation: Observation) -> Iterator[tuple[str, str]]:
    """The way in of each launch mode, and what the documents leave open of it."""
    for label, path in zip(("Way in", "", ""), auth_paths_of(observation), strict=True):
        yield label, path.summary()
        if path.open_questions:
            yield "", f"  to ask: {'; '.join(path.open_questions)}"


def _checks(checks: Iterable[Check]) -> Table:
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    order = list(_STYLES)
    for check in sorted(checks, key=lambda c: (order.index(c.outcome), c.severity.rank, c.id)):
        outcome = Text(words.CHECK[check.outcome].phrase.upper(), _STYLES[check.outcome])
        severity = Text(words.SEVERITY[check.severity].phrase, "dim")
        table.add_row(outcome, severity, Text(check.id), cell_text(check.message))
    return table


def show_sample(data: DataFacts) -> None:
    """Print a table of the contract's inputs: how many were seen, which required fields lack, which codes occur."""
    out = console()
    token = data.token
    if token is not None and token.outcome != "given":
        said = {"issued": "issued", "refused": "refused", "failed": "not issued", "not_sent": "not asked for"}
        why = f": {plain(token.reason, 300)}" if token.reason else ""
        out.print(Text(f"Token {said[token.outcome]}{why}" + (f" ({data.method})" if data.method != "none" else "")))
    if all(sample.outcome == "not_asked" for sample in data.inputs):
        return
    table = make_table(
        [
            ("Input", {"ratio": 2, "min_width": 24}),
            ("Seen", {"justify": "right", "no_wrap": True}),
            ("Required fields", {"ratio": 3}),
            ("Statuses and code systems", {"ratio": 4}),
        ]
    )
    for sample in data.inputs:
        count = str(sample.count) if sample.outcome == "sampled" else "–"
        table.add_row(*map(cell_text, (sample.name, count, _fields(sample), ", ".join(_codes(sample)))))
    out.print(table)


def _fields(sample: InputSample) -> str:
    if sample.outcome != "sampled":
        return sample.reason or sample.outcome.replace("_", " ")
    lacking = [f"{path} in {there} of {sample.count}" for path, there in sample.fields.items() if there < sample.count]
    fields = ", ".join(lacking) or ("all there" if sample.fields else "none asked for")
    return f"{fields}; {sample.reason}" if sample.reason else fields


def _codes(sample: InputSample) -> Iterator[str]:
    """Statuses, then the code systems that say something; FHIR's own are in the JSON."""
    yield from (f"{status} {count}" for status, count in sample.statuses.items())
    for system, count in sample.systems.items():
        if not system.startswith(_UNINTERESTING):
            yield f"{plain(system.partition('://')[2] or system, 80)} {count}"
