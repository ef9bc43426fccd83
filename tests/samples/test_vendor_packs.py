"""The vendors' packs: what each adds, for whom, and on what authority."""

from __future__ import annotations

import re

import pytest

from interlock.content.questionnaires import load_questionnaires
from interlock.content.rulesets import SetFolders, load_ruleset
from interlock.documents.resources import data_dir
from interlock.judge.evaluate import evaluate
from interlock.judge.variables import RuleInputs
from interlock.model.base import Scope
from interlock.model.contract import WorkflowContract
from interlock.model.organization import Organization
from interlock.model.rule import Rule

pytestmark = pytest.mark.fast

PACKS = {"epic": "EPIC", "oracle": "ORCL", "athenahealth": "ATHN", "meditech": "MTCH"}
GRADED = re.compile(r"\(grade (regulation|vendor|literature|judgement)[a-z, ]*, (20\d\d(-\d\d){0,2})\)$")
RULESET = load_ruleset(data_dir("rulesets") / "core", SetFolders((data_dir("rulesets"),)))
QUESTIONS = load_questionnaires((data_dir("questionnaires"),))


def _rules(vendor: str) -> list[Rule]:
    return [rule for rule in RULESET.rules if rule.vendors == (vendor,)]


@pytest.mark.parametrize(("vendor", "prefix"), PACKS.items())
def test_a_pack_has_at_least_five_rules_of_its_own(vendor: str, prefix: str) -> None:
    rules = _rules(vendor)
    assert len(rules) >= 5
    assert {rule.id.partition("-")[0] for rule in rules} == {prefix}
    assert {rule.scope for rule in rules} <= {Scope.VENDOR, Scope.ORG}


@pytest.mark.parametrize("vendor", PACKS)
def test_each_fact_of_a_pack_has_a_source_a_grade_and_a_date(vendor: str) -> None:
    for rule in _rules(vendor):
        assert any(GRADED.search(reference.title) for reference in rule.references), rule.id
        lead = rule.remediation.lead_time
        assert lead is None or (lead.grade and lead.as_of), rule.id


@pytest.mark.parametrize("vendor", PACKS)
def test_a_pack_speaks_about_its_own_vendor_only(vendor: str) -> None:
    organizations = tuple(
        Organization(id=f"at-{one}", name=one.title(), vendor=one) for one in (*PACKS, "other") if one != vendor
    )
    contract = WorkflowContract(version="1", title="Example")
    found = evaluate(RULESET, RuleInputs(questionnaires=QUESTIONS, organizations=organizations, contract=contract))
    ours = {rule.id for rule in _rules(vendor)}
    assert not ours & {finding.rule for finding in found}
    others = {rule.id for other in PACKS if other != vendor for rule in _rules(other)}
    assert others <= {finding.rule for finding in found}
