"""What ``interlock doctor`` says of strict validation is what it saw just now."""

from __future__ import annotations

import pytest

from interlock.fhir import validation
from interlock.fhir.validation import Problem, Validation
from interlock.usecases.doctor import _strict

pytestmark = pytest.mark.fast


def test_it_tells_right_from_wrong_here() -> None:
    finding = _strict()
    assert finding.ok is True
    assert "fhir.resources" in finding.detail and "DSTU2" in finding.detail


@pytest.mark.parametrize(
    "answer",
    [
        Validation({}),
        Validation({}, unread="nothing at hand"),
        Validation({}, (Problem("/active", "is a string, not a boolean", "tables"),), 1),
    ],
)
def test_a_validation_that_says_the_same_of_both_is_not_ok(monkeypatch: pytest.MonkeyPatch, answer: Validation) -> None:
    monkeypatch.setattr(validation, "validate", lambda *_: answer)
    finding = _strict()
    assert finding.ok is False and finding.remedy
