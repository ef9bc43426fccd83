"""Every lint proof, with content that passes and content that does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rule_examples import boolean, choice, form, rule_data, ruleset, several

from interlock.judge.lint import LintProblem, lint
from interlock.judge.lint.problems import CODES
from interlock.model.questionnaire import Questionnaire
from interlock.model.rule import RoutineTask, Rule, Ruleset
from interlock.usecases.lint import lint_directories

pytestmark = pytest.mark.fast

Data = dict[str, Any]


def choice_rule(name: str, **more: Any) -> Data:
    """A rule about one choice item, with every test it needs."""
    scope = more.pop("scope", "org")
    number = more.pop("number", 1)
    return rule_data(
        f"value.{name} < 0.5",
        f"TEST-{number:03}",
        scope=scope,
        measures=name,
        tests=[
            {"given": {"responses": {name: "none"}}, "expect": "gap"},
            {"given": {"responses": {name: "all"}}, "expect": "met"},
            {"given": {}, "expect": "unknown"},
        ],
        **more,
    )


def content(*extra: Data) -> tuple[list[Data], list[Data]]:
    """(items, rules) without a problem."""
    items = [choice("x.a", source=["S01"]), choice("x.p", "product", source=["S02"])]
    rules = [choice_rule("x.a", source=["S01"]), choice_rule("x.p", number=2, scope="product", source=["S02"])]
    return [*items, *extra], rules


def check(items: list[Data], rules: list[Data], **more: Any) -> tuple[LintProblem, ...]:
    tasks = tuple(RoutineTask.model_validate(task) for task in more.pop("tasks", ()))
    built = ruleset(*(Rule.model_validate(rule) for rule in rules), tasks=tasks)
    return lint(built, (form(*items),), more.pop("statements", ("S01", "S02")), **more)


def found(problems: tuple[LintProblem, ...]) -> list[tuple[str, str]]:
    return [(problem.id, problem.code) for problem in problems]


def only(problems: tuple[LintProblem, ...], code: str, text: str, owner: str | None = None) -> None:
    """There is exactly one problem of this kind, and it says this."""
    assert code in CODES
    matching = [problem for problem in problems if problem.code == code]
    assert [text in problem.message for problem in matching] == [True], [str(problem) for problem in problems]
    if owner:
        assert matching[0].id == owner


def test_content_without_a_problem() -> None:
    assert check(*content()) == ()


# References and scopes


@pytest.mark.parametrize(
    ("condition", "code", "text"),
    [
        ("value.x.a < 0.5 || responses.x.b == 'none'", "reference", "no questionnaire has the question 'x.b'"),
        ("value.x.a < 0.5 || responses.x.aa == 'none'", "reference", "did you mean 'x.a'?"),
        ("value.x.a < 0.5 || responses.x.g.inner", "reference", "no questionnaire has the question 'x.g.inner'"),
        ("value.x.a < 0.5 || responses.x.group", "reference", "x.group is a group"),
        ("value.x.a < 0.5 || has(responses.x)", "reference", "no questionnaire has the question 'x'"),
        ("value.x.a < 0.5 || contract.lauch.browser", "reference", "contract has no 'lauch'; did you mean 'launch'?"),
        ("value.x.a < 0.5 || contract.launch.mode == []", "reference", "did you mean 'modes'?"),
        ("value.x.a < 0.5 || contract.title.size == 1", "reference", "contract.title has no fields"),
        ("value.x.a < 0.5 || probe.smart.capability == []", "reference", "probe.smart has no 'capability'"),
        ("value.x.a < 0.5 || has(probe.capability.resources.Patient)", "reference", "read fit.missing"),
        ("value.x.a < 0.5 || fit.gone.size() > 0", "reference", "fit has no 'gone'"),
        ("value.x.a < 0.5 || org.nmae == ''", "reference", "org has no 'nmae'; did you mean 'name'?"),
        ("value.x.a < 0.5 || org.name.first == ''", "reference", "org.name has no fields"),
        ("value.x.a < 0.5 || fleet.size > 1", "reference", "fleet has no 'size'"),
        ("value.x.a < 0.5 || vendor == 'epic'", "scope", "vendor is not there in a rule of org scope"),
        ("value.x.a < 0.5 || colour == 'red'", "variable", "there is no 'colour'"),
        ("value.x.a < 0.5 || value.x.words > 0.5", "grade", "x.words is not graded"),
        ("value.x.a < 0.5 || lower(org.name) == 'a'", "function", "'lower'"),
        ("value.x.a < 0.5 || responses.x.a == 'nothing'", "option", "never has the answer 'nothing'; it offers none"),
        ("value.x.a < 0.5 || 'nothing' != responses.x.a", "option", "never has the answer 'nothing'"),
        ("value.x.a < 0.5 || responses.x.a in ['none', 'nil']", "option", "never has the answer 'nil'"),
        ("value.x.a < 0.5 || responses.x.a == true", "option", "never has the answer true"),
        ("value.x.a < 0.5 || 'nil' in responses.x.m", "option", "x.m never has the answer 'nil'"),
        ("value.x.a < 0.5 || 'none' in responses.x.a", "option", "in needs a multi_choice"),
        ("value.x.a < 0.5 || responses.x.m == 'none'", "option", "write 'none' in responses.x.m"),
        ("value.x.a < 0.5 || responses.x.m.exists(v, v == 'nil')", "option", "x.m never has the answer 'nil'"),
        ("value.x.a < 0.5 || responses.x.flag == 'yes'", "option", "x.flag is a boolean and is never 'yes'"),
        ("value.x.a < 0.5 || responses.x.number == 'three'", "option", "x.number is an integer and is never 'three'"),
    ],
)
def test_names_that_can_never_be_there(condition: str, code: str, text: str) -> None:
    extra = (
        several("x.m"),
        boolean("x.flag"),
        {"id": "x.number", "type": "integer", "text": "?", "scope": "org"},
        {"id": "x.words", "type": "string", "text": "?", "scope": "org"},
        {"id": "x.group", "type": "group", "text": "?", "items": [boolean("x.group.inner")]},
    )
    items, rules = content(*extra)
    rules[0]["gap_when"] = condition
    only(check(items, rules), code, text, "TEST-001")


@pytest.mark.parametrize(
    "condition",
    [
        "value.x.a < 0.5 && (responses.x.a in ['none', 'some'] || responses.x.a == responses.x.p)",
        "value.x.a < 0.5 && !(contract.outputs.exists(o, o.anything == 'x'))",
        "value.x.a < 0.5 && !(has(probe.tls.versions.anything) && has(probe.capability.security.oauth_uris.register))",
        "value.x.a < 0.5 && fit.missing.size() + fit.missing_optional.size() >= 0",
        "value.x.a < 0.5 && org.vendor != fleet.vendors[0].substr",
    ],
)
def test_names_that_can_be_there(condition: str) -> None:
    items, rules = content()
    rules[0]["gap_when"] = condition
    codes = {problem.code for problem in check(items, rules)}
    assert not codes & {"reference", "scope", "variable", "option", "grade", "function"}


def test_a_product_rule_reads_no_organisation() -> None:
    items, rules = content()
    rules[1]["gap_when"] = "value.x.p < 0.5 || value.x.a < 0.5"
    only(check(items, rules), "scope", "x.a is answered once per org, and the rule is of product scope", "TEST-002")
    rules[1]["gap_when"] = "value.x.p < 0.5 || checks['A-001'] == 'fail'"
    only(check(items, rules), "scope", "checks is not there in a rule of product scope", "TEST-002")


def test_checks_are_looked_up_when_their_ids_are_known() -> None:
    items, rules = content()
    rules[0]["gap_when"] = "value.x.a < 0.5 || checks['SMART-002'] == 'fail'"
    assert "reference" not in {problem.code for problem in check(items, rules)}
    only(check(items, rules, check_ids={"SMART-001"}), "reference", "there is no check 'SMART-002'; did you mean")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("{org.nmae}", "message shows {org.nmae}: org has no 'nmae'"),
        ("{colour}", "there is no 'colour'"),
        ("{responses.x.z}", "no questionnaire has the question 'x.z'"),
    ],
)
def test_message_fields(message: str, text: str) -> None:
    items, rules = content()
    rules[0]["message"] = message
    only(check(items, rules), "message", text, "TEST-001")


def test_a_measured_question_is_read_and_graded() -> None:
    items, rules = content({"id": "x.words", "type": "string", "text": "?", "scope": "org"})
    rules[0]["measures"] = "x.p"
    only(check(items, rules), "measures", "measures x.p, which gap_when does not read", "TEST-001")
    rules[0]["measures"] = "x.words"
    only(check(items, rules), "grade", "x.words is not graded", "TEST-001")


# Conditions


@pytest.mark.parametrize(
    ("key", "condition", "text"),
    [
        ("gap_when", "1 > 2", "gap_when is always false"),
        ("gap_when", "value.x.a < 0.5 || true", "gap_when is always true"),
        ("gap_when", "false && value.x.a < 0.5", "gap_when is always false"),
        ("gap_when", "'a' < 1", "gap_when always fails"),
        ("applies", "!false", "applies is always true"),
    ],
)
def test_constant_conditions(key: str, condition: str, text: str) -> None:
    items, rules = content()
    rules[0][key] = condition
    only(check(items, rules), "constant", text, "TEST-001")


def test_two_rules_with_one_condition() -> None:
    items, rules = content()
    rules.append({**choice_rule("x.a", number=3), "gap_when": "(value.x.a  <  0.5)"})
    only(check(items, rules), "duplicate-condition", "the same gap_when and scope as TEST-001", "TEST-003")
    rules[2]["gap_when"] = "value.x.a < 0.6"
    assert "duplicate-condition" not in {problem.code for problem in check(items, rules)}


# A rule's own tests


def test_a_test_that_does_not_hold() -> None:
    items, rules = content()
    rules[0]["tests"][1] = {"given": {"responses": {"x": {"a": "none"}}}, "expect": "met"}
    only(check(items, rules), "test-fails", "test 2 expects met and the outcome is gap", "TEST-001")
    rules[0]["tests"][1] = {"given": {}, "expect": "met"}
    only(check(items, rules), "test-fails", "the outcome is unknown (not answered: x.a)", "TEST-001")


@pytest.mark.parametrize("missing", ["gap", "met", "unknown"])
def test_every_rule_is_tested_three_ways(missing: str) -> None:
    items, rules = content()
    rules[0]["tests"] = [test for test in rules[0]["tests"] if test["expect"] != missing]
    only(check(items, rules), "tests-missing", f"no test expects {missing}", "TEST-001")


def test_what_is_always_known_needs_no_test_for_unknown() -> None:
    items, rules = content()
    given = [({"fleet": {"organizations": 2}}, "gap"), ({}, "met")]
    tests = [{"given": one, "expect": outcome} for one, outcome in given]
    rules.append(rule_data("fleet.organizations > 1", "TEST-003", scope="product", tests=tests))
    assert check(items, rules) == ()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"answers": {}}, "a rule of org scope has no 'answers'"),
        ({"vendor": "epic"}, "a rule of org scope has no 'vendor'"),
        ({"responses": {"x.z": "none"}}, "given.responses.x.z: no questionnaire has this question"),
        ({"responses": {"x.a": "nothing"}}, "'nothing' is not an answer to a choice; it offers none, some, all"),
        ({"responses": {"x.a": True}}, "True is not an answer to a choice"),
        ({"responses": {"x.a": 1.5}}, "is not an answer"),
        ({"responses": ["x.a"]}, "expected a map of questions"),
        ({"value": {"x.z": 1}}, "given.value.x.z: no questionnaire has this question"),
        ({"value": {"x.a": 2}}, "2 is not a number from 0 to 1"),
        ({"value": {"x.a": True}}, "True is not a number from 0 to 1"),
        ({"checks": {"A-001": "failed"}}, "expected check ids, each with pass, warn or fail"),
        ({"probe": {"smrat": {}}}, "given.probe.smrat: Extra inputs are not permitted"),
        ({"probe": {"jwks": {"keys": 1}}}, "given.probe.jwks.valid: required"),
        ({"contract": {"launch": {"modes": ["portal"]}}}, "given.contract.launch.modes.0"),
        ({"contract": "none"}, "given.contract: expected a map"),
        ({"fit": {"missed": []}}, "fit has no 'missed'; it has missing"),
        ({"fit": {"missing": "Patient.read"}}, "expected a list"),
        ({"org": {"has_url": 1}}, "expected true or false"),
        ({"fleet": {"organizations": True}}, "expected a whole number"),
    ],
)
def test_tests_give_only_what_can_be(given: Data, text: str) -> None:
    items, rules = content()
    rules[0]["tests"].append({"given": given, "expect": "unknown"})
    only(check(items, rules), "test-context", text, "TEST-001")


@pytest.mark.parametrize(
    ("condition", "given"),
    [
        ("responses.x.a == 'none' && value.x.a == 0.0", {"responses": {"x": {"a": "none"}}}),
        ("responses.x.a == 'none' && value.x.a == 1.0", {"responses": {"x.a": "none"}, "value": {"x.a": 1}}),
        ("value.x.a == 0.5 && !has(responses.x)", {"value": {"x": {"a": 0.5}}}),
        ("responses.x.m.size() == 2", {"responses": {"x.m": ["none", "all"]}}),
        ("contract.outputs.size() == 0 && !has(contract.clinical_event)", {"contract": {}}),
        ("contract.clinical_event.trigger == 't'", {"contract": {"clinical_event": {"trigger": "t"}}}),
        ("probe.smart.capability_sets.size() == 0 && !has(probe.jwks)", {"probe": {"smart": {}}}),
        ("checks['A-001'] == 'warn'", {"checks": {"A-001": "warn"}}),
        ("fit.missing.size() == 1 && fit.release_matches", {"fit": {"missing": ["Patient.read"]}}),
        ("!has(fit.launch_missing)", {"fit": {"launch_missing": None}}),
        ("org.vendor == 'epic' && org.has_url && fleet.organizations == 1", {"org": {"vendor": "epic"}}),
    ],
)
def test_the_context_of_a_test(condition: str, given: Data) -> None:
    items, rules = content(several("x.m"))
    rules[0] |= {"gap_when": condition, "tests": [{"given": given, "expect": "gap"}]}
    assert not {"test-fails", "test-context"} & {problem.code for problem in check(items, rules)}


def test_the_context_of_a_vendor_test() -> None:
    items, rules = content()
    member = {"id": "a", "name": "A", "vendor": "epic", "environment": "production", "has_url": True}
    given = {"vendor": "epic", "organizations": [member]}
    condition = "vendor == 'epic' && organizations.exists(o, o.environment == 'production')"
    rules.append(rule_data(condition, "TEST-003", scope="vendor", tests=[{"given": given, "expect": "gap"}]))
    assert found(check(items, rules)) == [("TEST-003", "tests-missing")]  # met


# Proofs over all answers


def test_the_best_answers_leave_no_gap() -> None:
    items, rules = content()
    rules[0]["gap_when"] = "value.x.a > 0.5"
    only(check(items, rules), "best-opens-gap", "although every answer is the best", "TEST-001")


def test_the_best_answers_leave_no_gap_in_any_fleet() -> None:
    items, rules = content()
    rules[1]["gap_when"] = "value.x.p < 0.5 || (fleet.organizations > 1 && value.x.p >= 0.5)"
    only(check(items, rules), "best-opens-gap", "although every answer is the best", "TEST-002")


@pytest.mark.parametrize("item", [choice("x.z"), several("x.z"), boolean("x.z")])
def test_a_graded_question_that_no_rule_reads(item: Data) -> None:
    only(check(*content(item)), "worst-opens-nothing", "no rule reads it", "x.z")


def test_a_worst_answer_that_opens_nothing() -> None:
    items, rules = content()
    rules[0]["gap_when"] = "responses.x.a == 'some'"
    only(check(items, rules), "worst-opens-nothing", "the worst answer (none) opens no gap; read by TEST-001", "x.a")


def third(items: list[Data], rules: list[Data], condition: str, **more: Any) -> tuple[list[Data], list[Data]]:
    return items, [*rules, rule_data(condition, "TEST-003", **more)]


def opened(items: list[Data], rules: list[Data]) -> list[str]:
    return [problem.id for problem in check(items, rules) if problem.code == "worst-opens-nothing"]


ASKED_IF_NONE = {"enable_when": [{"question": "x.a", "operator": "=", "answer": "none"}]}
KIND = {
    "id": "x.kind",
    "type": "choice",
    "text": "?",
    "scope": "org",
    "options": [{"value": "one", "label": "1"}, {"value": "two", "label": "2"}],
}


@pytest.mark.parametrize(
    ("extra", "condition", "more"),
    [
        ([choice("x.b", **ASKED_IF_NONE)], "responses.x.a == 'none' && value.x.b < 0.5", {}),
        ([KIND, choice("x.b")], "value.x.b < 0.5", {"applies": "responses.x.kind == 'two'"}),
        ([boolean("x.flag"), choice("x.b")], "value.x.b < 0.5", {"applies": "!responses.x.flag"}),
        ([choice("x.b")], "value.x.b < 0.5 && org.vendor == 'oracle' && org.environment == 'production'", {}),
        ([choice("x.b", "product")], "value.x.b < 0.5 && fleet.organizations > 1", {"scope": "product"}),
        ([choice("x.b")], "value.x.b < 0.5", {"applies": "contract.launch.modes.exists(m, m == 'backend')"}),
        ([choice("x.b", "product")], "value.x.b < 0.5 && vendor == 'epic'", {"scope": "vendor"}),
        ([several("x.b")], "!('all' in responses.x.b)", {}),
        ([boolean("x.b")], "!responses.x.b", {}),
    ],
)
def test_a_worst_answer_opens_a_gap_where_the_rule_applies(extra: list[Data], condition: str, more: Data) -> None:
    items, rules = content(*extra)
    assert opened(*third(items, rules, condition, **more)) == []


def test_a_gap_that_another_answer_opens_does_not_count() -> None:
    items, rules = content(choice("x.b", **ASKED_IF_NONE))
    assert opened(*third(items, rules, "responses.x.a == 'none' || (value.x.b < 0.5 && fit.supported > 0)")) == ["x.b"]


def test_a_boolean_that_is_only_a_premise_is_not_graded() -> None:
    items, rules = content(boolean("x.flag"))
    rules[0]["applies"] = "responses.x.flag"
    assert opened(items, rules) == []


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("!has(probe.smart)", "unknown-is-no"),
        ("!has(responses.x)", "unknown-is-no"),
        ("contract.outputs.size() > 0 && !('SMART-001' in checks)", "unknown-is-no"),
        ("has(probe.jwks) && !probe.jwks.valid", "unknown-is-yes"),
        ("has(responses.x) && value.x.a < 0.5", "unknown-is-yes"),
        ("checks.exists(c, c == 'SMART-001')", "unknown-is-yes"),
    ],
)
def test_ignorance_decides_nothing(condition: str, code: str) -> None:
    items, rules = content()
    problems = check(*third(items, rules, condition))
    assert [problem.code for problem in problems if problem.code.startswith("unknown-is")] == [code]


@pytest.mark.parametrize(
    "condition",
    ["value.x.a < 0.5 || (has(probe.jwks) && !probe.jwks.valid)", "contract.outputs.size() == 0 || value.x.a < 0.5"],
)
def test_what_falls_back_on_an_answer_is_undecided_without_it(condition: str) -> None:
    items, rules = content()
    codes = {problem.code for problem in check(*third(items, rules, condition))}
    assert not codes & {"unknown-is-yes", "unknown-is-no"}


# Questions


def broken(change: Callable[[Data], None]) -> tuple[LintProblem, ...]:
    items, rules = content()
    change(items[0])
    return check(items, rules)


def test_questions_of_a_vendor_have_no_place() -> None:
    only(check(*content(choice("x.v", "vendor"))), "scope", "never for a vendor", "x.v")


def test_weights() -> None:
    only(broken(lambda item: item["options"][1].pop("weight")), "grade", "some have none: some", "x.a")
    flat = choice("x.flat")
    for option in flat["options"]:
        option["weight"] = 1.0
    only(check(*content(flat)), "grade", "every option has the weight 1", "x.flat")


@pytest.mark.parametrize(
    ("when", "value", "scope", "code", "text"),
    [
        ("probe.smart.pkce_s256", "nil", "org", "auto-answer", "'nil' is not an answer"),
        ("probe.smart.pkce_s256", "none", "product", "auto-answer", "the scope must be org"),
        ("responses.x.p == 'none'", "none", "org", "auto-answer", "when reads responses.x.p; only checks, fit, probe"),
        ("probe.smart.pkce", "none", "org", "reference", "probe.smart has no 'pkce'"),
        ("probe.smart ==", "none", "org", "expression", "when is not valid CEL"),
        ("true", "none", "org", "constant", "when is always the same"),
    ],
)
def test_automatic_answers(when: str, value: str, scope: str, code: str, text: str) -> None:
    items, rules = content()
    index = 0 if scope == "org" else 1
    items[index]["auto_answer"] = [{"when": when, "value": value}]
    only(check(items, rules), code, text, items[index]["id"])


# Statements


def test_statements_have_a_question_and_a_rule() -> None:
    items, rules = content()
    problems = check(items, rules, statements=("S01", "S03"))
    assert [(problem.id, problem.message) for problem in problems] == [
        ("S03", "no question has this source, and no rule probes it"),
        ("S03", "no rule has this source"),
    ]
    items[0]["source"] = ["S03"]
    only(check(items, rules, statements=("S02", "S03")), "statement", "no rule has this source", "S03")


def test_a_statement_that_is_probed_needs_no_question() -> None:
    items, rules = content()
    tests = [
        {"given": {"checks": {"A-001": "fail"}}, "expect": "gap"},
        {"given": {"checks": {"A-001": "pass"}}, "expect": "met"},
        {"given": {}, "expect": "unknown"},
    ]
    rules.append(rule_data("checks['A-001'] == 'fail'", "TEST-003", source=["S03"], tests=tests))
    assert check(items, rules, statements=("S01", "S02", "S03")) == ()


# Files


@pytest.fixture
def directories(tmp_path: Path) -> tuple[Path, Path]:
    items, rules = content()
    questions, rule_files = tmp_path / "questionnaires", tmp_path / "core"
    (rule_files / "test").mkdir(parents=True)
    questions.mkdir()
    dump(questions / "form.yaml", {"id": "form", "version": "1", "title": "Form", "items": items})
    dump(rule_files / "ruleset.yaml", {"id": "core", "version": "1", "title": "Core"})
    for rule in rules:
        dump(rule_files / "test" / f"{rule['id']}.yaml", rule)
    return questions, rule_files


def dump(path: Path, data: Data) -> None:
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def run(directories: tuple[Path, Path]) -> tuple[LintProblem, ...]:
    return lint_directories([directories[0]], directories[1], ("S01", "S02"))


def edit(path: Path, before: str, after: str) -> int:
    """Replace one text in a file; the line on which it stood."""
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))
    return text[: text.index(before)].count("\n") + 1


def test_files_without_a_problem(directories: tuple[Path, Path]) -> None:
    assert run(directories) == ()


def test_problems_have_file_line_and_column(directories: tuple[Path, Path]) -> None:
    path = directories[1] / "test" / "TEST-001.yaml"
    line = edit(path, "gap_when: value.x.a < 0.5", "gap_when: value.x.a < 0.5 || org.nmae == 'x'")
    problems = [problem for problem in run(directories) if problem.code == "reference"]
    assert [(problem.file, problem.line, problem.column) for problem in problems] == [(str(path), line, 1)]
    assert str(problems[0]).startswith(f"{path}:{line}:1: TEST-001: gap_when reads org.nmae")


def test_problems_of_questions_have_file_and_line(directories: tuple[Path, Path]) -> None:
    path = directories[0] / "form.yaml"
    line = edit(path, "- id: x.p", "- id: x.q")
    problems = {(problem.id, problem.code): (problem.file, problem.line) for problem in run(directories)}
    assert problems[("x.q", "worst-opens-nothing")] == (str(path), line)
    assert problems[("TEST-002", "reference")][0] == str(directories[1] / "test" / "TEST-002.yaml")


def test_files_that_cannot_be_read_are_problems_and_the_rest_is_linted(directories: tuple[Path, Path]) -> None:
    broken_rule = directories[1] / "test" / "TEST-003.yaml"
    broken_rule.write_text("id: TEST-003\ntitle: [\n")
    (directories[0] / "more.yaml").write_text("id: more\n")
    assert [(problem.file, problem.code) for problem in run(directories)] == [
        (str(broken_rule), "document"),
        (str(directories[0] / "more.yaml"), "document"),
    ]


def test_what_reading_reports_is_not_reported_again(directories: tuple[Path, Path]) -> None:
    path = directories[1] / "test" / "TEST-001.yaml"
    edit(path, "gap_when: value.x.a < 0.5", "gap_when: value.x.a <")
    problems = [problem for problem in run(directories) if problem.file == str(path)]
    assert [problem.code for problem in problems] == ["document"]
    assert "value.x.a <\n           ^" in problems[0].message


def test_missing_directories_are_problems(tmp_path: Path) -> None:
    problems = lint_directories([tmp_path / "questions"], tmp_path / "rules", ())
    assert [(problem.file, problem.message) for problem in problems] == [
        (str(tmp_path / "questions"), "no such directory"),
        (str(tmp_path / "rules"), "no such directory"),
    ]


@pytest.mark.parametrize(
    ("scalar", "what"),
    [
        ("no", "a boolean"),
        ("Yes", "a boolean"),
        ("on", "a boolean"),
        ("OFF", "a boolean"),
        ("y", "a boolean"),
        ("N", "a boolean"),
        ("2026-01-31", "a date"),
        ("12:30", "a number"),
        ("1_000", "a number"),
        ("0x1F", "a number"),
        (".inf", "a number"),
        ("010", "a number"),
    ],
)
def test_scalars_that_other_tools_read_otherwise_are_quoted(
    directories: tuple[Path, Path], scalar: str, what: str
) -> None:
    path = directories[1] / "test" / "TEST-001.yaml"
    line = edit(path, "title: A rule", f"title: {scalar}")
    problems = run(directories)
    only(problems, "quote", f'{scalar} looks like {what}: write "{scalar}"')
    assert (problems[0].file, problems[0].line, problems[0].column) == (str(path), line, 8)
    path.write_text(path.read_text().replace(f"title: {scalar}", f'title: "{scalar}"'))
    assert run(directories) == ()


def test_a_source_is_a_statement_of_the_method(directories: tuple[Path, Path]) -> None:
    path = directories[1] / "test" / "TEST-001.yaml"
    line = edit(path, "S01", "S99")
    (wrong,) = (problem for problem in run(directories) if problem.code == "reference")
    assert "source names S99" in wrong.message and wrong.line == line - 1


def test_words_are_not_quoted_for_nothing(directories: tuple[Path, Path]) -> None:
    path = directories[1] / "test" / "TEST-001.yaml"
    edit(path, "title: A rule", "title: yes and no, on 2026-01-31 or v1.0")
    assert run(directories) == ()


def test_options_that_look_like_booleans_are_quoted(directories: tuple[Path, Path]) -> None:
    path = directories[0] / "form.yaml"
    text = path.read_text()
    path.write_text(text.replace("- value: some\n", "- value: yes\n"))
    assert {problem.code for problem in run(directories)} == {"quote"}
    path.write_text(text.replace("- value: some\n", '- value: "yes"\n'))
    assert run(directories) == ()


def test_lint_takes_what_a_loader_gives() -> None:
    """The interface: a ruleset, questionnaires and statements; problems without files have no place."""
    items, rules = content()
    built: tuple[Ruleset, Questionnaire] = (ruleset(*(Rule.model_validate(rule) for rule in rules)), form(*items))
    (one, two) = lint(built[0], [built[1]], ["S99"])
    assert (one.file, one.line, one.column) == (None, None, None)
    assert str(two) == "S99: no rule has this source [statement]"
