"""No fixed sentence of the report escapes a translation: outside of what is translated stands data alone."""

from __future__ import annotations

import calendar
import io
import re
import zipfile
from collections.abc import Callable
from html import unescape

import pytest

import pseudo
from interlock.model.assessment import Assessment
from interlock.model.language import using
from interlock.model.statements import STATEMENTS
from interlock.report import csv, html, markdown, xlsx
from interlock.report.sections.executive_words import board
from interlock.report.translation import Translation, read_translation
from interlock.usecases.load import Inputs
from interlock.usecases.report import PDF_SECTIONS, report_view

#: What an organisation's own people are asked is a letter to them, and English.
_CARD = re.compile(
    r"<h4>⟦What to ask them⟧.*?(?=<h4|<h3|<div|<p class=.small)|#### ⟦What to ask them⟧.*?(?=\n[#|])", re.S
)
#: What stands in content where the report has an organisation's name.
_SOMEBODY = ("this organisation", "the organisation")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Translation:
    return read_translation(pseudo.write_pseudo(tmp_path_factory.mktemp("words") / "all.po"))


@pytest.fixture(scope="module")
def judged(
    inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment]
) -> tuple[Assessment, Inputs, pseudo.Known]:
    """The demo's assessment with what it was made of, and all words of both."""
    inputs, assessment = inputs_of("sepsis"), assessed("sepsis")
    dump = assessment.model_dump(mode="json")
    texts = set(pseudo.texts_of(dump))
    # Content that names one organisation, and content in words for a board.
    of_somebody = [(text, words) for text in texts for words in _SOMEBODY if words in text]
    named = [text.replace(words, org.name) for text, words in of_somebody for org in inputs.organizations]
    for_a_board = [said for text in texts if (said := board(text)) != text]
    data = pseudo.Known(
        dump,
        inputs.settings.model_dump(mode="json"),
        {org: observation.model_dump(mode="json") for org, observation in inputs.observations.items()},
        [str(part) for part in vars(inputs.content).values()],
        [str(statement) for statement in STATEMENTS],
        [*named, *for_a_board],
        [f"{task.id} {task.title}" for task in assessment.plan.tasks],
        [*calendar.month_abbr, "GET", "UTC", "launch openid fhirUser offline_access"],
    )
    return assessment, inputs, data


def test_outside_of_what_is_translated_stands_data_alone(
    judged: tuple[Assessment, Inputs, pseudo.Known], everything: Translation
) -> None:
    assessment, inputs, data = judged
    english = html.render(report_view(assessment, inputs, "2026-11-30"))
    with using(everything):
        whole = html.render(report_view(assessment, inputs, "2026-11-30"))
        brief = html.render(report_view(assessment, inputs, "2026-11-30", PDF_SECTIONS, brief=True), scripted=False)
    escaped = {*pseudo.escaped(_CARD.sub("", whole), data), *pseudo.escaped(brief, data)}
    assert not escaped, "\n".join(f"{section}: {piece}" for section, piece in sorted(escaped))
    # Nothing of the translation is left behind in a cache.
    assert html.render(report_view(assessment, inputs, "2026-11-30")) == english
    assert 'lang="en"' not in english
    for page in (whole, brief):
        says_which_texts_are_english(page, assessment)


def says_which_texts_are_english(page: str, assessment: Assessment) -> None:
    """Rules, questions and the verdict have their own ``lang``; names and translated words have none."""
    body = re.sub(r"(?s)<(style|script|title|svg)\b.*?</\1>", "", page)
    said = [unescape(text) for text in re.findall(r'<span lang="en">([^<]*)</span>', body)]
    beside = [unescape(text) for text in re.findall(r">([^<>]+)<", re.sub(r'<span lang="en">[^<]*</span>', "", body))]
    assert not [text for text in said if "⟦" in text]
    assert not {org.name for org in assessment.organizations} & set(said)
    assert assessment.verdict.headline in said
    blocker = next(assessment.rules[finding.rule].title for finding in assessment.findings if finding.outcome == "gap")
    assert any(blocker in text for text in said) and blocker not in beside
    sentence = re.compile(r"[A-Z][a-z]+( [a-zA-Z']+){5,}[.?]")
    unmarked = [text for text in beside if "⟦" not in text and sentence.fullmatch(text.strip())]
    assert len(unmarked) < 0.1 * len(said), unmarked


@pytest.mark.long
def test_so_it_is_in_markdown_tables_and_workbook(
    judged: tuple[Assessment, Inputs, pseudo.Known], everything: Translation
) -> None:
    assessment, inputs, data = judged
    with using(everything):
        text = markdown.render(report_view(assessment, inputs, "2026-11-30"))
        tables = csv.render(assessment, inputs.observations)
        book = xlsx.render(assessment, inputs.observations, interlock_version="1")
    text = _CARD.sub("", unescape(text).replace("\\", ""))
    text = re.sub(r"```mermaid.*?```|<a id=[^>]*>|\]\(#[^)]*\)|^[| :-]+$", "\n", text, flags=re.DOTALL | re.MULTILINE)
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        cells = unescape(re.sub(r"<[^>]*>", "\n", parts.read("xl/sharedStrings.xml").decode()))
    for shown in (text, *tables.values(), cells):
        beside = re.sub("|".join(re.escape(org.name) for org in inputs.organizations), "\n", pseudo.outside(shown)[0])
        found = set(pseudo.strange(beside, data))
        assert not found, "\n".join(sorted(found))
