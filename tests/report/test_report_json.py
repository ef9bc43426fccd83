"""The assessment as JSON."""

from __future__ import annotations

import json

import assessment_factory as factory
import pytest

from interlock.model.assessment import Assessment
from interlock.model.readiness import Interval
from interlock.report import json as report_json

pytestmark = pytest.mark.fast


def test_round_trip_keeps_everything() -> None:
    text = report_json.render(factory.sample())
    again = Assessment.model_validate_json(text)
    assert report_json.render(again) == text
    assert again.rules == factory.sample().rules
    assert again.findings == factory.sample().findings
    assert again.verdict == factory.sample().verdict


def test_same_assessment_same_bytes_sorted_and_ended() -> None:
    text = report_json.render(factory.sample())
    assert text == report_json.render(factory.sample())
    assert text.endswith(b"}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert "generated" not in json.loads(text)


def test_floats_are_rounded_and_never_nan() -> None:
    score = factory.make_score(1 / 3, 2 / 3).model_copy(update={"confidence": float("nan")})
    text = report_json.render(factory.sample().model_copy(update={"product_score": score}))
    data = json.loads(text)
    assert data["product_score"]["interval"] == {"low": 0.3333, "high": 0.6667}
    assert data["product_score"]["confidence"] is None


def test_class_is_written_under_its_own_name() -> None:
    data = json.loads(report_json.render(factory.sample()))
    assert data["rules"]["AUTH-001"]["class"] == "integration_blocker"


def test_the_rounded_interval_still_validates() -> None:
    assert Interval.model_validate({"low": 0.3333, "high": 0.6667}).low == 0.3333
