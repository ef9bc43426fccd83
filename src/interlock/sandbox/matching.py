"""Whether a value matches what a search asks for, by the type of the parameter.

Source: FHIR R4, search.html, sections 3.1.1.4.4 (modifiers), .5 (prefixes), .7 to .13 (types). Texts compare without
regard to case and accents, codes as they are written.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from interlock.sandbox.parameters import TARGETS, reach
from interlock.sandbox.replies import RefusalError

#: Takes all values that a resource has for the parameter and says whether one of them matches.
Matcher = Callable[[list[Any]], bool]

_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[-\d])")
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
#: Modifiers that work for every parameter of a type without being listed; R4's statement cannot list them.
BUILT_IN = {"string": ("exact", "contains", "missing"), "token": ("not", "missing"), "reference": ("missing",)}


def split(text: str, separator: str) -> list[str]:
    """Parts between unescaped separators, escapes kept (FHIR R4 search.html#escaping)."""
    return re.split(rf"(?<!\\){re.escape(separator)}", text)


def unescape(text: str) -> str:
    """A part without its escapes: ``\\,`` is a comma."""
    return re.sub(r"\\([,|$\\])", r"\1", text)


def matcher(name: str, kind: str, modifier: str, text: str, base: str) -> Matcher:
    """What decides one criterion; the alternatives of ``text`` are separated by commas.

    :param kind: the parameter's type: ``token``, ``reference``, ``date``…
    :raises RefusalError: 400, a value or modifier cannot be understood.
    """
    if modifier == "missing":
        if text not in ("true", "false"):
            raise RefusalError(400, "invalid", f"{name}:missing takes true or false")
        return lambda values: bool(values) != (text == "true")
    wanted = [part for part in split(text, ",") if part]
    if not wanted:
        raise RefusalError(400, "invalid", f"{name} has no value")
    tests = [_test(name, kind, modifier, part, base) for part in wanted]
    if modifier == "not":
        return lambda values: not any(test(value) for test in tests for value in values)
    return lambda values: any(test(value) for test in tests for value in values)


def _test(name: str, kind: str, modifier: str, part: str, base: str) -> Callable[[Any], bool]:
    if kind == "token":
        return _token(part, modifier, name)
    if kind == "reference":
        return _reference(name, part, modifier, base)
    if kind == "date":
        return _date(name, part)
    if kind in ("quantity", "number"):
        return _quantity(name, part)
    if kind == "uri":
        return _uri(unescape(part), modifier)
    return _string(unescape(part), modifier)


# Token ---------------------------------------------------------------------------------------------------------------


def _token(part: str, modifier: str, name: str) -> Callable[[Any], bool]:
    if modifier == "text":
        text = folded(unescape(part))
        return lambda value: any(folded(shown).startswith(text) for shown in _texts_of_token(value))
    system, bar, code = (unescape(piece) for piece in _bar(part))
    wanted_kind = name if name in ("phone", "email") else None

    def matches(value: Any) -> bool:
        for known_system, known in codes_of(value):
            if wanted_kind and isinstance(value, dict) and value.get("system") != wanted_kind:
                continue
            if bar and not code:
                if known_system == system:
                    return True
            elif known == code and (not bar or wanted_kind or (known_system or "") == system):
                return True
        return False

    return matches


def _bar(part: str) -> tuple[str, str, str]:
    pieces = split(part, "|")
    return ("", "", pieces[0]) if len(pieces) == 1 else ("|".join(pieces[:-1]), "|", pieces[-1])


def codes_of(value: Any) -> list[tuple[str | None, str]]:
    """System and code of a code, boolean, Coding, CodeableConcept, CodeableReference, Identifier or ContactPoint."""
    if isinstance(value, bool):
        return [(None, "true" if value else "false")]
    if isinstance(value, str):
        return [(None, value)]
    if not isinstance(value, dict):
        return []
    code = value.get("code", value.get("value"))
    own = [(value.get("system"), code)] if isinstance(code, str) else []
    return [*own, *(pair for name in ("coding", "concept") for item in reach(value, name) for pair in codes_of(item))]


def _texts_of_token(value: Any) -> list[str]:
    return [
        text for path in ("text", "display", "coding.display", "type.text") for text in _only_texts(reach(value, path))
    ]


# String and uri ------------------------------------------------------------------------------------------------------


def folded(text: str) -> str:
    """A text without case and accents."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def _string(text: str, modifier: str) -> Callable[[Any], bool]:
    if modifier == "exact":
        return lambda value: text in texts_of(value)
    wanted = folded(text)
    if modifier == "contains":
        return lambda value: any(wanted in folded(known) for known in texts_of(value))
    return lambda value: any(folded(known).startswith(wanted) for known in texts_of(value))


def texts_of(value: Any) -> list[str]:
    """A string itself, or the parts of a name or an address."""
    if isinstance(value, str):
        return [value]
    parts = (
        "text",
        "family",
        "given",
        "prefix",
        "suffix",
        "line",
        "city",
        "district",
        "state",
        "postalCode",
        "country",
    )
    return [text for part in parts for text in _only_texts(reach(value, part))]


def _only_texts(values: Iterable[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _uri(text: str, modifier: str) -> Callable[[Any], bool]:
    if modifier == "below":
        return lambda value: isinstance(value, str) and value.startswith(text)
    if modifier == "above":
        return lambda value: isinstance(value, str) and text.startswith(value)
    return lambda value: bool(value == text)


# Reference -----------------------------------------------------------------------------------------------------------


def _reference(name: str, part: str, modifier: str, base: str) -> Callable[[Any], bool]:
    if modifier == "identifier":
        identified = _token(part, "", "")
        return lambda value: isinstance(value, dict) and identified(value.get("identifier"))
    wanted = local(unescape(part), base)
    expected = modifier or TARGETS.get(name, "")
    if "/" not in wanted and expected:
        wanted = f"{expected}/{wanted}"

    def matches(value: Any) -> bool:
        reference = target_of(value, base)
        return reference is not None and (
            reference == wanted or ("/" not in wanted and reference.endswith(f"/{wanted}"))
        )

    return matches


def target_of(value: Any, base: str) -> str | None:
    """Where a Reference (or CodeableReference, or address) leads: ``Type/id`` on this server, an address elsewhere."""
    if isinstance(value, dict):
        inner = value.get("reference")
        value = inner.get("reference") if isinstance(inner, dict) else inner
    return local(value, base) if isinstance(value, str) else None


def local(address: str, base: str) -> str:
    """An address of this server as ``Type/id``, without a version; any other as it is."""
    for own in (f"{base}/", "{base}/"):
        address = address.removeprefix(own)
    return address.partition("/_history/")[0]


# Date ----------------------------------------------------------------------------------------------------------------


def span(text: str) -> tuple[datetime, datetime] | None:
    """The time that a date of any precision covers: from, and up to but not with. Without a zone it is UTC."""
    match = _DATE.fullmatch(text.strip().replace(" ", "+"))
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        offset = "+00:00" if zone in (None, "Z") else zone
        micro = int((fraction or "0")[:6].ljust(6, "0"))
        clock = (int(hour or 0), int(minute or 0), int(second or 0), micro)
        start = datetime(int(year), int(month or 1), int(day or 1), *clock, datetime.strptime(offset, "%z").tzinfo)
        if not month:
            length = timedelta(days=366 if calendar.isleap(start.year) else 365)
        elif not day:
            length = timedelta(days=calendar.monthrange(start.year, start.month)[1])
        elif not hour:
            length = timedelta(days=1)
        else:
            length = (
                timedelta(minutes=1)
                if not second
                else timedelta(seconds=1)
                if not fraction
                else timedelta(milliseconds=1)
            )
        return start.astimezone(UTC), (start + length).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def span_of(value: Any) -> tuple[datetime, datetime] | None:
    """The time that a date, dateTime, instant, Period or Timing covers; an open end is open."""
    if isinstance(value, str):
        return span(value)
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("event"), list):
        spans = [known for known in map(span_of, value["event"]) if known]
        return (min(known[0] for known in spans), max(known[1] for known in spans)) if spans else None
    start, end = (span(value[side]) if isinstance(value.get(side), str) else None for side in ("start", "end"))
    if start is None and end is None:
        return None
    return start[0] if start else _EARLIEST, end[1] if end else _LATEST


def _date(name: str, part: str) -> Callable[[Any], bool]:
    match = _PREFIX.match(part)
    prefix = match[1] if match else "eq"
    asked = span(part[match.end() :] if match else part)
    if asked is None:
        raise RefusalError(400, "invalid", f"{name} takes a date such as 2026-10, with or without a prefix such as ge")
    low, high = asked
    if prefix == "ap":
        slack = abs(datetime.now(UTC) - low) / 10
        low, high = low - slack, high + slack

    def matches(value: Any) -> bool:
        known = span_of(value)
        return known is not None and _COMPARISONS[prefix](low, high, *known)

    return matches


#: Prefix → whether (asked from, asked to, known from, known to) fits (FHIR R4 search.html#prefix, on ranges).
_COMPARISONS: dict[str, Callable[[Any, Any, Any, Any], bool]] = {
    "eq": lambda low, high, start, end: low <= start and end <= high,
    "ne": lambda low, high, start, end: not (low <= start and end <= high),
    "gt": lambda low, high, start, end: end > high,
    "lt": lambda low, high, start, end: start < low,
    "ge": lambda low, high, start, end: end > high or (low <= start and end <= high),
    "le": lambda low, high, start, end: start < low or (low <= start and end <= high),
    "sa": lambda low, high, start, end: start >= high,
    "eb": lambda low, high, start, end: end <= low,
    "ap": lambda low, high, start, end: start < high and end > low,
}


# Quantity and number -------------------------------------------------------------------------------------------------


def _quantity(name: str, part: str) -> Callable[[Any], bool]:
    number, *unit = split(part, "|")
    match = _PREFIX.match(number)
    prefix = match[1] if match else "eq"
    text = number[match.end() :] if match else number
    if not _NUMBER.fullmatch(text) or len(unit) not in (0, 2):
        raise RefusalError(400, "invalid", f"{name} takes a number, or number|system|code, with or without a prefix")
    asked = Decimal(text)
    exponent = asked.as_tuple().exponent
    # 100 means 99.5 up to 100.5 for equality, exactly 100 for order (search.html#number).
    half = Decimal(5).scaleb(int(exponent) - 1) if prefix in ("eq", "ne") else Decimal(0)
    slack = abs(asked) / 10 if prefix == "ap" else half
    system, code = (unescape(piece) for piece in unit) if unit else ("", "")

    def matches(value: Any) -> bool:
        amount = value.get("value") if isinstance(value, dict) else value
        if isinstance(amount, bool) or not isinstance(amount, int | float | str):
            return False
        if code and not (isinstance(value, dict) and _same_unit(value, system, code)):
            return False
        try:
            known = Decimal(str(amount))
        except InvalidOperation:
            return False
        return _COMPARISONS[prefix](asked - slack, asked + slack, known, known)

    return matches


def _same_unit(value: dict[str, Any], system: str, code: str) -> bool:
    if system:
        return value.get("system") == system and value.get("code") == code
    return code in (value.get("code"), value.get("unit"))
