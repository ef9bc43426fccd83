"""One value of a chart as real records have it: corrected, in other units, too old, under a code of the hospital's own.

The value is one that the polite page showed, changed to another that stands nowhere else on a page. A value counts as
shown where its number is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from interlock.rehearse.browser import Page
from interlock.rehearse.checks.base import check, not_reached
from interlock.rehearse.checks.searches import UNSTEADY, changing, unsteady
from interlock.rehearse.pages import said, words_on
from interlock.rehearse.records import ago, canary, observation
from interlock.rehearse.stage import BROKE, HELD, NEEDS_HOOK, NOT_APPLICABLE, Row, Stage, Visit, judged, row

_NO_VALUE = "the polite page shows no value of an observation as a number, so what becomes of one cannot be seen"
#: Two values for each code: neither is part of a time, a date or another value here, and both may be.
_OTHERS = {"8867-4": ("83", "97"), "2160-0": ("1.37", "1.84")}
_OTHER_UNITS = {"8867-4": "/h", "2160-0": "umol/L"}
_YEARS = 10
#: What a program writes for nothing, where a person would say why there is no value.
_NOTHING = r"(?<![\w.:-])(?:0(?:\.0+)?|NaN|None|null|undefined)(?![\w.:-])"

Change = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class _Value:
    """An observation of patient 1 whose value the polite page shows.

    :ivar number: of the observation; ``code`` its LOINC code.
    :ivar base: the page with :attr:`first` in its place.
    """

    stage: Stage
    number: int
    code: str
    base: Page

    @property
    def first(self) -> str:
        """The value that is on the page before anything else is done."""
        return _OTHERS[self.code][0]

    def seen(self, change: Change) -> Visit:
        """A new sign-in, with this value and something of the record changed."""

        def both(record: dict[str, Any]) -> None:
            _put(record, self.first)
            change(record)

        with _changing(self.stage, self.number, both):
            return self.stage.visit(self.stage.a)

    def left_out(self, page: Page) -> bool:
        """Whether the page has nothing of the record."""
        return not page.shows(canary(self.stage.a, "p1", "observation", self.number))


def _changing(stage: Stage, number: int, change: Change) -> Any:
    return changing(stage, "Observation", change, f"p1-observation-{number}")


def _shows(page: Page, value: str) -> bool:
    return re.search(rf"(?<![\d.]){re.escape(value)}(?![\d.]*\d)", words_on(page)) is not None


def _shown(stage: Stage) -> _Value | None:
    """The first observation whose value the page of a polite sign-in shows."""
    polite = stage.visits[stage.a].page
    for number in (1, 2, 3):
        code = observation(stage.a, "p1", number)["code"]["coding"][0]["code"]
        value = _OTHERS[code][0]
        if not polite.shows(canary(stage.a, "p1", "observation", number)) or _shows(polite, value):
            continue
        with _changing(stage, number, lambda record, value=value: _put(record, value)):  # type: ignore[misc]  # bound
            base = stage.visit(stage.a).page
        if _shows(base, value):
            return _Value(stage, number, code, base)
    return None


def _put(record: dict[str, Any], value: str) -> None:
    record["valueQuantity"]["value"] = json.loads(value)


def _for_a_person(visit: Visit, shown_how: str, question: str, base: Page, subject: str | None = None) -> Row:
    """A row of what a page says, which only somebody who reads it can judge."""
    more = said(visit.page, base)
    told = f"the page says more than usual: “{more}”" if more else "the page says nothing more than usual"
    return row(NEEDS_HOOK, f"{shown_how}, and {told}; {question}, a person has to judge", visit.asked, subject=subject)


@check("F15")
def corrected(stage: Stage) -> Row:
    """A value that is corrected between two looks at one page."""
    value = _shown(stage)
    if value is None:
        return not_reached(_NO_VALUE)
    old, new = _OTHERS[value.code]

    def correct(record: dict[str, Any]) -> None:
        _put(record, new)
        record["status"] = "corrected"

    browser = stage.browser()
    with _changing(stage, value.number, lambda record: _put(record, old)):
        visit = stage.visit(stage.a, browser=browser)
    since = stage.hospitals.now()
    with _changing(stage, value.number, correct):
        again = stage.again(browser, visit.page)
    asked = stage.hospitals.asked(since, org=stage.a)
    if _shows(again, new):
        return row(HELD, "the page, loaded again, shows the corrected value", asked)
    if not _shows(again, old):
        if not again.shows(canary(stage.a, "p1")):
            return not_reached(f"the page cannot be loaded again: {again.told}")
        return row(HELD, "the page, loaded again, does not show the old value any more", asked)
    more = said(again, visit.page)
    if more:
        question = "whether that tells the reader that it was corrected, a person has to judge"
        return row(NEEDS_HOOK, f"the page still shows the old value, and says “{more}”; {question}", asked)
    return row(BROKE, "the page, loaded again, shows the value that was corrected since, and says nothing of it", asked)


@check("F17")
def units(stage: Stage) -> list[Row] | Row:
    """Another unit, none, a comparator, and no value at all."""
    value = _shown(stage)
    if value is None:
        return not_reached(_NO_VALUE)
    unit = _OTHER_UNITS[value.code]

    def no_unit(record: dict[str, Any]) -> None:
        record["valueQuantity"] = {"value": record["valueQuantity"]["value"]}

    return [
        _unit(value, "another unit", lambda record: record["valueQuantity"].update(unit=unit, code=unit), unit),
        _unit(value, "no unit", no_unit),
        _unit(value, "a comparator", lambda record: record["valueQuantity"].update(comparator="<"), "<"),
        _no_value(value),
    ]


def _unit(value: _Value, subject: str, change: Change, told: str = "") -> Row:
    """Whether the number stands alone where it means something else; ``told`` is what may say so."""
    visit = value.seen(change)
    if problem := value.stage.crashed(visit.page):
        return row(BROKE, problem, visit.asked, subject=subject)
    if not _shows(visit.page, value.first):
        if value.left_out(visit.page) and not said(visit.page, value.base):
            shown_how = "the value is left out"
            return _for_a_person(visit, shown_how, "whether the reader may miss it so", value.base, subject)
        return row(HELD, "the number is not shown as it came", visit.asked, subject=subject)
    if told and told in words_on(visit.page) and told not in words_on(value.base):
        return row(HELD, "the number is shown with what came with it", visit.asked, subject=subject)
    if said(visit.page, value.base):
        return _for_a_person(visit, "the number is shown", "whether nobody can take it wrongly", value.base, subject)
    return row(BROKE, "the number is shown like a usual one, and nothing is said of it", visit.asked, subject=subject)


def _no_value(value: _Value) -> Row:
    """A reason in the place of a value (FHIR R4, Observation.dataAbsentReason)."""
    absent = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-performed"}

    def change(record: dict[str, Any]) -> None:
        del record["valueQuantity"]
        record["dataAbsentReason"] = {"coding": [absent]}

    visit, subject = value.seen(change), "a reason for absence in place of the value"
    mark = canary(value.stage.a, "p1", "observation", value.number)
    said_for_it, usual = (_behind(page, mark) for page in (visit.page, value.base))
    nothing = re.findall(_NOTHING, said_for_it) if not re.findall(_NOTHING, usual) else []
    problem = value.stage.crashed(visit.page) or (f"“{nothing[0]}” is shown as its value" if nothing else "")
    if not problem and value.left_out(visit.page) and not said(visit.page, value.base):
        return _for_a_person(visit, "it is left out", "whether the reader may miss it so", value.base, subject)
    return judged(problem, "no number is shown for it", visit.asked, subject=subject)


def _behind(page: Page, mark: str) -> str:
    """What stands behind the name of a record, up to the next one."""
    match = re.search(rf"(?i){mark}(?!\d)(.{{0,60}}?)(?=zqx|$)", words_on(page))
    return match[1] if match else ""


@check("F18")
def too_old(stage: Stage) -> list[Row] | Row:
    """A value of ten years ago, and one whose time has no offset."""
    stale = stage.contract.failures.stale if stage.contract else None
    if stale is None:
        return row(
            NOT_APPLICABLE,
            "contract.yaml does not say what becomes of values that are too old (failures.stale), or is not there",
        )
    value = _shown(stage)
    if value is None:
        return not_reached(_NO_VALUE)
    return [_aged(value, stale), _without_offset(value)]


def _aged(value: _Value, stale: str) -> Row:
    then = ago(_YEARS * 365 * 24 * 60)
    visit = value.seen(lambda record: record.update(effectiveDateTime=then))
    subject, about = f"a value of {_YEARS} years ago", "age"
    if problem := value.stage.crashed(visit.page):
        return row(BROKE, problem, visit.asked, subject=subject)
    if not _shows(visit.page, value.first):
        return row(HELD, "the value is not shown", visit.asked, subject=subject, about=about)
    dated = then[:4] in words_on(visit.page) and then[:4] not in words_on(value.base)
    if dated or said(visit.page, value.base):
        shown_how = "it is shown with its date" if dated else "it is shown"
        question = f"whether that is what the contract says (“{stale}”)"
        return _for_a_person(visit, shown_how, question, value.base, subject)
    seen = "it is shown like one of today, and the contract has a limit of age"
    return row(BROKE, seen, visit.asked, subject=subject, about=about)


def _without_offset(value: _Value) -> Row:
    """FHIR R4 asks for a zone where there are hours (datatypes, dateTime); real records lack it all the same."""
    visit = value.seen(lambda record: record.update(effectiveDateTime=ago(15, "")))
    subject = "a time without an offset"
    if problem := value.stage.crashed(visit.page):
        return row(BROKE, problem, visit.asked, subject=subject)
    if _shows(visit.page, value.first) and not said(visit.page, value.base):
        question = "whether it is taken for a time of the hospital's own zone"
        return _for_a_person(visit, "the value is shown", question, value.base, subject)
    if _shows(visit.page, value.first) and unsteady(value.stage):
        return not_reached(UNSTEADY, subject=subject)
    return row(HELD, "the value is not shown, or something is said of it", visit.asked, subject=subject)


@check("F19")
def local_code(stage: Stage) -> Row:
    """A code of the hospital's own in the place of one that the contract names."""
    needs = stage.contract.inputs if stage.contract else ()
    codes = {code.rpartition("|")[2] for need in needs if need.resource == "Observation" for code in need.code}
    if not codes:
        return row(NOT_APPLICABLE, "there is no contract.yaml, or it names no codes of the observations that are read")
    value = _shown(stage)
    if value is None or value.code not in codes:
        return not_reached("the polite page shows no value of an observation whose code the contract names")
    local = {"system": f"https://{stage.a}.example/codes", "code": "LAB-7"}
    visit = value.seen(lambda record: record["code"].update(coding=[record["code"]["coding"][0] | local]))
    if problem := stage.crashed(visit.page):
        return row(BROKE, problem, visit.asked)
    more = said(visit.page, value.base)
    if more:
        if unsteady(stage):
            return not_reached(UNSTEADY)
        return row(HELD, f"the page says more of it than usual: “{more}”", visit.asked)
    if not _shows(visit.page, value.first):
        return _for_a_person(visit, "it is left out", "whether somebody counts it (the log may show it)", value.base)
    return row(BROKE, "it is shown like one whose code the contract names, and nothing is said of it", visit.asked)
