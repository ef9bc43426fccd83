"""What the shipped content says of its sources, where an earlier wording said more than the source carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.content.rulesets import load_patterns
from interlock.documents.resources import data_dir
from interlock.plan.notes import CROSS_CHECK

pytestmark = pytest.mark.fast

CONTENT = {
    path: path.read_text(encoding="utf-8")
    for name in ("questionnaires", "rulesets")
    for path in sorted(Path(data_dir(name)).rglob("*.yaml"))
}
#: What was claimed of a source and is not in it → the sources read say.
OVERDRAWN = {
    "390,841 alerted": "390,841 prescriptions were looked at, and 37.1 % of them alerted",
    "already filed": "Epic's 59141 means a like record, not one of ours",
    "59187 to 59189": "only 59188 is about the mapping of a code",
    "fewer than 30 days": "public certificates shrink to 47 days",
    "US Core ballot": "US Core 9.0.0 is published",
    "US-Core/writing-clinical-notes": "the continuous build; the page is published",
    "millennium-platform-apis/fhir-authorization-framework": "the page has another address",
}


def text_of(path: str) -> str:
    (found,) = (text for at, text in CONTENT.items() if at.as_posix().endswith(path))
    return " ".join(found.split())


def question(questionnaire: str, item: str) -> str:
    """The text of one question in its file."""
    before, _, after = text_of(f"questionnaires/{questionnaire}").partition(f"- id: {item} ")
    assert before and after
    return after.split(" - id: ")[0]


@pytest.mark.parametrize("claim", OVERDRAWN)
def test_no_claim_comes_back_that_its_source_does_not_carry(claim: str) -> None:
    found = [path.name for path, text in CONTENT.items() if claim in " ".join(text.split())]
    assert not found, f"{claim}: {OVERDRAWN[claim]}"


def test_what_a_source_does_not_carry_is_called_a_judgement() -> None:
    assert "judgement" in text_of("BND-013.yaml").partition("why:")[2].partition("references:")[0]
    assert "judgement" in question("1-boundary.yaml", "boundary.action_capacity")
    assert "are our judgement" in text_of("WF-035.yaml")
    assert "our judgement" in question("2-workflow-contract.yaml", "contract.off_switch")
    assert "our judgement" in text_of("DEL-018.yaml")
    assert "(judgement)" in question("6-delivery-and-test-path.yaml", "delivery.change_notice")
    assert "(judgement)" in text_of("EPIC-007.yaml")


def test_switching_off_is_asked_for_by_a_source_that_speaks_of_it() -> None:
    for text in (text_of("WF-035.yaml"), question("2-workflow-contract.yaml", "contract.off_switch")):
        assert "MANAGE 2.4" in text and "PMC5070518" not in text


def test_notice_of_a_change_is_not_attributed_to_a_rule_for_ehr_developers() -> None:
    for text in (text_of("DEL-018.yaml"), question("6-delivery-and-test-path.yaml", "delivery.change_notice")):
        assert "2023-28857" not in text and "says nothing of notice" in text


def test_keys_of_a_tenant_come_from_the_sheet_that_asks_for_them() -> None:
    for text in (text_of("AUTH-023.yaml"), question("3-auth-surface.yaml", "auth.tenant_keys")):
        assert text.index("sections 6 and 7") < text.index("ASVS") and "subpart-C" not in text


def test_a_pattern_of_certificates_looks_at_the_share_of_life_that_is_left() -> None:
    pattern = next(pattern for pattern in load_patterns([data_dir("rulesets") / "patterns"]) if pattern.id == "PAT-038")
    assert "days_valid" in pattern.gap_when and "judgement" in pattern.action
    assert not any("9325" in reference.url for reference in pattern.references)


def test_whoever_compares_with_the_longest_known_integration_hears_that_it_was_no_smart_app() -> None:
    assert "18 months" in CROSS_CHECK and "is no SMART app" in CROSS_CHECK
    for path, text in CONTENT.items():
        for line in text.splitlines():
            assert "Scalia 2021: 18 months" not in line or "no SMART app" in line, path.name
