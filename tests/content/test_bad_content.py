"""What a user's own questionnaires and rules can get wrong: each is told with file, line and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from interlock.content.compile import compile_expression
from interlock.content.rulesets import SetFolders, load_ruleset
from interlock.content.syntax import CelSyntaxError
from interlock.judge.lint import LintProblem
from interlock.model.errors import DocumentError, InterlockError
from interlock.model.rule import Ruleset
from interlock.usecases.lint import lint_content, lint_directories

QUESTIONS = """\
id: own
version: "1"
title: Own
items:
- id: own.fax
  type: choice
  text: How do results leave the hospital today?
  options:
  - {value: paper, label: On paper, weight: 0}
  - {value: none, label: Nothing is faxed, weight: 1}
"""
RULE = """\
id: OWN-001
title: Results leave by fax
scope: product
class: gap
gate: pilot
severity: low
gap_when: value.own.fax < 0.5
measures: own.fax
message: Results leave by fax
why: A faxed result cannot be withdrawn.
source: [S39]
remediation: {text: Send them as documents, owner: us, effort: {low: 1, expected: 2, high: 5}}
tests:
- {given: {responses: {own.fax: paper}}, expect: gap}
- {given: {responses: {own.fax: none}}, expect: met}
- {given: {}, expect: unknown}
"""
HEADER = 'id: ours\nversion: "1"\ntitle: Ours\nextends: core\n'


#: What the rule is reported at when its condition is wrong.
AT_GAP_WHEN = "rulesets/ours/own/OWN-001.yaml:7:1: OWN-001: "


class Own:
    """A folder with content of a user's own, and a small set called core that it extends.

    With that base, ours need not be linted with everything that is shipped.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ours = root / "rulesets" / "ours"
        self.base = root / "base"
        self.files = {
            "questions": self.put("questionnaires/own.yaml", QUESTIONS),
            "header": self.put("rulesets/ours/ruleset.yaml", HEADER),
            "rule": self.put("rulesets/ours/own/OWN-001.yaml", RULE),
        }
        self.put("base/core/ruleset.yaml", 'id: core\nversion: "1"\ntitle: Base\n')
        self.put("base/core/base/AUTH-001.yaml", RULE.replace("OWN-001", "AUTH-001").replace("own.fax", "base.fax"))
        self.put(
            "base/questionnaires/base.yaml", QUESTIONS.replace("id: own\n", "id: base\n").replace("own.fax", "base.fax")
        )

    def put(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def change(self, name: str, before: str, after: str) -> None:
        text = self.files[name].read_text()
        assert text.count(before) == 1
        self.files[name].write_text(text.replace(before, after))

    def load(self) -> Ruleset:
        return load_ruleset(self.ours, SetFolders((self.root / "rulesets",)))

    def told(self) -> list[str]:
        """What is wrong, on top of the shipped content."""
        return self.shown(lint_content(self.root))

    def told_on_the_base(self) -> list[str]:
        folders = SetFolders((self.base, self.root / "rulesets"))
        questions = [self.base / "questionnaires", self.root / "questionnaires"]
        return self.shown(lint_directories(questions, self.ours, (), folders, check_ids=["SMART-004"]))

    def shown(self, found: Sequence[LintProblem]) -> list[str]:
        return [str(one).replace(f"{self.root}/", "") for one in found]


def is_among(message: str, told: list[str]) -> bool:
    return any(message in one for one in told)


@pytest.fixture(autouse=True, scope="module")
def _shipped_content_is_linted_once() -> Iterator[None]:
    """Each lint of content on top of the shipped one lints that alone too, to leave out what is wrong there."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("interlock.usecases.lint.lint_content", cache(lint_content))
        yield


@pytest.fixture
def own(tmp_path: Path) -> Own:
    return Own(tmp_path)


def test_sound_content_of_ones_own_is_clean(own: Own) -> None:
    assert own.told() == []
    assert own.told_on_the_base() == []


def test_questions_alone_do_not_blame_the_shipped_rules(own: Own) -> None:
    for name in ("rule", "header"):
        own.files[name].unlink()
    (own.ours / "own").rmdir()
    assert own.told() == [
        "questionnaires/own.yaml:5:3: own.fax: the worst answer (paper) opens no gap; no rule reads it "
        "[worst-opens-nothing]"
    ]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("value.own.fac < 0.5", "gap_when reads value.own.fac: no questionnaire has the question 'own.fac'; "
         "did you mean 'own.fax'?"),
        ("value.own.fax < 0.5 || contract.luanch.browser", "gap_when reads contract.luanch.browser: "
         "contract has no 'luanch'; did you mean 'launch'?"),
        ("value.own.fax <", "gap_when is not valid CEL: expected a value, found the end\n"
         "value.own.fax <\n               ^"),
        ("'false'", "gap_when is always false, whatever is known"),
        ("responses.own.fax == 'papper'", "gap_when: own.fax never has the answer 'papper'; it offers paper, none"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_condition_is_told_with_its_place(own: Own, condition: str, message: str) -> None:
    own.change("rule", "value.own.fax < 0.5", condition)
    assert is_among(AT_GAP_WHEN + message, own.told_on_the_base())


@pytest.mark.parametrize(
    ("name", "before", "after", "message"),
    [
        ("rule", "scope: product", "scope: org\napplies: checks['SMART-04'] == 'fail'", "applies reads "
         "checks.SMART-04: there is no check 'SMART-04'; did you mean 'SMART-004'?"),
        ("rule", "< 0.5", "< 0.5 && 1 == 2", "OWN-001.yaml:14:3: OWN-001: test 1 expects gap and the outcome is met"),
        ("rule", "- {given: {responses: {own.fax: paper}}, expect: gap}\n", "", "OWN-001.yaml:13:1: OWN-001: "
         "no test expects gap: nothing proves that the rule can ever fire"),
        ("rule", "severity: low", "severity: low\ndepends_on: [OWN-002]", "OWN-001.yaml:7:14: OWN-001: "
         "depends_on names 'OWN-002', which is no rule"),
        ("rule", "title: Results leave by fax", "title: No", 'OWN-001.yaml:2:8: No looks like a boolean: write "No"'),
        ("rule", "why: A faxed result cannot be withdrawn.\n", "", "OWN-001.yaml:1:1: missing key 'why'"),
        ("questions", "text: How do results leave the hospital today?", "text: No", "own.yaml:7:9: No looks like a "
         'boolean: write "No"'),
        ("questions", 'version: "1"', "version: 1.10", "own.yaml:2:1: version: Input should be a valid "
         "string (found 1.1) (put it in quotes"),
        ("header", 'version: "1"', "version: 1.10", "ruleset.yaml:2:1: version: Input should be a valid string"),
        ("header", "extends: core", "extends: cor", "ruleset.yaml:4:1: extends names 'cor', which does not exist; "
         "did you mean 'core'?"),
        ("header", "extends: core", "extends: [core, ours]", "ruleset.yaml:4:17: extends forms a circle: ours → ours"),
        ("header", "extends: core", "extends: core\nrules: {OWN-009: off}", "ruleset.yaml:5:9: rules names 'OWN-009', "
         "which no extended set has"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(own: Own, name: str, before: str, after: str, message: str) -> None:
    own.change(name, before, after)
    assert is_among(message, own.told_on_the_base())


def test_a_rule_of_the_base_may_wait_for_one_of_ones_own_but_not_both_ways(own: Own) -> None:
    own.change("header", "extends: core", "extends: core\nrules:\n  AUTH-001: {depends_on: [OWN-001]}")
    assert own.told_on_the_base() == []
    own.change("rule", "severity: low", "severity: low\ndepends_on: [AUTH-001]")
    assert is_among("the dependencies form a circle: AUTH-001 → OWN-001 → AUTH-001", own.told_on_the_base())


def test_two_rules_with_one_id_are_told_with_both_places(own: Own) -> None:
    own.put("rulesets/ours/zulu/OWN-001.yaml", RULE)
    (told,) = own.told_on_the_base()
    assert told.startswith("rulesets/ours/zulu/OWN-001.yaml:1:1: the rule id 'OWN-001' is already used at ")
    assert "rulesets/ours/own/OWN-001.yaml:1:1" in told


def test_two_rules_that_say_the_same_are_told(own: Own) -> None:
    same = RULE.replace("OWN-001", "OWN-002").replace("value.own.fax < 0.5", "( value.own.fax   < 0.5 )")
    own.put("rulesets/ours/own/OWN-002.yaml", same)
    assert [one.split(": ", 1)[1] for one in own.told_on_the_base()] == [
        "OWN-002: has the same gap_when and scope as OWN-001 [duplicate-condition]"
    ]


def test_a_workspace_is_linted_whole(own: Own) -> None:
    own.put("interlock.yaml", 'name: N\nproduct: P\nruleset: ours\nruleset_version: "2"\n')
    own.put("responses/product.yaml", "answers:\n  own.fax: {status: answerd, value: paper}\n")
    assert [one.split(" (")[0] for one in own.told()] == [
        "interlock.yaml:4:1: ruleset_version is '2', and ours is '1' here [version]",
        "responses/product.yaml:2:13: status: Input should be 'answered', 'unknown', 'not_applicable' or 'unanswered'",
    ]
    own.put("interlock.yaml", "name: N\nproduct: P\n")
    assert is_among("so rulesets/ours is not used [unused]", own.told())
    own.put("interlock.yaml", "name: N\nproduct: P\nruleset: theirs\n")
    assert is_among("interlock.yaml:3:1: there is no ruleset 'theirs' [reference]", own.told())


def test_a_folder_with_nothing_to_lint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InterlockError, match=r"has neither questionnaires/ nor rulesets/ nor interlock.yaml"):
        lint_content(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected keys and values, found empty"),
        ("- a\n- b\n", "expected keys and values, found a list"),
        ("just words\n", "expected keys and values, found a str"),
        ("id: ours\n\ttitle: x\n", ":2:1: not valid YAML"),
        ("id: ours\ntitle: 'open\n", "not valid YAML"),
        ("id: ours\nrules: {a: b\n", "not valid YAML"),
        ("id: ours\n title: x\n", ":2:7: not valid YAML"),
        ("id: ours\nid: ours\n", ":2:1: the key 'id' appears twice"),
        ("id: *nobody\n", ":1:5: nothing before this is called &nobody"),
        ("id: !!python/object:os.system x\n", ":1:5: the tag"),
        ("id: ours\n---\nid: theirs\n", "not valid YAML"),
        ("1: ours\n", ":1:1: the key '1' is not text (quote it)"),
        (HEADER + "colour: red\n", ":5:1: unknown key 'colour'"),
        ("a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
        ), "more than 200,000 values"),
        ("[" * 5_000, "nested more than 64 deep"),
        ("id: " + "[" * 80 + "]" * 80, "nested more than 64 deep"),
        ("id: \x07\n", ":1:5: holds the character U+0007"),
    ],
)  # fmt: skip
def test_every_kind_of_broken_yaml_is_an_error_with_a_place(own: Own, text: str, message: str) -> None:
    own.files["header"].write_text(text)
    with pytest.raises(DocumentError) as caught:
        own.load()
    assert message in str(caught.value)
    assert caught.value.location is not None and caught.value.location.file == str(own.files["header"])


def test_a_file_that_is_not_utf_8_is_told(own: Own) -> None:
    own.files["rule"].write_bytes(b"id: OWN-001\ntitle: caf\xe9\n")
    with pytest.raises(DocumentError, match=r"OWN-001\.yaml: not UTF-8 text \(save the file as UTF-8\)"):
        own.load()


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("org.a.all(x, org.a.all(y, org.a.all(z, x == y)))", "more than 2 nested all, exists, filter or map"),
        ("org.a.exists(x, org.a.map(y, y).size() > 1)", "map inside another macro"),
        ("(" * 60 + "true" + ")" * 60, "nested deeper than 40"),
        ("true" + " && true" * 300, "longer than 2,000 characters"),
        ("!" * 60 + "true", "nested deeper than 40"),
    ],
)
def test_a_condition_that_could_run_for_seconds_is_refused(condition: str, message: str) -> None:
    with pytest.raises(CelSyntaxError) as caught:
        compile_expression(condition)
    assert message in caught.value.message
