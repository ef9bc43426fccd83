"""Tables as CSV (RFC 4180): gaps, answers, fit, plan and changes with the rows of the workbook, a file each.

A cell that a spreadsheet would take for a formula begins with an apostrophe. Dates are ISO 8601, times UTC.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from interlock.model.assessment import Assessment
from interlock.model.language import _
from interlock.model.observation import Observation
from interlock.report.sections.context import Context
from interlock.report.view import SECTIONS
from interlock.report.work.trackers import cell
from interlock.report.xlsx.book import Column
from interlock.report.xlsx.columns import ANSWERS, GAPS, PLAN
from interlock.report.xlsx.evidence import CHANGES, FIT, changes, fit
from interlock.report.xlsx.rows import Content


def render(
    assessment: Assessment, observations: Mapping[str, Observation], *, holidays: Iterable[date] = ()
) -> dict[str, str]:
    """Each table by its name: ``gaps``, ``answers``, ``fit``, ``plan``, and where there is a milestone ``changes``.

    :param observations: organisation id to its latest observation; absent means never probed.
    :param holidays: days that the plan does not work, besides weekends.
    """
    content = Content(Context(assessment, observations, SECTIONS), tuple(holidays), ())
    since = {} if assessment.since is None else {"changes": _table(CHANGES, changes(content.context))}
    return {
        "gaps": _table(GAPS, content.gaps()),
        "answers": _table(ANSWERS, content.answers()),
        "fit": _table(FIT, fit(content.context)),
        "plan": _table(PLAN, content.tasks()),
        **since,
    }


def _table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> str:
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow([_(column.head) for column in columns])
    writer.writerows([_written(value) for value in row] for row in rows)
    return made.getvalue()


def _written(value: object) -> object:
    """Text without a formula; a number stays one, below zero too."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='seconds')}Z"
    return value.isoformat() if isinstance(value, date) else cell(value)
