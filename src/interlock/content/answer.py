"""An answer as a person typed it, or as a file holds it, made a value that its question can have."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from urllib.parse import urlsplit

from interlock.documents.names import did_you_mean
from interlock.model.address_secrets import REMEDY, secret_in
from interlock.model.base import FIRST_YEAR, LAST_YEAR, within_years
from interlock.model.errors import InterlockError
from interlock.model.questionnaire import Item, ItemType
from interlock.model.response import AnswerValue
from interlock.model.text import forbidden, plain

#: Longest answers, in characters.
MAX_STRING = 500
MAX_TEXT = 10_000
MAX_URL = 2_000
#: FHIR R4 ``integer``: signed 32 bits.
MIN_INTEGER, MAX_INTEGER = -(2**31), 2**31 - 1

Raw = str | bool | int | Sequence[str]

_YES = frozenset({"yes", "y", "true", "1"})
_NO = frozenset({"no", "n", "false", "0"})


def parse_answer(item: Item, raw: Raw) -> AnswerValue:
    """The value that ``raw`` means for this item.

    A choice is given by its option's value (upper or lower case, never a prefix); several by ``a,b`` or a sequence;
    a boolean by yes/no, true/false, y/n or 1/0; a date as ``YYYY-MM-DD``; a URL absolute, http or https; a string on
    one line.

    :returns: ``str`` (choice, date, url, string, text), tuple of option values in the order in which they are offered
        (multi_choice), ``bool`` or ``int``.
    :raises InterlockError: not an answer to this item; names the item, what is offered, and the closest match.
    """
    return _PARSERS[item.type](item, raw)


def _choice(item: Item, raw: Raw) -> str:
    if not isinstance(raw, (str, bool, int)):
        raise _error(item, "takes one answer", f"choose one of: {_offered(item)}")
    return _option(item, str(raw))


def _multi_choice(item: Item, raw: Raw) -> tuple[str, ...]:
    given = [raw] if isinstance(raw, (bool, int)) else raw.split(",") if isinstance(raw, str) else list(raw)
    wanted = {_option(item, str(part)) for part in given if str(part).strip()}
    if not wanted:
        raise _error(item, "needs at least one answer", f"choose from: {_offered(item)}")
    alone = next((option.value for option in item.options if option.exclusive and option.value in wanted), None)
    if alone and len(wanted) > 1:
        raise _error(item, f"{alone!r} excludes every other answer", "choose it alone, or leave it out")
    return tuple(option.value for option in item.options if option.value in wanted)


def _option(item: Item, text: str) -> str:
    wanted = text.strip().lower()
    if item.option(wanted):
        return wanted
    hint = did_you_mean(wanted, [option.value for option in item.options])
    raise _error(item, f"{plain(text, 60)!r} is not offered{hint}", f"choose one of: {_offered(item)}")


def _offered(item: Item) -> str:
    return ", ".join(option.value for option in item.options)


def _boolean(item: Item, raw: Raw) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower() if isinstance(raw, (str, int)) else ""
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise _error(item, f"{plain(raw, 60)!r} is neither yes nor no", "answer yes or no")


def _integer(item: Item, raw: Raw) -> int:
    text = "" if isinstance(raw, bool) else str(raw).strip() if isinstance(raw, (str, int)) else ""
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", text):
        raise _error(item, f"{plain(raw, 60)!r} is not a whole number", _range(item))
    number = int(text)
    low = MIN_INTEGER if item.min is None else item.min
    high = MAX_INTEGER if item.max is None else item.max
    if not low <= number <= high:
        raise _error(item, f"{number} is out of range", _range(item))
    return number


def _range(item: Item) -> str:
    if item.min is not None and item.max is not None:
        return f"give a whole number from {item.min} to {item.max}"
    if item.min is not None:
        return f"give a whole number, {item.min} or more"
    if item.max is not None:
        return f"give a whole number, {item.max} or less"
    return "give a whole number"


def _date(item: Item, raw: Raw) -> str:
    text = raw.strip() if isinstance(raw, str) else ""
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError:
        raise _error(item, f"{plain(raw, 60)!r} is not a date", "write it as YYYY-MM-DD, such as 2026-03-31") from None
    try:
        return within_years(day).isoformat()
    except ValueError as error:
        raise _error(item, f"{text}: {error}", f"give a day from {FIRST_YEAR} to {LAST_YEAR}") from None


def _url(item: Item, raw: Raw) -> str:
    text = raw.strip() if isinstance(raw, str) else ""
    remedy = "give a whole address, such as https://example.org/page"
    if len(text) > MAX_URL:
        raise _error(item, f"the address is longer than {MAX_URL:,} characters", remedy)
    if (kind := secret_in(text)) is not None:
        raise _error(item, f"this address holds {kind}", REMEDY)
    try:
        parts = urlsplit(text)
        usable = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", text) or forbidden(text):
        raise _error(item, f"{plain(raw, 60)!r} is not an absolute http or https address", remedy)
    return text


def _string(item: Item, raw: Raw) -> str:
    text = _words(item, raw, MAX_STRING)
    if "\n" in text or "\t" in text:
        raise _error(item, "the answer has more than one line or a tab", "write it on one line")
    return text


def _text(item: Item, raw: Raw) -> str:
    return _words(item, raw, MAX_TEXT)


def _words(item: Item, raw: Raw, limit: int) -> str:
    if not isinstance(raw, (str, int)):
        raise _error(item, "takes text", "write it in words")
    text = str(raw).replace("\r\n", "\n").strip()
    if not text:
        raise _error(item, "the answer is empty", "write something, or leave the question unanswered")
    if len(text) > limit:
        raise _error(item, f"the answer is {len(text):,} characters long, more than {limit:,}", "shorten it")
    wrong = forbidden(text)
    if wrong is not None:
        raise _error(item, f"the answer holds {wrong.description}", "type it again without it")
    return text


def _group(item: Item, raw: Raw) -> AnswerValue:
    raise _error(item, "is a group of questions and is not answered itself", "answer the questions in it")


_PARSERS: dict[ItemType, Callable[[Item, Raw], AnswerValue]] = {
    ItemType.CHOICE: _choice,
    ItemType.MULTI_CHOICE: _multi_choice,
    ItemType.BOOLEAN: _boolean,
    ItemType.INTEGER: _integer,
    ItemType.DATE: _date,
    ItemType.URL: _url,
    ItemType.STRING: _string,
    ItemType.TEXT: _text,
    ItemType.GROUP: _group,
}


def _error(item: Item, message: str, remedy: str) -> InterlockError:
    return InterlockError(f"{item.id}: {message}", remedy=remedy)
