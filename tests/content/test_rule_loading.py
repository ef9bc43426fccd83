"""Rulesets from files: layout, and errors that name file, line and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from rule_examples import line_of, rule_data

from interlock.content.rulesets import load_ruleset, read_ruleset
from interlock.model.errors import DocumentError

pytestmark = pytest.mark.fast

TASK: dict[str, Any] = {"id": "epic.register", "title": "Register", "scope": "org", "owner": "us", "gate": "sandbox"}
OF_VERDICT: dict[str, Any] = {**TASK, "id": "us.decide", "scope": "product", "verdict": "product_first"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    folder = tmp_path / "core"
    folder.mkdir()
    (folder / "ruleset.yaml").write_text('id: core\nversion: "3"\ntitle: Core rules\n')
    return folder


def put(directory: Path, data: dict[str, Any] | str, family: str = "test", name: str | None = None) -> Path:
    folder = directory / family
    folder.mkdir(exist_ok=True)
    path = folder / f"{name or (data['id'] if isinstance(data, dict) else 'TEST-001')}.yaml"
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False))
    return path


def failure(directory: Path) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        load_ruleset(directory)
    return caught.value


def test_rules_and_tasks_come_in_id_order(directory: Path) -> None:
    put(directory, rule_data("org.has_url", "ZULU-001"), "zulu")
    put(directory, rule_data("fit.missing.size() > 0", "ALFA-002", depends_on=["ZULU-001"]), "alfa")
    put(directory, {"tasks": [{**TASK, "after": ["base.start"]}, {**TASK, "id": "base.start"}]}, "tasks", "general")
    loaded = load_ruleset(directory)
    assert (loaded.id, loaded.version, loaded.title) == ("core", "3", "Core rules")
    assert [one.id for one in loaded.rules] == ["ALFA-002", "ZULU-001"]
    assert [one.id for one in loaded.tasks] == ["base.start", "epic.register"]


@pytest.mark.parametrize(
    ("more", "at", "message"),
    [
        ({"colour": "red"}, "colour: red", "unknown key 'colour'"),
        ({"severity": "awful"}, "severity: awful", "severity: Input should be 'critical', 'high', 'medium' or 'low'"),
        ({"source": []}, "source: []", "source"),
        ({"chance": 1.5}, "chance: 1.5", "chance: Input should be less than or equal to 1"),
        ({"chance": -0.1}, "chance: -0.1", "chance: Input should be greater than or equal to 0"),
        ({"gap_when": True}, "gap_when: true", "gap_when: Input should be a valid string (found True)"),
        ({"depends_on": ["TEST-100"]}, "- TEST-100", "depends_on names 'TEST-100', which is no rule"),
        ({"gap_when": "org.has_url ==="}, "gap_when:", "a single '=': write '==' to compare"),
        ({"applies": "org.has_url &&"}, "applies:", "applies is not valid CEL: expected a value, found the end"),
        ({"gap_when": "a" * 2001}, "gap_when:", "longer than 2,000 characters"),
        ({"id": "TEST-002"}, "id: TEST-002", "the file is called 'TEST-001.yaml' and the rule 'TEST-002'"),
        ({"id": "test-1"}, "id: test-1", "id: String should match pattern"),
    ],
)
def test_what_is_wrong_in_a_rule_has_a_line(directory: Path, more: dict[str, Any], at: str, message: str) -> None:
    path = put(directory, {**rule_data("org.has_url"), **more}, name="TEST-001")
    error = failure(directory)
    assert message in error.message
    assert error.location is not None
    assert (error.location.file, error.location.line) == (str(path), line_of(path, at))


def test_chances_outside_0_to_1_have_a_line(directory: Path) -> None:
    path = directory / "ruleset.yaml"
    path.write_text(path.read_text() + "chances:\n  gap: 0.4\n  product_blocker: 2\n")
    error = failure(directory)
    assert "chances.product_blocker: Input should be less than or equal to 1" in error.message
    assert error.location is not None and (error.location.file, error.location.line) == (str(path), 6)


def test_an_expression_error_has_a_caret(directory: Path) -> None:
    put(directory, rule_data("org.has_url || (org.vendor = 'epic')"))
    message = failure(directory).message
    assert message.splitlines()[1:] == [
        "org.has_url || (org.vendor = 'epic')",
        "                           ^",
    ]


def test_broken_yaml_is_told_where(directory: Path) -> None:
    path = put(directory, "id: TEST-001\ntitle: [\n")
    error = failure(directory)
    assert "not valid YAML" in error.message
    assert error.location is not None
    assert (error.location.file, error.location.line) == (str(path), 3)


def test_the_same_rule_twice_names_both_places(directory: Path) -> None:
    first = put(directory, rule_data("org.has_url"), "alfa")
    second = put(directory, rule_data("org.has_url"), "bravo")
    error = failure(directory)
    assert f"'TEST-001' is already used at {first}:1:1" in error.message
    assert error.location is not None and error.location.file == str(second)


def test_circles_of_dependencies_are_shown_as_a_path(directory: Path) -> None:
    for rule_id, after in (("TEST-001", "TEST-002"), ("TEST-002", "TEST-003"), ("TEST-003", "TEST-002")):
        put(directory, rule_data(f"org.id == '{rule_id}'", rule_id, depends_on=[after]))
    assert "TEST-002 → TEST-003 → TEST-002" in failure(directory).message


def test_a_long_chain_of_tasks_is_no_problem(directory: Path) -> None:
    put(directory, rule_data("org.has_url"))
    lines = [
        f"- {{id: a.t{n}, title: T, scope: org, owner: us, gate: pilot, after: [{f'a.t{n + 1}' if n < 1499 else ''}]}}"
        for n in range(1500)
    ]
    put(directory, "tasks:\n" + "\n".join(lines), "tasks", "general")
    assert len(load_ruleset(directory).tasks) == 1500


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([TASK, TASK], "the task id 'epic.register' is already used at"),
        ([{**TASK, "after": ["epic.registr"]}], "after names 'epic.registr', which does not exist"),
        ([{**TASK, "replaces": ["TEST-001"]}], "replaces names 'TEST-001', which does not exist"),
        ([{**TASK, "after": ["epic.register"]}], "the tasks form a circle: epic.register → epic.register"),
        ([{**TASK, "owner": "nobody"}], "tasks.0.owner"),
        (
            [{**TASK, "verdict": "product_frist"}],
            "tasks.0.verdict: Input should be 'product_first', 'prove_outside_ehr'",
        ),
        ([{**TASK, "postponed_by": "later"}], "tasks.0.postponed_by: Input should be 'product_first'"),
        ([{**TASK, "verdict": "product_first"}], "a task of a verdict is about the product"),
        ([{**OF_VERDICT, "verdict": "integrate"}], "integrate has no tasks of its own and postpones nothing"),
        ([{**OF_VERDICT, "postponed_by": "map_auth"}], "leave out postponed_by"),
        ([{**OF_VERDICT, "before": ["TEST-009"]}], "us.decide: before names 'TEST-009', which does not exist"),
        (
            [TASK, {**OF_VERDICT, "after": ["epic.register"]}],
            "what settles a verdict waits for what that verdict postpones: product_first at product → us.decide → "
            "epic.register → product_first at product",
        ),
    ],
)
def test_what_is_wrong_with_tasks(directory: Path, tasks: list[dict[str, Any]], message: str) -> None:
    put(directory, rule_data("org.has_url"))
    path = put(directory, {"tasks": tasks}, "tasks", "general")
    error = failure(directory)
    assert message in error.message
    assert error.location is not None and error.location.file == str(path)


def test_what_settles_a_verdict_cannot_wait_for_what_it_postpones(directory: Path) -> None:
    argues = {"class": "product_blocker", "gate": "design", "verdict": "product_first", "depends_on": ["TEST-002"]}
    path = put(directory, rule_data("org.has_url", scope="product", **argues))
    put(directory, rule_data("org.id == 'a'", "TEST-002", gate="sandbox"))
    error = failure(directory)
    assert error.message == (
        "what settles a verdict waits for what that verdict postpones: TEST-001 → TEST-002 → product_first at product "
        "→ TEST-001"
    )
    assert error.location is not None and error.location.file == str(path)
    assert error.location.line == line_of(path, "depends_on")


def test_files_in_the_wrong_place_are_told(directory: Path) -> None:
    put(directory, rule_data("org.has_url"))
    stray = directory / "TEST-002.yaml"
    stray.write_text(yaml.safe_dump(rule_data("org.has_url", "TEST-002")))
    error = failure(directory)
    assert "a ruleset has no file here" in error.message
    assert error.location is not None and error.location.file == str(stray)


def test_a_ruleset_needs_its_directory_and_its_head(tmp_path: Path) -> None:
    assert "no such directory" in failure(tmp_path / "nowhere").message
    error = failure(tmp_path)
    assert error.message == "no such file"
    assert error.location is not None and error.location.file == str(tmp_path / "ruleset.yaml")


def test_everything_that_is_wrong_is_collected(directory: Path) -> None:
    put(directory, rule_data("org.has_url"))
    put(directory, rule_data("org.has_url ==", "TEST-002", depends_on=["NONE-001"]))
    put(directory, "id: [", name="TEST-003")
    read = read_ruleset(directory)
    assert [one.id for one in read.ruleset.rules] == ["TEST-001", "TEST-002"]
    assert len(read.problems) == 3
    assert read.location("TEST-002", "depends_on", 0).line == line_of(
        directory / "test" / "TEST-002.yaml", "- NONE-001"
    )
