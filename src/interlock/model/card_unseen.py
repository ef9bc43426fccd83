"""What one look could not see, each with what would show it: our own side first, then theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.card import CardLine
from interlock.model.card_fit import NEEDS, UNWRITTEN
from interlock.model.card_values import deeper_base, values_of
from interlock.model.observation import Check, Observation
from interlock.model.text import plain

#: A reason for not having looked that a question asks about anyway, or that no look would answer.
_NOT_FOR_LOOKING = re.compile(
    r"(is|are) not (listed|declared)\b|named without an edition|whether the server is certified"
)
#: What the checks of a family read.
_DOCUMENTS = {
    "CAP": "the capability statement",
    "BULK": "the capability statement",
    "SMART": "the SMART configuration",
    "OIDC": "the OpenID configuration",
    "JWKS": "the server's keys",
    "UDAP": "the UDAP metadata",
    "USC": "the capability statement",
    "BRAND": "the brands",
}
#: Checks that wait for an option: which, what they would show, and what lets them look; ``{probe}`` is the command.
_OPTIONS = (
    (
        "CAP-050",
        UNWRITTEN,
        "whether it has what your product needs",
        "a contract.yaml and --org ID (interlock init)",
    ),
    (
        "NEG-001",
        "--active",
        "whether it refuses requests without a token",
        "{probe} --active (sends requests that ought to be refused, changes nothing; get the organisation's consent)",
    ),
    (
        "DATA-001",
        "--sample",
        "what its data look like",
        "interlock probe --org {org} --sample (it reads a page of data with your credentials for that organisation)",
    ),
    (
        "CORS-001",
        "--origin",
        "whether an app in a browser may call it",
        "{probe} --origin https://app.example (it asks again as a browser on that page would)",
    ),
    (
        "CAP-047",
        "--strict",
        "whether a strict FHIR parser accepts the capability statement",
        "{probe} --strict (sends no further request)",
    ),
)


def unseen_of(observation: Observation) -> Iterator[CardLine]:
    """Reasons for not having looked, each once with its document, then what waits for an option."""
    base = values_of(observation)["base"]
    reason = observation.reason_not_observed()
    if reason:
        nearby = deeper_base(observation)
        do = f"interlock probe {nearby}" if nearby else _would(reason, base)
        yield CardLine(text=f"Anything at all: {plain(reason, 300)}", do=do)
        return
    groups: dict[str, list[Check]] = {}
    for check in observation.checks:
        message = check.message.removeprefix("Not observed: ")
        if check.outcome is CheckOutcome.NOT_OBSERVED and not _NOT_FOR_LOOKING.search(message):
            groups.setdefault(message, []).append(check)
        elif check.outcome is CheckOutcome.ERROR:
            yield CardLine(text=f"{check.title}: {plain(check.message, 200)}", do="a report to us", checks=(check.id,))
    hosts = _other_hosts(observation)
    deeper = [plain(request.url, 200) for request in observation.requests if request.purpose == "deeper"]
    elsewhere: dict[str, list[tuple[str, list[Check]]]] = {}
    for message, checks in groups.items():
        if [check.id for check in checks] == ["CAP-046"] and deeper:
            said = f"A statement deeper: we also tried {words.listed(deeper)}; none answered with one"
            yield CardLine(text=said, do="only they can tell you", checks=("CAP-046",))
            continue
        said = f"{_subject(observation, checks)}: {plain(message, 300)}"
        if by := next((document for host, document in hosts.items() if host in message), ""):
            elsewhere.setdefault(by, []).append((said, checks))
        else:
            yield CardLine(text=words.capital(said), do=_would(message, base), checks=_ids(checks))
    for by, lines in elsewhere.items():
        text = words.capital("; ".join(said for said, _ in lines))
        named = words.agree(len(lines), "this host", "these hosts")
        yield CardLine(
            text=f"{text} (their {by} names {named})",
            do=f"{_elsewhere(base)}; if it fails there too, ask them",
            checks=tuple(check_id for _, checks in lines for check_id in _ids(checks)),
        )
    checks_by_id = {check.id: check for check in observation.checks}
    for check_id, sign, label, would in _OPTIONS:
        if check_id == "CAP-047" and observation.facts.capability is None:
            continue  # there is no statement to read strictly
        waiting = checks_by_id.get(check_id)
        if waiting is not None and waiting.outcome is CheckOutcome.NOT_APPLICABLE and sign in waiting.message:
            org = plain(observation.target.org or "", 100)
            probe = f"interlock probe --org {org}" if org else f"interlock probe {base}"
            yield CardLine(
                text=words.capital(label),
                do=would.replace("{probe}", probe).replace("{org}", org or "ID"),
                checks=(check_id,),
            )


def _would(reason: str, base: str) -> str:
    """What would let a check look that did not, by the reason that it gives."""
    signs = (
        ("was not asked for", "a probe without --quick"),
        ("a quick probe", "a probe without --quick"),
        ("asks to wait", "the same probe later"),
        ("server failed", "the same probe later"),
        ("with a filter", "a patient who has such data"),
        ("asks for a token", "their answer, or a client that is registered there"),
        ("no answer within", "more time: --timeout 60"),
        ("private", "--allow-private HOST, if it is the one you mean"),
    )
    network = ("resolved", "be found from where we looked", "refuses connections", "unreachable", "cannot be reached")
    for sign, would in signs:
        if sign in reason:
            return would
    return _elsewhere(base) if any(sign in reason for sign in network) else "their answer"


def _elsewhere(base: str) -> str:
    """Our network may be the cause of what cannot be found or reached, so nobody is asked before."""
    return f"the same probe from another network first: interlock probe {base} --format json --output FILE"


def _other_hosts(observation: Observation) -> dict[str, str]:
    """Host that could not be found or reached, other than the base's → the document that names it."""
    base = urlsplit(observation.target.base_url).hostname
    smart = observation.facts.smart
    documents: dict[str, str] = {}
    for request in observation.requests:
        host = urlsplit(request.url).hostname
        if request.failure in {"dns", "connect"} and request.purpose in {"openid", "jwks"} and host and host != base:
            from_smart = request.purpose == "openid" or (smart is not None and request.url == smart.jwks_uri)
            documents.setdefault(plain(host, 200), "SMART configuration" if from_smart else "OpenID configuration")
    return documents


def _ids(checks: list[Check]) -> tuple[str, ...]:
    return tuple(check.id for check in checks)


def _subject(observation: Observation, checks: list[Check]) -> str:
    """What checks would have read: the documents; where those were read, the needs or titles of the checks."""
    names = dict.fromkeys(_DOCUMENTS[family] for c in checks if (family := c.id.partition("-")[0]) in _DOCUMENTS)
    if observation.facts.smart is not None:
        names.pop(_DOCUMENTS["SMART"], None)
    return words.listed(list(names) or [NEEDS.get(check.id, f"“{check.title}”") for check in checks], 3)
