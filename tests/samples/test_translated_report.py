"""No fixed sentence of the report escapes a translation: outside of what is translated stands data alone."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date

import pytest

import pseudo
from interlock.model.language import using
from interlock.model.statements import STATEMENTS
from interlock.report import html
from interlock.report.sections.executive_sums import board
from interlock.report.translation import Translation, read_translation
from interlock.usecases.assess import assess
from interlock.usecases.load import Inputs
from interlock.usecases.report import PDF_SECTIONS, report_view

TODAY = date(2026, 11, 30)
#: What stands outside because it is asked of an organisation's own people: the card of questions, which is English.
_CARD = "organizations"
#: What stands in content where the report has an organisation's name.
_SOMEBODY = ("this organisation", "the organisation")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Translation:
    return read_translation(pseudo.write_pseudo(tmp_path_factory.mktemp("words") / "all.po"))


def test_outside_of_what_is_translated_stands_data_alone(
    inputs_of: Callable[[str], Inputs], everything: Translation
) -> None:
    inputs = inputs_of("sepsis")
    assessment = assess(inputs, today=TODAY, runs=50)
    english = html.render(report_view(assessment, inputs, "2026-11-30"))
    judged = assessment.model_dump_json()
    # Content that names one organisation, and content in words for a board.
    named = [judged.replace(words, org.name) for org in inputs.organizations for words in _SOMEBODY]
    data = pseudo.known(
        judged,
        inputs.settings.model_dump(mode="json"),
        {org: observation.model_dump(mode="json") for org, observation in inputs.observations.items()},
        [str(part) for part in vars(inputs.content).values()],
        [str(statement) for statement in STATEMENTS],
        [*named, board(judged)],
        [*calendar.month_abbr, "GET", "UTC", "launch openid fhirUser offline_access"],
    )
    with using(everything):
        whole = html.render(report_view(assessment, inputs, "2026-11-30"))
        brief = html.render(report_view(assessment, inputs, "2026-11-30", PDF_SECTIONS, brief=True), scripted=False)
    escaped = {*pseudo.escaped(whole, data), *pseudo.escaped(brief, data)}
    found = "\n".join(f"{section}: {piece}" for section, piece in sorted(escaped) if section != _CARD)
    assert not found, found
    # Nothing of the translation is left behind in a cache.
    assert html.render(report_view(assessment, inputs, "2026-11-30")) == english
