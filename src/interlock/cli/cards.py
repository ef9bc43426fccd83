"""What probes saw: a card of one observation, a table of several, and what changed since the last ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.table import Table
from rich.text import Text

from interlock.cli.output import console, make_grid, say, show_heading, show_paragraph, show_table
from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.card import CardLine
from interlock.model.card_making import card_of
from interlock.model.drift import ChangeRank, Drift
from interlock.model.facts import CapabilityFacts, SmartFacts
from interlock.model.observation import Check, Observation
from interlock.model.sample import DataFacts, InputSample
from interlock.model.text import plain
from interlock.usecases.checks import auth_paths_of

_STYLES = {CheckOutcome.FAIL: "bold red", CheckOutcome.ERROR: "bold red", CheckOutcome.WARN: "yellow"}
_WRITES = ("create", "update", "patch", "delete")
_UNINTERESTING = "http://terminology.hl7.org/CodeSystem/"
#: Changes that a table shows; JSON has all.
SHOWN = 40
_RANK_STYLES: dict[ChangeRank, str] = {"contract_broken": "bold red", "contract_changed": "yellow", "removed": ""}


def show_observations(observations: Sequence[Observation], *, details: bool = False) -> None:
    """One card, or a table when there are several."""
    if len(observations) == 1:
        show_card(observations[0], name=observations[0].target.name, details=details)
        return
    right = {"justify": "right", "no_wrap": True}
    show_table(
        [
            ("Target", {"ratio": 2, "min_width": 18}),
            ("FHIR", {"no_wrap": True}),
            ("Fail", right),
            ("Warn", right),
            ("Stands out", {"ratio": 3}),
        ],
        map(_row, observations),
    )
    if any(observation.target.org for observation in observations):
        say("One of them: interlock observe ORG")


def _row(observation: Observation) -> tuple[str, ...]:
    capability, smart = observation.facts.capability, observation.facts.smart
    failed = [check for check in observation.checks if check.outcome is CheckOutcome.FAIL]
    warned = [check for check in observation.checks if check.outcome is CheckOutcome.WARN]
    first = min(failed, key=lambda check: check.severity.rank, default=None)
    reason = observation.reason_not_observed()
    said = (
        f"{words.OBSERVED['not_observed'].phrase}: {reason}"
        if reason
        else (f"{first.id} {first.message}" if first else "")
    )
    if observation.outcome == "partial":
        partly = words.OBSERVED["partial"].phrase
        said = f"{partly}; {said}" if said else partly
    return (
        observation.target.org or observation.target.base_url.partition("://")[2],
        (capability.fhir_release or capability.fhir_version or "?") if capability else "",
        str(len(failed)) if capability or smart else "",
        str(len(warned)) if capability or smart else "",
        said,
    )


def show_card(observation: Observation, name: str | None = None, *, details: bool = False) -> None:
    """Print what one probe saw: what to do first, what blocks, what to ask, what could not be seen; then facts.

    :param details: every fact, finding and reason for not having looked, not only the line of each kind.
    """
    out = console()
    title = plain(name or observation.target.org or observation.target.base_url)
    state = words.OBSERVED[observation.outcome].phrase
    style = "green" if observation.outcome == "observed" else "yellow"
    out.print(Text.assemble((title, "bold"), "   ", (state, style), (f" {_read(observation)}", "dim")))
    if title != observation.target.base_url:
        out.print(Text(plain(observation.target.base_url), "dim"))
    if told := observation.origin_told:
        show_paragraph(told, "From: ", "dim")
    card = card_of(observation)
    out.print()
    show_paragraph(card.first, "First: ", "bold")
    if card.built:
        show_paragraph(card.built, "       ")
    nothing = "Not known." if observation.outcome == "not_observed" else "Nothing that was seen."
    blocks = [line.but(do="") if line.do in card.first else line for line in card.blocks]
    _show_lines("Blocks you", blocks, "✗ ", nothing)
    if card.compared:
        show_paragraph(card.compared, "  ", "dim")
    _show_lines(
        "Ask them", card.ask, "1. ", "Nothing.", also="" if not card.ask else "to paste into a mail: --format mail"
    )
    _show_lines("Could not see", card.unseen, "○ ", "Nothing that a probe looks at.", also="→ what would show it")
    facts = list(_facts(observation))
    if not details:
        modes = " · ".join(path.brief() for path in auth_paths_of(observation))
        brief = {"Way in": f"by their documents, not tried: {modes}", "Checks": _tally(observation)}
        facts = [(label, brief.get(label, value)) for label, value in facts if label in _FOLDED]
        if observation.outcome == "not_observed":  # what passes without a document says nothing to a reader
            facts = [(label, value) for label, value in facts if label != "Checks"]
    out.print()
    if facts:
        show_heading("What was seen")
        out.print(make_grid(facts))
    if observation.facts.data is not None:
        out.print()
        _show_sample(observation.facts.data)
    if not details:
        out.print(Text("All findings and facts: --details", "dim"))
        out.print()
        return
    if checks := [check for check in observation.checks if check.outcome in _STYLES]:
        out.print()
        out.print(_checks(checks))
    for document, reason, number in _not_seen(observation):
        at = f" at {document}" if document else ""
        out.print(Text(f"{words.count(number, 'check')} could not look{at}: {plain(reason, 300)}", "dim"))
    out.print()


#: The facts of the inventory that stand on a card without ``--details``.
_FOLDED = frozenset({"FHIR", "Software", "US Core", "Resources", "SMART", "Way in", "Checks", "Proxy", "Strictly"})


def _read(observation: Observation) -> str:
    """``on 30 Nov 2026, 2 of 2 documents read``: the statement and the SMART configuration."""
    smart = observation.facts.smart
    read = (observation.facts.capability is not None) + (smart is not None and smart.source == "well-known")
    return f"on {words.day(observation.started.date())}, {read} of 2 documents read"


def _tally(observation: Observation) -> str:
    """Number of checks by outcome; what became of each that found something stands on the card."""
    numbers = Counter(check.outcome for check in observation.checks)
    parts = (
        (numbers[CheckOutcome.PASS], "pass"),
        (numbers[CheckOutcome.FAIL] + numbers[CheckOutcome.WARN], "found something"),
        (numbers[CheckOutcome.ERROR], "went wrong here"),
        (numbers[CheckOutcome.NOT_OBSERVED], "could not be judged by what was seen"),
    )
    return ", ".join(f"{number} {label}" for number, label in parts if number)


def _show_lines(heading: str, lines: Sequence[CardLine], mark: str, none: str, also: str = "") -> None:
    """Print one part of a card: each line behind its mark or number, and below it what to do."""
    out = console()
    out.print()
    out.print(Text.assemble((heading, "bold"), (f"   {also}" if also and lines else "", "dim")))
    for number, line in enumerate(lines, 1):
        sign = f"{number}. " if mark == "1. " else mark
        together = f"{line.text} → {line.do}"
        if line.do and len(sign) + 2 + len(together) < out.width:
            show_paragraph(together, f"  {sign}")
            continue
        show_paragraph(line.text, f"  {sign}")
        if line.do:
            show_paragraph(f"→ {line.do}", " " * (len(sign) + 2), "dim")
    if not lines:
        out.print(Text(f"  {none}", "dim"))


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
        if observation.facts.us_core is not None:
            yield "US Core", observation.facts.us_core.summary()
        if observation.facts.certification is not None:
            yield "(g)(10)", observation.facts.certification.summary()
    elif observation.outcome != "not_observed":
        yield "Statement", "not observed"
    if smart:
        yield from _smart(smart)
        yield from _auth_paths(observation)
    elif observation.outcome != "not_observed":
        absent = "the server publishes no SMART configuration"
        yield "SMART", absent if observation.smart_absent else "not observed"
    counts = {
        outcome: sum(check.outcome is outcome for check in observation.checks)
        for outcome in (CheckOutcome.PASS, *_STYLES, CheckOutcome.NOT_OBSERVED)
    }
    shown = [f"{number} {words.CHECK[outcome].phrase}" for outcome, number in counts.items() if number]
    if shown:
        yield "Checks", ", ".join(shown)
    for check in observation.checks:
        if check.id == "CAP-047" and check.outcome is CheckOutcome.PASS:
            yield "Strictly", plain(check.message)
    if observation.proxies:
        yield "Proxy", f"asked through {words.listed([plain(proxy) for proxy in observation.proxies])}"
    size = sum(request.bytes for request in observation.requests)
    yield "Requests", f"{len(observation.requests)}, {size / 1024:,.0f} KB"


def _capability(facts: CapabilityFacts) -> Iterator[tuple[str, str]]:
    parts = [f"{facts.fhir_release or 'unknown release'} ({facts.fhir_version or 'no version'})"]
    if facts.date:
        parts.append(f"statement of {words.iso_day(facts.date)}")
    yield "FHIR", " · ".join(parts)
    if name := plain(facts.software.get("name", ""), 80):
        version = plain(facts.software.get("version", ""), 80)
        yield "Software", f"“{name}”, {f'version {version}' if version else 'no version'}"
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
    order = list(_STYLES)
    rows = [
        (
            Text(words.CHECK[check.outcome].phrase.upper(), _STYLES[check.outcome]),
            words.SEVERITY[check.severity].phrase,
            check.id,
            check.message,
        )
        for check in sorted(checks, key=lambda c: (order.index(c.outcome), c.severity.rank, c.id))
    ]
    return make_grid(rows, [{}, {"style": "dim"}, {}])


def _show_sample(data: DataFacts) -> None:
    """Print a table of the contract's inputs: how many were seen, which required fields lack, which codes occur."""
    token = data.token
    if token is not None and token.outcome != "given":
        said = {"issued": "issued", "refused": "refused", "failed": "not issued", "not_sent": "not asked for"}
        why = f": {plain(token.reason, 300)}" if token.reason else ""
        console().print(
            Text(f"Token {said[token.outcome]}{why}" + (f" ({data.method})" if data.method != "none" else ""))
        )
    if all(sample.outcome == "not_asked" for sample in data.inputs):
        return
    show_table(
        [
            ("Input", {"ratio": 2, "min_width": 24}),
            ("Seen", {"justify": "right", "no_wrap": True}),
            ("Required fields", {"ratio": 3}),
            ("Statuses and code systems", {"ratio": 4}),
        ],
        [
            (
                sample.name,
                _seen(sample),
                _fields(sample),
                ", ".join(_codes(sample)),
            )
            for sample in data.inputs
        ],
    )


