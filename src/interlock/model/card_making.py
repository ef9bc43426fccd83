"""Sorts one observation for a reader: what blocks, what to ask, what could not be seen, and what to do first."""

from __future__ import annotations

import re
from collections.abc import Iterator

from interlock.model import words
from interlock.model.base import CheckOutcome, Severity
from interlock.model.card import Card, CardLine
from interlock.model.card_fit import SIGN_IN, built, compared, is_generic
from interlock.model.card_questions import (
    QUESTIONS,
    UNREACHED,
    Question,
    asked_by_facts,
)
from interlock.model.card_unseen import unseen_of
from interlock.model.card_values import asked_to_wait, values_of
from interlock.model.observation import Check, Observation
from interlock.model.text import plain

_OFF = (CheckOutcome.FAIL, CheckOutcome.WARN)
#: Whatever its severity, a failure of these is against what the user's own contract needs or used.
_OF_CONTRACT = re.compile(r"(CAP|SMART)-05\d|DRIFT-00[12]")
#: What a message says to its user, not of the server.
_TO_USER = re.compile(
    r" \(our judgement[^)]*\)| \(see [A-Z]+-\d+\)|[;:] (ask|follow|try|is it|which|whether PKCE|nothing can)\b.*"
    r"|; \d+ of \d+ are listed as needed|\. (Ask|Whether PKCE)\b.*"
    r"|; (it asks to wait [\d.]+ s, longer than|a second attempt does not fit into) the time left"
)
#: The contract's launches: where it has one, an issuer that nobody can use stops the sign-in.
_LAUNCHES = frozenset({"SMART-050", "SMART-051"})


