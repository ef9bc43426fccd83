"""What one probe saw, drawn on a page: what to do first, what blocks, what to ask, what could not be seen; then all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from textual.content import Content

from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.card import Card
from interlock.model.card_making import card_of
from interlock.model.contract import ContractFit
from interlock.model.facts import CapabilityFacts, SmartFacts, TlsFacts
from interlock.model.observation import Check, Observation
from interlock.model.text import plain
from interlock.tui.page import ACCENT, AUTH_PATH, CHECK, DIM, FIT, OBSERVED, OK, SETTING, WARN, Page, line, mark, text

_WRITES = ("create", "update", "patch", "delete")


def draw_observation(page: Page, observation: Observation | None, address: str | None) -> None:
    """Facts and checks; says plainly when nothing was observed, and why."""
    if observation is None:
        sign = OBSERVED["never_probed"]
        page.field("Seen", mark(sign))
        page.field("Address", address or "no FHIR base URL yet", style="" if address else WARN)
        page.blank()
        page.para(
            "Until it is probed, what this organisation publishes is unknown: no gap is concluded from that.", DIM
        )
        return
    sign = OBSERVED[observation.outcome]
    asked = f"  {words.moment(observation.started)}, {observation.elapsed_ms:,.0f} ms"
    page.field("Seen", line((sign.glyph, sign.style), f" {sign.word}", (asked, DIM)))
    page.field("Address", address or observation.target.base_url)
    if address and address != observation.target.base_url and not address.startswith("sandbox://"):
        page.field("Probed", f"{observation.target.base_url} (the address has changed since)", style=WARN)
    if told := observation.origin_told:
        page.field("From", told)
    if observation.proxies:
        page.field("Proxy", f"asked through the proxy {words.listed(observation.proxies)}")
    reason = observation.reason_not_observed()
    if reason:
        page.field("Why not", reason, style=WARN)
        page.blank()
        page.para(
            "Nothing was observed, so nothing is held against the organisation: what it publishes is unknown.", DIM
        )
    draw_card(page, card_of(observation))
    draw_facts(page, observation)
    draw_checks(page, observation.checks)


def draw_card(page: Page, card: Card) -> None:
    """What to do first, what blocks, what to ask them, and what could not be seen with what would show it."""
    page.blank()
    page.para(f"First: {card.first}", ACCENT)
    if card.built:
        page.para(card.built)
    unseen, blocked = CHECK[CheckOutcome.NOT_OBSERVED], CHECK[CheckOutcome.FAIL]
    for title, lines, sign in (
        ("Blocks you", card.blocks, blocked),
        ("Ask them", card.ask, None),
        ("Could not see", card.unseen, unseen),
    ):
        if not lines:
            continue
        page.heading(title)
        for number, each in enumerate(lines, 1):
            glyph = text(sign.glyph, sign.style) if sign else text(f"{number}.")
            page.bullet(glyph, plain(each.text, 900), (f"  → {each.do}" if each.do else "", DIM))


def draw_facts(page: Page, observation: Observation) -> None:
    """FHIR statement, SMART configuration, requests."""
    if observation.outcome == "not_observed":
        return
    page.heading("What it publishes")
    capability, smart = observation.facts.capability, observation.facts.smart
    if capability is None:
        page.field("Statement", "not observed", style=DIM)
    else:
        _capability(page, capability)
    if smart is not None:
        _smart(page, smart)
    else:
        absent = any(c.id == "SMART-001" and c.outcome is CheckOutcome.FAIL for c in observation.checks)
        page.field("SMART", "the server publishes no SMART configuration" if absent else "not observed", style=DIM)
    if observation.facts.tls is not None:
        _tls(page, observation.facts.tls)
    size = sum(request.bytes for request in observation.requests)
    page.field("Requests", f"{len(observation.requests)}, {size / 1024:,.0f} KB", style=DIM)
    if smart is not None:
        _ways_in(page, observation)


def _capability(page: Page, facts: CapabilityFacts) -> None:
    software = " ".join(plain(facts.software.get(key, ""), 80) for key in ("name", "version")).strip()
    release = f"{facts.fhir_release or 'unknown release'} ({facts.fhir_version or 'no version'})"
    dated = f"statement of {words.iso_day(facts.date)}" if facts.date else ""
    page.field("FHIR", " · ".join(part for part in (release, software, dated) if part))
    searchable = sum("search-type" in resource.interactions for resource in facts.resources.values())
    writable = {
        name: [code for code in _WRITES if code in resource.interactions]
        for name, resource in facts.resources.items()
        if any(code in resource.interactions for code in _WRITES)
    }
    page.field("Resources", f"{len(facts.resources)} types, {searchable} searchable, {len(writable)} writable")
    if writable:
        page.field("Writes", _some([f"{name} ({', '.join(codes)})" for name, codes in writable.items()], 8))


def _smart(page: Page, facts: SmartFacts) -> None:
    if facts.source == "oauth-uris":
        page.field("SMART", "only the statement's oauth-uris (SMART 1.0); no SMART configuration")
    if facts.launch_modes or facts.capabilities is not None:
        page.field("Launch", ", ".join(facts.launch_modes) or "none declared")
    if facts.client_types:
        page.field("Clients", ", ".join(facts.client_types))
    if facts.capability_sets:
        page.field("Sets", _some(facts.capability_sets, 6))
    page.field("PKCE", {True: "S256", False: "offered without S256", None: "undeclared"}[facts.pkce_s256])
    if facts.scopes_supported is None:
        page.field("Scopes", "none listed")
    else:
        kinds = [name for name, listed in (("v1", facts.scopes_v1), ("v2", facts.scopes_v2)) if listed]
        syntax = f", {words.listed(kinds)} syntax" if kinds else ""
        page.field("Scopes", f"{len(facts.scopes_supported)} listed{syntax}")
    if facts.token_endpoint:
        page.field("Token", facts.token_endpoint)


def _ways_in(page: Page, observation: Observation) -> None:
    """The auth path of each launch mode, as far as the documents show it, and what to ask about it."""
    from interlock.usecases.checks import auth_paths_of

    page.heading("Ways in", "by launch mode")
    for path in auth_paths_of(observation):
        mode, _, rest = path.summary().partition(": ")
        sign = AUTH_PATH[path.state]
        page.bullet(text(sign.glyph, sign.style), (f"{mode}: ", "bold"), rest)
        if path.open_questions:
            page.bullet(" ", ("to ask: ", ACCENT), ("; ".join(path.open_questions), DIM))


def _tls(page: Page, facts: TlsFacts) -> None:
    accepted = {True: "certificate accepted", False: "certificate not accepted", None: "certificate not looked at"}
    parts = [accepted[facts.verified], facts.negotiated or ""]
    page.field(
        "TLS",
        ", ".join(part for part in parts if part),
        style=WARN if facts.verified is False else "",
    )
    if facts.verified is False:
        page.field("", " ".join(part for part in (facts.message or facts.error, facts.cause_note) if part), style=WARN)
    leaf = facts.leaf
    if leaf is not None:
        left = f"{words.count(leaf.days_left, 'day')} left" if leaf.days_left >= 0 else "expired"
        page.field(
            "Certificate",
            line(
                f"{leaf.subject}, until {words.iso_day(leaf.not_after)} ",
                (f"({left})", WARN if leaf.ends_soon else DIM),
                (f"  {leaf.key}, by {leaf.issuer}{', self-signed' if leaf.self_signed else ''}", DIM),
            ),
        )
    offered = [version for version, offer in facts.versions.items() if offer == "offered"]
    if offered:
        page.field("Versions", ", ".join(offered))


def draw_fit(page: Page, fit: ContractFit | None) -> None:
    """The workflow contract against one organisation: what is missing first."""
    page.heading("Contract fit")
    if fit is None:
        page.para("There is no workflow contract yet.", DIM)
        return
    if not fit.observed:
        page.para("Its statement was not observed: the fit is not known, and nothing counts as missing.", DIM)
        return
    supported = sum(match.outcome == "supported" for match in fit.matches)
    page.line(f"{supported} of {words.count(len(fit.matches), 'need')} {FIT['supported'].word}")
    groups: dict[tuple[str, str, bool, str], list[str]] = {}
    for match in sorted(fit.matches, key=lambda match: list(FIT).index(match.outcome)):
        if match.outcome != "supported":
            key = (match.outcome, match.resource or match.kind, match.optional, match.note or "")
            groups.setdefault(key, []).append("itself" if match.name == match.resource else match.name)
    for (outcome, where, optional, note), names in groups.items():
        sign = FIT[outcome]
        page.bullet(
            Content.assemble((sign.glyph, sign.style)),
            (where.replace("_", " "), "bold"),
            (f"  {sign.word}{' (optional)' if optional else ''}: ", DIM),
            _some(names, 12),
            (f"  {note}" if note else "", DIM),
        )
    if supported == len(fit.matches):
        page.bullet(Content.assemble(("✓", OK)), "Everything that the contract needs is declared.")


def draw_settings(page: Page, fit: ContractFit | None) -> None:
    """The contract's settings at one organisation with their values, what is missing or wrong first."""
    if fit is None or not fit.settings:
        return
    needed = [match for match in fit.settings if match.needed]
    own = sum(match.outcome == "own" for match in needed)
    page.heading("Settings", f"{own} of {len(needed)} set here")
    for match in sorted(fit.settings, key=lambda match: list(SETTING).index(match.outcome)):
        sign, quiet = SETTING[match.outcome], match.outcome in {"own", "default"}
        default = f"default {match.default}" if match.default else ""
        said = (match.value if quiet else match.note) or default
        page.bullet(
            Content.assemble((sign.glyph, sign.style)),
            (match.name, "" if quiet else "bold"),
            (f"  {said}" if quiet else f"  {sign.word}  {said}", DIM),
        )


