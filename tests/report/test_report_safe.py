"""Text from elsewhere, and estimates, as a report shows them; and that its fonts hold every glyph."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.model import words
from interlock.model.base import Grade
from interlock.model.rule import Effort, LeadTime
from interlock.report import estimates, safe

pytestmark = pytest.mark.fast

FONTS = Path(__file__).parents[2] / "reports" / "fonts"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-09-08T14:03:00Z", "8 Sep 2026, 14:03 UTC"),
        ("2026-09-08T16:03:00+02:00", "8 Sep 2026, 14:03 UTC"),
        ("2026-09-08", "8 Sep 2026"),
        ("soon", "soon"),
        (None, ""),
        ("2026-09-08Tnonsense", "2026-09-08Tnonsense"),
    ],
)
def test_moments(value: str | None, shown: str) -> None:
    assert safe.moment(value) == shown


def test_a_finish_is_never_shown_early() -> None:
    assert estimates.days(11.2) == "12 working days"
    assert estimates.days(1.0) == "1 working day"


def test_texts_are_bounded_and_writable() -> None:
    assert len(safe.text("x" * 10_000)) == safe.MESSAGE_LIMIT
    assert safe.text("a\x1b[31mb\u202ec\ud800") == "a\ufffd[31mb\ufffdc\ufffd"
    safe.text("\ud800\uffff").encode("utf-8")


def test_estimates_name_their_unit_and_their_range() -> None:
    effort = Effort(low=0.5, expected=1, high=4)
    assert estimates.effort(effort) == "1 person-day (0.5 to 4)"
    assert estimates.effort(effort, unit=False) == "1 (0.5 to 4)"
    lead = LeadTime(
        low=3, expected=10, high=30, unit="working_days", source="judgement", grade=Grade.JUDGEMENT, as_of="2026"
    )
    assert estimates.lead_time(lead) == "10 working days (3 to 30)"
    assert estimates.expected(lead.but(unit="days", expected=1)) == "1 calendar day"


def test_the_fonts_of_a_report_have_every_glyph_of_our_words() -> None:
    ttlib = pytest.importorskip("fontTools.ttLib", reason="the extra pdf is not installed")
    known = {code for path in FONTS.glob("*.woff2") for code in ttlib.TTFont(path).getBestCmap()}
    tables = [value for value in vars(words).values() if isinstance(value, dict)]
    glyphs = {word.glyph for table in tables for word in table.values() if isinstance(word, words.Word)}
    assert len(glyphs) > 10
    assert not [glyph for glyph in glyphs if glyph and ord(glyph) not in known]
