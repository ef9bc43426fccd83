"""A check's result, and the forms of words that messages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from interlock.fhir.tolerant import storable
from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.observation import CheckEvidence
from interlock.model.text import plain
from interlock.probe.transport.addresses import origin


class Result(NamedTuple):
    """The result of a check: outcome, a sentence without a full stop, and the evidence for it."""

    outcome: CheckOutcome
    message: str
    evidence: tuple[CheckEvidence, ...] = ()


#: Looking a member up in its enumeration is a call in Python 3.11, and there are a hundred results a target.
_PASS, _WARN, _FAIL = CheckOutcome.PASS, CheckOutcome.WARN, CheckOutcome.FAIL
_NOT_OBSERVED, _NOT_APPLICABLE = CheckOutcome.NOT_OBSERVED, CheckOutcome.NOT_APPLICABLE
#: Half the time of ``Result(…)``.
_result = partial(tuple.__new__, Result)


def passed(message: str, *evidence: CheckEvidence) -> Result:
    """The server does what the source asks for."""
    return _result((_PASS, message, evidence))


def warned(message: str, *evidence: CheckEvidence) -> Result:
    """Something that the source recommends, or that makes an integration harder, without breaking a requirement."""
    return _result((_WARN, message, evidence))


def failed(message: str, *evidence: CheckEvidence) -> Result:
    """Something that the source requires, observed not to hold."""
    return _result((_FAIL, message, evidence))


def not_observed(reason: str, *evidence: CheckEvidence) -> Result:
    """Nothing can be said; the reason follows."""
    return _result((_NOT_OBSERVED, f"Not observed: {reason}", evidence))


def not_applicable(reason: str, *evidence: CheckEvidence) -> Result:
    """The check asks nothing of this server."""
    return _result((_NOT_APPLICABLE, f"Not applicable: {reason}", evidence))


NOT_HTTPS = not_applicable("the base URL is not https (see NET-005)")


class NeedError(Exception):
    """Ends a check that has not what it needs to look at; its one argument is the check's result."""


def host_of(url: str) -> str:
    """The host of an address, or nothing when it has none."""
    address = origin(url)
    return address.host if address else ""


def capitalized(text: str) -> str:
    """The same text beginning with a capital, unless it begins with a host's name or an address."""
    first = text.partition(" ")[0].rstrip(":.,;")
    if first == "localhost" or "." in first or ":" in first:
        return text
    return words.capital(text)


def first_of(notes: Sequence[str]) -> str:
    """The first of several notes, and how many more there are."""
    return capitalized(notes[0]) + (f" (and {len(notes) - 1} more)" if len(notes) > 1 else "")


def quoted(value: object, limit: int = 100) -> str:
    """A server-chosen value in a message: one line, bounded, in quotation marks."""
    return f"“{plain(storable(str(value)[: limit * 8]), limit)}”"


def quoted_list(values: Iterable[object], limit: int = 5) -> str:
    """Server-chosen values in a message: each quoted; what is beyond ``limit`` is only counted."""
    values = list(values)
    quotes = [quoted(value, 60) for value in values[:limit]]
    return words.listed(quotes + [""] * (len(values) - limit), limit)


def media_type_stated(given: str) -> str:
    """What is said of a media type that is not the one wanted."""
    return f"The media type is {quoted(given)}" if given else "No media type is given"


def as_json(given: str, requirement: str) -> Result:
    """Whether a document came as ``application/json``; where not, the sentence ends with what is required."""
    if given == "application/json":
        return passed("The media type is application/json")
    return failed(f"{media_type_stated(given)}; {requirement}")


def clauses(texts: Sequence[str], limit: int = 5) -> str:
    """Several statements in one message, each of which may hold commas: ``a, b; c; d and 3 more``."""
    more = f" and {len(texts) - limit:,} more" if len(texts) > limit else ""
    return "; ".join(texts[:limit]) + more