def _seen(sample: InputSample) -> str:
    """How many resources are what was asked for, of how many that came when others came too."""
    if sample.outcome != "sampled":
        return "–"
    return f"{sample.count} of {sample.seen}" if sample.others or sample.unnamed else str(sample.count)


def _fields(sample: InputSample) -> str:
    if sample.outcome != "sampled":
        return sample.reason or sample.outcome.replace("_", " ")
    lacking = [f"{path} in {there} of {sample.valid}" for path, there in sample.fields.items() if there < sample.valid]
    fields = ", ".join(lacking) or ("all there" if sample.fields else "none asked for")
    return f"{fields}; {sample.reason}" if sample.reason else fields


def _codes(sample: InputSample) -> Iterator[str]:
    """Statuses, then the code systems that say something; FHIR's own are in the JSON."""
    yield from (f"{status} {count}" for status, count in sample.statuses.items())
    for system, count in sample.systems.items():
        if not system.startswith(_UNINTERESTING):
            yield f"{plain(system.partition('://')[2] or system, 80)} {count}"


def show_drifts(drifts: Mapping[str, Drift], *, table: bool, ranked: bool) -> None:
    """One line for each organisation at which something changed; with ``ranked``, its changes too.

    In a table's output they follow it on stdout; otherwise they go to stderr, for stdout holds data.
    """
    changed = [drift for drift in drifts.values() if drift.changes]
    out = console(stderr=not table)
    for drift in changed:
        out.print(Text(summary(drift)))
        if ranked:
            removed = [change for change in drift.changes if change.rank == "removed"]
            for change in [*drift.concerns_contract, *removed][:SHOWN]:
                rank = words.DRIFT[change.rank].phrase
                out.print(Text(f"  {rank}: {plain(change.summary(), 300)}", _RANK_STYLES.get(change.rank, "")))
    if changed and not ranked:
        say(f"What changed: interlock diff --org {changed[0].org}")


