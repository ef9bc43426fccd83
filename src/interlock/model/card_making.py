"""Sorts one observation for a reader: what blocks, what to ask, what could not be seen, and what to do first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from interlock.model import words
from interlock.model.base import CheckOutcome, Severity
from interlock.model.card import Card, CardLine
from interlock.model.card_questions import (
    QUESTIONS,
    UNREACHED,
    Question,
    asked_by_facts,
    deeper_base,
    other_hosts,
    values_of,
)
from interlock.model.observation import Check, Observation
from interlock.model.text import plain

_OFF = (CheckOutcome.FAIL, CheckOutcome.WARN)
#: Whatever its severity, a failure of these is against what the user's own contract needs or used.
_OF_CONTRACT = re.compile(r"(CAP|SMART)-05\d|DRIFT-00[12]")
#: What a message says to its user, not of the server.
_TO_USER = re.compile(
    r" \(our judgement[^)]*\)| \(see [A-Z]+-\d+\)|[;:] (ask|follow|try|is it|which|whether PKCE|nothing can)\b.*"
    r"|; \d+ of \d+ are listed as needed|\. (Ask|Whether PKCE)\b.*"
)
#: Those that compare what it needs, and what they say where there is no contract.
_NEEDS = re.compile(r"(CAP|SMART)-05\d")
_UNWRITTEN = "no workflow contract"
#: The contract's launches: where it has one, an issuer that nobody can use stops the sign-in.
_LAUNCHES = frozenset({"SMART-050", "SMART-051"})
#: Addresses without which nobody signs in; a client cannot know which of two is right.
_SIGN_IN = re.compile(r"\b(authorization|token)_endpoint\b")
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
        _UNWRITTEN,
        "whether it has what your product needs",
        "a contract.yaml and --org ID (interlock init)",
    ),
    (
        "NEG-001",
        "--active",
        "whether it refuses whoever has no token",
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
        "{probe} --strict (asks them no more)",
    ),
)


def card_of(observation: Observation) -> Card:
    """The card of an observation: a pure function of its checks and facts."""
    checks = {check.id: check for check in observation.checks}
    values = values_of(observation)
    blocking: list[tuple[int, Question, list[Check]]] = []
    asking: list[CardLine] = []
    told: set[str] = set()
    for question in _questions(observation):
        off = [c for check_id in question.checks if (c := checks.get(check_id)) is not None and _is_off(c)]
        if not off:
            continue
        told |= {check.id for check in off}
        worst = min((c.severity.rank for c in off if _blocks(c, observation)), default=None)
        if worst is None:
            asking.append(_ask(question, off, values))
        else:
            blocking.append((worst, question, off))
    blocks, first_asked = _blocked(blocking, values, observation)
    asking += [CardLine(text=text) for text in asked_by_facts(observation)]
    unreached = observation.reason_not_observed() if not blocks else None
    if unreached and "refused" not in _failures(observation):
        text = (
            f"We asked for {values['base']}/metadata and {values['base']}/.well-known/smart-configuration and could "
            f"read neither: {plain(unreached, 300)}. Is the address right, and from where and how may it be reached?"
        )
        asking = [CardLine(text=text)]
    ask = (*first_asked, *asking)
    unseen = tuple(_unseen(observation))
    return Card(
        first=_first(observation, blocks, len(first_asked), len(ask), unseen),
        blocks=blocks,
        ask=ask,
        unseen=unseen,
        compared="" if observation.outcome == "not_observed" else _compared(observation),
        also=tuple(check.id for check in observation.checks if check.outcome in _OFF and check.id not in told),
        mail=_mail(observation, ask),
    )


def _questions(observation: Observation) -> Iterator[Question]:
    """The table's, and one for each failure that it does not know and that is worth a question."""
    yield from QUESTIONS
    known = {check_id for question in QUESTIONS for check_id in question.checks}
    for check in observation.checks:
        worth = check.outcome is CheckOutcome.FAIL and check.severity.rank <= Severity.MEDIUM.rank
        if worth and check.id not in known:
            yield Question((check.id,), "{said} Can you correct this, or tell us why it is so?")


def _is_off(check: Check) -> bool:
    return check.outcome in _OFF and not check.message.startswith(("Optional in the contract", "Refused, and optional"))