def card_of(observation: Observation) -> Card:
    """The card of an observation: a pure function of its checks and facts."""
    checks = {check.id: check for check in observation.checks}
    values = values_of(observation)
    blocking: list[tuple[int, Question, list[Check]]] = []
    asking: list[CardLine] = []
    told: set[str] = set()
    pause = asked_to_wait(observation)
    for question in _questions(observation):
        off = [c for check_id in question.checks if (c := checks.get(check_id)) is not None and _is_off(c)]
        if not off or (pause and "NET-008" in question.checks):  # what passes by itself is no question
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
    if unreached and (pause or "refused" in _failures(observation)):
        asking = []
    elif unreached:
        text = (
            f"We asked for {values['base']}/metadata and {values['base']}/.well-known/smart-configuration and could "
            f"read neither: {plain(unreached, 300)}. Is the address right, and from where and how may it be reached?"
        )
        asking = [CardLine(text=text)]
    every = (*first_asked, *asking)
    ask = (*(line for line in every if not line.apart), *(line for line in every if line.apart))
    unseen = tuple(unseen_of(observation))
    numbers = {check_id: number for number, line in enumerate(ask, 1) for check_id in line.checks}
    about = sum(not line.apart for line in first_asked)
    return Card(
        first=_wait(pause, ask) if pause and not blocks else _first(observation, blocks, about, ask, unseen),
        built=built(observation, [check_id for line in blocks for check_id in line.checks]),
        blocks=blocks,
        ask=ask,
        unseen=unseen,
        compared="" if observation.outcome == "not_observed" else compared(observation, numbers),
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
            check.outcome is CheckOutcome.WARN and check.id == "SMART-015" and SIGN_IN.search(check.message) is not None
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
        number = f"ask them question {sum(not line.apart for line in asked)}"
        do = words.capital(question.do.format(ask=number, **values))
        of_contract = [check for check in checks if _OF_CONTRACT.fullmatch(check.id) and _blocks(check, observation)]
        if of_contract:
            blocks += [CardLine(text=_needed(check), do=do, checks=(check.id,)) for check in of_contract]
        else:
            ids = tuple(check.id for check in checks)
            blocks.append(CardLine(text=_said(checks[0]), do=do, checks=ids, apart=question.apart))
    return tuple(blocks), tuple(asked)


def _ask(question: Question, checks: list[Check], values: dict[str, str]) -> CardLine:
    rest = "; ".join(_rest(check) for check in checks)
    said = _said(checks[0])
    quoted = values | {"said": said, "seen": _uncapitalized(said), "tail": said.partition(" for ")[2], "rest": rest}
    text = re.sub(r"\{(\w+)\}", lambda match: quoted[match[1]], question.ask)
    text = text.replace("The product", "Our product").replace("the product", "our product")
    text = " ".join(text.split())
    return CardLine(text=text, do=question.aside, checks=tuple(check.id for check in checks), apart=question.apart)


def _said(check: Check) -> str:
    return words.sentence(plain(_TO_USER.sub("", check.message), 900))


def _needed(check: Check) -> str:
    """What the contract needs and does not get, as a sentence to its owner."""
    said = _said(check)
    needed = re.match(r"Needed by the contract and not (listed|declared): (.*)\.$", said)
    return f"Your contract needs, and they do not list: {needed[2]}." if needed else said


def _uncapitalized(text: str) -> str:
    """The same within a sentence: only an ordinary word loses its capital."""
    first = text.partition(" ")[0]
    return text[:1].lower() + text[1:] if first[1:].islower() or len(first) == 1 else text


def _rest(check: Check) -> str:
    message = plain(_TO_USER.sub("", check.message), 900)
    return message.partition(": ")[2] or message


def _failures(observation: Observation) -> set[str]:
    return {request.failure for request in observation.requests if request.failure}


def _wait(pause: str, ask: tuple[CardLine, ...]) -> str:
    """What to do where a server asked to be left alone for a while: nobody has to be asked about that."""
    rest = f" Then send them the {words.agree(len(ask), 'question', f'{len(ask)} questions')} below." if ask else ""
    return f"Probe it again later: the server failed for now, and {pause}.{rest}"


def _first(
    observation: Observation,
    blocks: tuple[CardLine, ...],
    about: int,
    ask: tuple[CardLine, ...],
    unseen: tuple[CardLine, ...],
) -> str:
    """What to do first; ``about`` questions are about what blocks and stand first."""
    reason = observation.reason_not_observed()
    asked = sum(not line.apart for line in ask)
    which = "question 1 is" if about == 1 else f"questions 1 {'and' if about == 2 else 'to'} {about} are"
    below = "question below" if asked == 1 else f"{asked} questions below in one mail"
    if blocks and blocks[0].apart:
        number = words.agree(asked, "question", f"{asked} questions")
        rest = f" The other {number} can go in one mail" if asked else ""
        return blocks[0].do + (f"{rest}; {which} about what blocks you too." if rest and about else rest and f"{rest}.")
    if blocks and not about:
        return blocks[0].do
    if blocks and not blocks[0].do.startswith("Ask them"):
        others = "the other question" if asked == 2 else f"the other {asked - 1} questions"
        return blocks[0].do + (f" {words.capital(others)} can go in the same mail." if asked > 1 else "")
    if blocks and asked == 1:
        return "Send them the question below: it is about what blocks you."
    if blocks:
        return f"Send them the {below}; {which} about what blocks you."
    if reason:
        failures = [name for name in UNREACHED if name in _failures(observation)]
        remedy = UNREACHED[failures[0]] if failures else "Send them the question below."
        if observation.facts.tls is not None and observation.facts.tls.cause == "here":
            remedy = "This machine or its network is the cause: name its authority with --ca-bundle FILE."
        return f"Nothing was seen, so nothing is known of it. {remedy}"
    names = (("capability", "capability statement"), ("smart", "SMART configuration"))
    lacking = [name for field, name in names if getattr(observation.facts, field) is None]
    verdict = "Nothing seen would stop a generic client" if is_generic(observation) else "Nothing seen blocks you"
    if lacking:
        verdict += f", but the {words.listed(lacking)} {words.agree(len(lacking), 'was', 'were')} not seen"
    if asked:
        return f"{verdict}. Send them the {below}."
    if not unseen:
        return f"{verdict}, and nothing has to be asked. Register your client with them."
    return f"{verdict}, and nothing has to be asked. Next, see {_uncapitalized(unseen[0].text)}, with {unseen[0].do}."


def _mail(observation: Observation, ask: tuple[CardLine, ...]) -> str:
    """The questions as a mail; those about a possible disclosure as another, to whom it concerns there."""
    looked = (
        f"On {words.moment(observation.started)}, we looked at your FHIR endpoint "
        f"{plain(observation.target.base_url, 300)}."
    )

    def mail(lines: list[CardLine]) -> str:
        help_us = "Could you help us with the following?" if len(lines) > 1 else "Could you help us with this?"
        numbered = [f"{number}. {line.text}" for number, line in enumerate(lines, 1)]
        return "\n".join([looked, help_us, "", *numbered, "", "Thank you."])

    general, apart = [[line for line in ask if line.apart is alone] for alone in (False, True)]
    told = [mail(general)] if general else []
    if apart:
        told.append(f"--- Apart, to their security or privacy contact alone ---\n\n{mail(apart)}")
    return "\n\n".join(told)
