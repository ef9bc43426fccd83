"""What values are called, and how numbers, lists and dates are said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

import pytest

from interlock.model import base, words

pytestmark = pytest.mark.fast

TABLES = {
    base.VerdictValue: words.VERDICT,
    base.Recommendation: words.RECOMMENDATION,
    base.Severity: words.SEVERITY,
    base.GapClass: words.GAP_CLASS,
    base.Gate: words.GATE,
    base.Status: words.STATUS,
    base.CheckOutcome: words.CHECK,
    base.RuleOutcome: words.RULE,
    base.Evidence: words.EVIDENCE,
    base.EvidenceKind: words.EVIDENCE_KIND,
    base.Owner: words.OWNER,
    base.TaskState: words.TASK_STATE,
    base.ProductKind: words.PRODUCT_KIND,
    base.Grade: words.GRADE,
}


def test_every_enumeration_has_a_word_for_each_value() -> None:
    enumerations = {
        value
        for value in vars(base).values()
        if isinstance(value, type) and issubclass(value, StrEnum) and value is not StrEnum
    }
    assert enumerations - {base.Scope} == set(TABLES), "all but the scope of a rule, which nobody is shown"
    for enumeration, table in TABLES.items():
        assert set(table) == set(enumeration)
        assert len({word.phrase for word in table.values()}) == len(table), "two values have one name"


def test_titles() -> None:
    assert words.VERDICT[base.VerdictValue.MAP_AUTH].title == "Map the auth surface"
    assert words.OWNER[base.Owner.US].title == "Product team"
    assert words.stage(None) == "before design" and words.stage(base.Gate.PILOT) == "pilot"
    assert words.vendor("epic") == "Epic" and words.vendor("next-gen") == "Next Gen"


def test_numbers() -> None:
    assert [words.count(n, "gap") for n in (0, 1, 1200)] == ["0 gaps", "1 gap", "1,200 gaps"]
    assert words.count(2, "child", "children") == "2 children"
    assert (words.agree(1, "is", "are"), words.agree(0, "is", "are")) == ("is", "are")
    assert [words.number(n) for n in (2.0, 2.04, 12.55, 1200)] == ["2", "2", "12.6", "1,200"]
    assert [words.share(x) for x in (0, 0.004, 0.35, 0.996, 1)] == ["0%", "under 1%", "35%", "over 99%", "100%"]
    assert words.number(float("nan")) == words.share(float("inf")) == words.days(float("inf")) == "not known"
    assert [words.days(n) for n in (1, 1.04, 2.5)] == ["1 working day", "1 working day", "2.5 working days"]
    assert words.days(12.6) == "13 working days", "nobody plans tenths of a day in weeks"
    assert [words.person_days(n) for n in (0, 1, 2.5)] == ["0 person-days", "1 person-day", "2.5 person-days"]
    assert words.persons(2, base.Owner.US) == "2 of the product team"
    assert words.persons(0.5, base.Owner.VENDOR) == "0.5 at each EHR vendor"
    assert [words.interval(*ends) for ends in ((39, 69.2), (80, 80), (80.1, 80.3), (38.99, 39))] == [
        "39 to 69",
        "80",
        "80.1 to 80.3",
        "39",
    ]
    assert [words.measured(n, "day") for n in (1, 12.5)] == ["1 day", "12.5 days"]


def test_lists() -> None:
    assert [words.listed(list("abcd")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert words.listed(list("abcde"), 2) == "a, b and 3 more"
    assert words.listed(["a", "b"], last="or") == "a or b"


def test_a_gate_in_a_sentence() -> None:
    assert words.gate(base.Gate.SANDBOX) == "sandbox gate"


def test_dates() -> None:
    assert words.day(date(2028, 3, 7)) == "7 Mar 2028" and words.month(date(2028, 3, 7)) == "Mar 2028"
    at = datetime(2028, 3, 7, 1, 5, tzinfo=timezone(timedelta(hours=2)))
    assert words.moment(at) == "6 Mar 2028, 23:05 UTC" == words.moment(at.astimezone(UTC))
    assert words.moment(datetime(2028, 3, 7, 1, 5)) == "7 Mar 2028, 01:05"
    assert words.iso_day("2028-03-07T10:00") == "7 Mar 2028" and words.iso_day("soon") == "soon"


def test_sentences() -> None:
    assert words.sentence("It holds") == "It holds." and words.sentence("Does it?") == "Does it?"
    assert words.capital("the EHR") == "The EHR"