def _blocks(check: Check, observation: Observation) -> bool:
    if check.outcome is not CheckOutcome.FAIL:
        return (check.id == "NET-024" and observation.facts.capability is None) or (
            check.outcome is CheckOutcome.WARN
            and check.id == "SMART-015"
            and _SIGN_IN.search(check.message) is not None
        )
    if check.id == "OIDC-002":
        needs = (other for other in observation.checks if other.id in _LAUNCHES)
        return any(other.outcome is not CheckOutcome.NOT_APPLICABLE for other in needs)
    smart = observation.facts.smart
    if check.id == "SMART-005" and smart is not None and smart.token_endpoint and smart.capabilities is not None:
        return False  # what else is required there can be asked, and a client can be built meanwhile
    return check.severity.rank <= Severity.HIGH.rank or _OF_CONTRACT.fullmatch(check.id) is not None


def _blocked(
    blocking: list[tuple[int, Question, list[Check]]], values: dict[str, str], observation: Observation
) -> tuple[tuple[CardLine, ...], tuple[CardLine, ...]]:
    """What blocks, the worst first, and the questions about it; a line says the number of its question."""
    blocks, asked = [], []
    for _, question, checks in sorted(blocking, key=lambda entry: entry[0]):
        if question.ask:
            asked.append(_ask(question, checks, values))
        number = f"ask them question {len(asked)}"
        do = words.capital(question.do.format(ask=number, **values))
        of_contract = [check for check in checks if _OF_CONTRACT.fullmatch(check.id) and _blocks(check, observation)]
        if of_contract:
            blocks += [CardLine(text=_needed(check), do=do, checks=(check.id,)) for check in of_contract]
        else:
            blocks.append(CardLine(text=_said(checks[0]), do=do, checks=tuple(check.id for check in checks)))
    return tuple(blocks), tuple(asked)


def _ask(question: Question, checks: list[Check], values: dict[str, str]) -> CardLine:
    rest = "; ".join(_rest(check) for check in checks)
    said = _said(checks[0])
    quoted = values | {"said": said, "seen": _uncapitalized(said), "tail": said.partition(" for ")[2], "rest": rest}
    text = re.sub(r"\{(\w+)\}", lambda match: quoted[match[1]], question.ask)
    text = text.replace("The product", "Our product").replace("the product", "our product")
    return CardLine(text=" ".join(text.split()), do=question.aside, checks=tuple(check.id for check in checks))


def _said(check: Check) -> str:
    return words.sentence(plain(_TO_USER.sub("", check.message), 500))


def _needed(check: Check) -> str:
    """What the contract needs and does not get, as a sentence to its owner."""
    said = _said(check)
    needed = re.match(r"Needed by the contract and not (listed|declared): (.*)\.$", said)
    return f"Your contract needs, and they do not list: {needed[2]}." if needed else said


def _compared(observation: Observation) -> str:
    """Whether the contract was compared, and how many of the checks that do so found what it needs."""
    checks = [check for check in observation.checks if _NEEDS.fullmatch(check.id)]
    if any(_UNWRITTEN in check.message for check in checks):
        return "Your product's needs were not compared (no contract)."
    outcomes = Counter(check.outcome for check in checks)
    parts = (
        (outcomes[CheckOutcome.PASS], "finds what it needs", "find what it needs"),
        (outcomes[CheckOutcome.FAIL] + outcomes[CheckOutcome.WARN], "does not", "do not"),
        (outcomes[CheckOutcome.NOT_OBSERVED], "could not tell", "could not tell"),
    )
    told = [f"{number} {words.agree(number, singular, plural)}" for number, singular, plural in parts if number]
    number = words.count(sum(number for number, _, _ in parts), "check")
    return f"Your contract was compared, in {number}: {words.listed(told)}." if told else ""


def _uncapitalized(text: str) -> str:
    """The same within a sentence: only an ordinary word loses its capital."""
    first = text.partition(" ")[0]
    return text[:1].lower() + text[1:] if first[1:].islower() or len(first) == 1 else text


def _rest(check: Check) -> str:
    message = plain(_TO_USER.sub("", check.message), 500)
    return message.partition(": ")[2] or message


def _failures(observation: Observation) -> set[str]:
    return {request.failure for request in observation.requests if request.failure}