def summary(drift: Drift) -> str:
    """``riverside: 3 changes since 22 Nov 2026, 12:00 UTC, 1 of what the contract uses``."""
    used = len(drift.concerns_contract)
    changes = words.count(len(drift.changes), "change")
    concerns = f", {used} of what the contract uses" if used else ", none of what the contract uses"
    tail = concerns if drift.ranked_by else ""
    return f"{plain(drift.org or drift.base_url, 60)}: {changes} since {words.moment(drift.before)}{tail}"


def show_drift(drift: Drift) -> None:
    """Print one comparison: what changed, the most important first, then what was not compared."""
    out = console()
    out.print(f"{plain(drift.org or drift.base_url, 80)}: {words.moment(drift.before)} → {words.moment(drift.after)}")
    if not drift.changes:
        out.print("Nothing changed.")
    else:
        show_table(
            [("Rank", {"no_wrap": True}), ("What", {"ratio": 3}), ("Used by", {"ratio": 2})],
            [
                (
                    Text(words.DRIFT[change.rank].phrase, _RANK_STYLES.get(change.rank, "")),
                    change.summary(),
                    change.uses,
                )
                for change in drift.changes[:SHOWN]
            ],
        )
        if len(drift.changes) > SHOWN:
            say(f"The first {SHOWN} of {len(drift.changes)} are shown; --format json has all.")
    for note in drift.not_compared[:10]:
        say(f"Not compared: {plain(note, 200)}")
    if drift.ranked_by is None:
        say("There is no contract here, so the changes are not ranked by what it uses.")
