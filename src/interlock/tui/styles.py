"""Which theme colour a value is shown in, beside its glyph and word from :mod:`interlock.model.words`.

A style only supports a word: everything can be read without colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from interlock.model import words
from interlock.model.base import CheckOutcome, Severity, Status

_Value = TypeVar("_Value")

OK, WARN, BAD, DIM, PRIMARY, ACCENT = "$success", "$warning", "$error", "$text-muted", "$primary", "$accent"


class Mark(NamedTuple):
    """A one-cell glyph, the word for it and a style that names a theme's colour."""

    glyph: str
    word: str
    style: str


def _marks(table: Mapping[_Value, words.Word], styles: Mapping[_Value, str]) -> dict[_Value, Mark]:
    """Every value of a table of words with its style, in the table's order."""
    return {value: Mark(word.glyph, word.phrase, styles[value]) for value, word in table.items()}


STATUS = _marks(
    words.STATUS,
    {Status.ANSWERED: OK, Status.UNKNOWN: WARN, Status.NOT_APPLICABLE: DIM, Status.UNANSWERED: DIM},
)
OBSERVED = _marks(words.OBSERVED, {"observed": OK, "partial": WARN, "not_observed": WARN, "never_probed": DIM})
CHECK = _marks(
    words.CHECK,
    {
        CheckOutcome.PASS: OK,
        CheckOutcome.WARN: WARN,
        CheckOutcome.FAIL: BAD,
        CheckOutcome.ERROR: BAD,
        CheckOutcome.NOT_OBSERVED: DIM,
        CheckOutcome.NOT_APPLICABLE: DIM,
    },
)
SEVERITY = _marks(
    words.SEVERITY, {Severity.CRITICAL: BAD, Severity.HIGH: BAD, Severity.MEDIUM: WARN, Severity.LOW: DIM}
)
FIT = _marks(words.FIT, {"supported": OK, "missing": BAD, "undeclared": WARN, "not_observed": DIM})
TASK = _marks(words.TASK, {"gap": PRIMARY, "discovery": WARN, "routine": DIM})
AUTH_PATH = _marks(words.AUTH_PATH, {"possible": OK, "not_offered": BAD, "cannot_tell": WARN})
DRIFT = _marks(
    words.DRIFT,
    {"contract_broken": BAD, "contract_changed": WARN, "removed": WARN, "changed": PRIMARY, "added": OK},
)
