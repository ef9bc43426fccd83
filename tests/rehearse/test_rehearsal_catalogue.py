"""The catalogue of rehearsal checks: whole, linted, and told on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from interlock.content.rehearsals import read_catalogue
from interlock.judge.lint import lint_rehearsals
from interlock.model.errors import InterlockError
from interlock.model.product import Product
from interlock.model.rehearsal import LETTERS, RehearsalOutcome, worst
from interlock.rehearse.run import BUILT
from interlock.usecases.rehearsal_checks import catalogue, rehearsal_check

pytestmark = pytest.mark.fast

CHECK = """
  - id: {id}
    severity: high
    title: One
    does: Something
    good: Something else
    how: [http]
    turns: [{turns}]
    rules: [AUTH-999]
    judgement: true
"""


def test_the_catalogue_has_every_family_in_order_and_each_check_rests_on_something() -> None:
    checks = catalogue()
    letters = [check.id[3] for check in checks]
    assert list(dict.fromkeys(letters)) == list(LETTERS.values())
    assert len({check.id for check in checks}) == len(checks) == 149
    assert all(check.references or check.judgement for check in checks)
    assert len({check.title for check in checks}) == len(checks)


def test_what_is_wrong_in_a_catalogue_is_told_with_its_place(tmp_path: Path) -> None:
    text = "family: launch\nchecks:" + CHECK.format(id="RH-L01", turns="auth.nothing=any")
    (tmp_path / "launch.yaml").write_text(
        text + CHECK.format(id="RH-L01", turns="") + CHECK.format(id="RH-C01", turns="")
    )
    (tmp_path / "callback.yaml").write_text(
        "family: logs\nchecks:" + CHECK.format(id="RH-G01", turns="").replace("judgement: true", "")
    )
    problems = lint_rehearsals(read_catalogue(tmp_path), (), rules=["AUTH-001"], built=["RH-L01", "RH-T01"])
    said = "\n".join(map(str, problems))
    for words in (
        "launch.yaml:9:13: RH-L01: turns names the question 'auth.nothing'",
        "rules names 'AUTH-999', which does not exist; did you mean 'AUTH-001'?",
        "RH-L01 is used twice",
        "RH-C01 is of the family 'callback', not 'launch'",
        "a check names a source, or says that it is a judgement",
        "RH-L01: it is built, and has no steps",
        "RH-T01: it is built, and not in the catalogue",
    ):
        assert words in said, said


def test_a_check_is_found_by_its_number_in_any_case() -> None:
    assert rehearsal_check("c06").id == "RH-C06"
    with pytest.raises(InterlockError, match="did you mean 'RH-C06'"):
        rehearsal_check("RH-C066")


def test_the_product_files_of_the_documentation_are_valid() -> None:
    text = (Path(__file__).parents[2] / "docs/rehearsal.md").read_text("utf-8")
    least, more = re.findall(r"(?s)```yaml\n(.*?)```", text)
    product = Product.model_validate(yaml.safe_load(least))
    whole = Product.model_validate(yaml.safe_load(least + more))
    assert product.endpoints == () and {one.what for one in whole.endpoints} == {"page", "viewer", "filter"}


def test_each_check_of_the_catalogue_is_built_and_told_in_words_that_stand_alone() -> None:
    assert {check.id for check in catalogue()} == set(BUILT)
    for check in catalogue():
        told = f"{check.does} {check.good}"
        assert not re.search(r"RH-|\bcanar|^(The same|Then|As)\b", told), check.id


def test_a_row_that_is_worse_counts() -> None:
    held, broke, hook = RehearsalOutcome.HELD, RehearsalOutcome.BROKE, RehearsalOutcome.NEEDS_HOOK
    assert worst([held, broke, hook]) is broke
    assert worst([held, hook]) is hook
    assert worst([held, RehearsalOutcome.NOT_APPLICABLE]) is held