def _first(
    observation: Observation, blocks: tuple[CardLine, ...], about: int, asked: int, unseen: tuple[CardLine, ...]
) -> str:
    reason = observation.reason_not_observed()
    if blocks and not about:
        return blocks[0].do
    if blocks and not blocks[0].do.startswith("Ask them"):
        rest = "the other question" if asked == 2 else f"the other {asked - 1} questions"
        return blocks[0].do + (f" {words.capital(rest)} can go in the same mail." if asked > 1 else "")
    if blocks:
        which = "question 1 is" if about == 1 else f"questions 1 {'and' if about == 2 else 'to'} {about} are"
        if asked == 1:
            return "Send them the question below: it is about what blocks you."
        return f"Send them the {asked} questions below in one mail; {which} about what blocks you."
    if reason:
        failures = [name for name in UNREACHED if name in _failures(observation)]
        remedy = UNREACHED[failures[0]] if failures else "Send them the question below."
        if observation.facts.tls is not None and observation.facts.tls.cause == "here":
            remedy = "This machine or its network is the cause: name its authority with --ca-bundle FILE."
        return f"Nothing was seen, so nothing is known of it. {remedy}"
    names = (("capability", "capability statement"), ("smart", "SMART configuration"))
    lacking = [name for field, name in names if getattr(observation.facts, field) is None]
    generic = any(_UNWRITTEN in check.message for check in observation.checks)
    verdict = "Nothing seen would stop a generic client" if generic else "Nothing that was seen blocks you"
    if lacking:
        verdict += f", but the {words.listed(lacking)} {words.agree(len(lacking), 'was', 'were')} not seen"
    if asked:
        below = "question below" if asked == 1 else f"{asked} questions below in one mail"
        return f"{verdict}. Send them the {below}; build with what is known meanwhile."
    if not unseen:
        return f"{verdict}, and nothing has to be asked. Register your client with them."
    return f"{verdict}, and nothing has to be asked. Next, see {_uncapitalized(unseen[0].text)}, with {unseen[0].do}."


def _unseen(observation: Observation) -> Iterator[CardLine]:
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
    hosts = other_hosts(observation)
    deeper = [plain(request.url, 200) for request in observation.requests if request.purpose == "deeper"]
    for message, checks in groups.items():
        if [check.id for check in checks] == ["CAP-046"] and deeper:
            said = f"A statement deeper: we also tried {words.listed(deeper)}; none answered with one"
            yield CardLine(text=said, do="only they can tell you", checks=("CAP-046",))
            continue
        names = dict.fromkeys(_DOCUMENTS[family] for c in checks if (family := c.id.partition("-")[0]) in _DOCUMENTS)
        if _DOCUMENTS["SMART"] in names and observation.facts.smart is not None:
            del names[_DOCUMENTS["SMART"]]
        subject = words.capital(words.listed(list(names))) or words.count(len(checks), "check")
        by = next((document for host, document in hosts.items() if host in message), "")
        yield CardLine(
            text=f"{subject}: {plain(message, 300)}" + (f" (their {by} names this host)" if by else ""),
            do=("their answer whether it is internal; if it is, " if by else "") + _would(message, base),
            checks=tuple(check.id for check in checks),
        )
    checks_by_id = {check.id: check for check in observation.checks}
    for check_id, sign, label, would in _OPTIONS:
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
        ("asks for a token", "their answer, or a client that is registered there"),
        ("no answer within", "more time: --timeout 60"),
        ("private", "--allow-private HOST, if it is the one you mean"),
    )
    network = ("does not exist", "no address", "refuses connections", "unreachable", "cannot be reached")
    for sign, would in signs:
        if sign in reason:
            return would
    if any(sign in reason for sign in network):
        return f"the same probe from inside their network: interlock probe {base} --format json --output FILE"
    return "their answer"


def _mail(observation: Observation, ask: tuple[CardLine, ...]) -> str:
    if not ask:
        return ""
    day = words.day(observation.started.date())
    lines = [
        f"On {day} we looked at your FHIR endpoint {plain(observation.target.base_url, 300)}.",
        "Could you help us with the following?" if len(ask) > 1 else "Could you help us with this?",
        "",
        *(f"{number}. {line.text}" for number, line in enumerate(ask, 1)),
        "",
        "Thank you.",
    ]
    return "\n".join(lines)