def _some(names: Iterable[str], limit: int) -> str:
    return words.listed([plain(name, 100) for name in names], limit)


_OFF = (CheckOutcome.FAIL, CheckOutcome.ERROR, CheckOutcome.WARN)
#: Reasons for not having looked that are told.
_REASONS = 5


def draw_checks(page: Page, checks: Iterable[Check]) -> None:
    """Checks that are off, the worst first, with their messages; then the families; then what could not be seen."""
    checks = tuple(checks)
    if not checks:
        return
    page.heading("Checks", words.count(len(checks), "check"))
    off = sorted((c for c in checks if c.outcome in _OFF), key=lambda c: (_OFF.index(c.outcome), c.severity.rank, c.id))
    for check in off:
        sign = CHECK[check.outcome]
        page.bullet(
            text(sign.glyph, sign.style),
            (f"{check.id} ", "bold"),
            (f"{sign.word}, {words.SEVERITY[check.severity].phrase}  ", DIM),
            check.message,
        )
    if not off and any(check.outcome is CheckOutcome.PASS for check in checks):
        page.line(("Nothing is off.", DIM))
    _families(page, checks)
    _unseen(page, checks)


def _families(page: Page, checks: tuple[Check, ...]) -> None:
    """One line for each family of checks, with how many ended in which way."""
    families: dict[str, Counter[CheckOutcome]] = {}
    for check in checks:
        families.setdefault(check.id.partition("-")[0], Counter())[check.outcome] += 1
    total = sum(families.values(), Counter[CheckOutcome]())
    page.blank()
    page.columns(
        [*((text(name), _counts(outcomes)) for name, outcomes in families.items()), (text("all"), _counts(total))]
    )


def _counts(outcomes: Counter[CheckOutcome]) -> Content:
    return Content("   ").join(
        line((sign.glyph, sign.style), f" {outcomes[outcome]} {sign.word}")
        for outcome, sign in CHECK.items()
        if outcomes[outcome]
    )


def _unseen(page: Page, checks: tuple[Check, ...]) -> None:
    """Why checks could not look, each reason once; a target of which nothing was seen has said why already."""
    unseen = [check.message for check in checks if check.outcome is CheckOutcome.NOT_OBSERVED]
    if not unseen or not any(check.outcome in {CheckOutcome.PASS, *_OFF} for check in checks):
        return
    page.blank()
    sign = CHECK[CheckOutcome.NOT_OBSERVED]
    for message, number in Counter(message.removeprefix("Not observed: ") for message in unseen).most_common(_REASONS):
        page.bullet(text(sign.glyph, sign.style), (f"{words.count(number, 'check')} could not look: {message}", DIM))
