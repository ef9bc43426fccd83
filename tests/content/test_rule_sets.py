"""Several rulesets: a set that extends others, vendors' packs, rules that are replaced, changed or turned off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from rule_examples import boolean, form, line_of, organization, rule_data

from interlock.content.rulesets import SetFolders, load_ruleset, read_ruleset
from interlock.judge.evaluate import evaluate
from interlock.judge.variables import RuleInputs
from interlock.model.base import Severity
from interlock.model.errors import DocumentError
from interlock.model.rule import Rule, Ruleset

pytestmark = pytest.mark.fast

TASK: dict[str, Any] = {"id": "org.register", "title": "Register", "scope": "org", "owner": "us", "gate": "sandbox"}


class Sets:
    """Rulesets below two folders: one that is shipped, one that is a workspace's."""

    def __init__(self, root: Path) -> None:
        self.shipped, self.own = root / "shipped", root / "own"
        self.shipped.mkdir()
        self.own.mkdir()
        self.folders = SetFolders((self.shipped, self.own))

    def put(self, where: Path, name: str, *rules: dict[str, Any], tasks: Any = (), **header: Any) -> Path:
        folder = where / name
        folder.mkdir(parents=True)
        (folder / "ruleset.yaml").write_text(
            yaml.safe_dump({"id": name, "version": "1", "title": name, **header}, sort_keys=False)
        )
        for rule in rules:
            (folder / "family").mkdir(exist_ok=True)
            (folder / "family" / f"{rule['id']}.yaml").write_text(yaml.safe_dump(rule, sort_keys=False))
        if tasks:
            (folder / "tasks").mkdir()
            (folder / "tasks" / "all.yaml").write_text(yaml.safe_dump({"tasks": list(tasks)}, sort_keys=False))
        return folder

    def core(self, *rules: dict[str, Any], **more: Any) -> Path:
        return self.put(self.shipped, "core", *rules, **more)

    def ours(self, *rules: dict[str, Any], extends: Any = "core", **more: Any) -> Path:
        return self.put(self.own, "ours", *rules, extends=extends, **more)

    def load(self, name: str = "ours") -> Ruleset:
        folder = self.folders.find(name)
        assert folder is not None
        return load_ruleset(folder, self.folders)

    def failure(self, name: str = "ours") -> DocumentError:
        with pytest.raises(DocumentError) as caught:
            self.load(name)
        return caught.value


@pytest.fixture
def sets(tmp_path: Path) -> Sets:
    return Sets(tmp_path)


def one(loaded: Ruleset, rule_id: str) -> Rule:
    found = loaded.rule(rule_id)
    assert found is not None
    return found


def test_a_set_has_what_it_extends_and_its_own(sets: Sets) -> None:
    sets.core(rule_data("org.has_url", "AUTH-001"), rule_data("!org.has_url", "AUTH-002"), tasks=[TASK])
    own = rule_data("org.id == 'a'", "OURS-001", depends_on=["AUTH-002"])
    sets.ours(own, rule_data("org.id == 'b'", "AUTH-001", title="Ours instead"), version="7")
    loaded = sets.load()
    assert [rule.id for rule in loaded.rules] == ["AUTH-001", "AUTH-002", "OURS-001"]
    assert one(loaded, "AUTH-001").title == "Ours instead"
    assert (loaded.id, loaded.version, loaded.sets) == ("ours", "7", {"core": "1", "ours": "7"})
    assert [task.id for task in loaded.tasks] == ["org.register"]
    assert sets.load("core").sets == {"core": "1"}


def test_a_rule_that_is_off_is_gone_and_what_depended_on_it_waits_for_what_came_before(sets: Sets) -> None:
    sets.core(
        rule_data("org.id == '1'", "AUTH-001"),
        rule_data("org.id == '2'", "AUTH-002", depends_on=["AUTH-001"]),
        rule_data("org.id == '3'", "AUTH-003", depends_on=["AUTH-002"]),
        tasks=[
            {
                **TASK,
                "after": ["AUTH-002"],
                "scope": "product",
                "verdict": "map_auth",
                "before": ["AUTH-002", "AUTH-003"],
            }
        ],
    )
    sets.ours(rules={"AUTH-002": "off"})
    loaded = sets.load()
    assert [rule.id for rule in loaded.rules] == ["AUTH-001", "AUTH-003"]
    assert one(loaded, "AUTH-003").depends_on == ("AUTH-001",)
    assert (loaded.tasks[0].after, loaded.tasks[0].before) == (("AUTH-001",), ("AUTH-003",))


def test_a_set_that_still_infers_that_a_task_is_done_is_told_what_to_do(sets: Sets) -> None:
    sets.core(rule_data("org.has_url", "AUTH-001"))
    sets.ours(tasks=[{**TASK, "id": "ours.register", "done_when": ["AUTH-001"]}])
    error = sets.failure()
    assert "done_when is gone" in error.message and "interlock task done" in (error.remedy or "")
    assert error.location is not None and error.location.line is not None
    text = Path(error.location.file or "").read_text().splitlines()
    assert "done_when" in text[error.location.line - 1]


def test_off_needs_no_quotes(sets: Sets) -> None:
    sets.core(rule_data("org.has_url", "AUTH-001"))
    folder = sets.ours()
    header = folder / "ruleset.yaml"
    header.write_text(header.read_text() + "rules:\n  AUTH-001: off\n")
    assert sets.load().rules == ()


def test_fields_of_a_rule_are_changed_and_maps_are_merged(sets: Sets) -> None:
    sets.core(rule_data("org.has_url", "AUTH-001", references=[{"title": "RFC 7517", "url": "https://example.org"}]))
    sets.ours(rules={"AUTH-001": {"severity": "low", "gate": "production", "remediation": {"owner": "vendor"}}})
    changed, before = one(sets.load(), "AUTH-001"), one(sets.load("core"), "AUTH-001")
    assert (changed.severity, changed.gate.value) == (Severity.LOW, "production")
    assert changed.remediation == before.remediation.model_copy(update={"owner": changed.remediation.owner})
    assert changed.remediation.owner.value == "vendor"
    assert changed.references == before.references


def test_weights_of_severities_are_the_sets_own(sets: Sets) -> None:
    sets.core(
        rule_data("org.has_url", "AUTH-001", severity="critical"),
        rule_data("!org.has_url", "AUTH-002"),
        rule_data("org.id == 'x'", "AUTH-003", severity="critical", weight=3),
    )
    sets.ours(weights={"critical": 20})
    assert [rule.score_weight for rule in sets.load().rules] == [20, 7.5, 3]
    assert [rule.score_weight for rule in sets.load("core").rules] == [10, 7.5, 3]


def test_several_bases_and_a_common_one_are_each_read_once(sets: Sets) -> None:
    sets.core(rule_data("org.id == '1'", "AUTH-001"))
    sets.put(sets.own, "left", extends="core", rules={"AUTH-001": {"title": "Left"}})
    sets.put(sets.own, "right", rule_data("org.id == '2'", "AUTH-002"), extends=["core"])
    sets.ours(extends=["left", "right"])
    loaded = sets.load()
    assert list(loaded.sets) == ["core", "left", "right", "ours"]
    assert [rule.title for rule in loaded.rules] == ["Left", "A rule"]


def test_a_vendors_pack_goes_with_core_and_concerns_that_vendor_only(sets: Sets) -> None:
    sets.core(rule_data("org.has_url", "AUTH-001"))
    sets.put(sets.shipped, "vendor/epic", rule_data("org.has_url && true", "EPIC-001"), vendor="epic")
    by_vendor = rule_data("organizations.size() > 0", "EPIC-002", scope="vendor", depends_on=["EPIC-001"])
    sets.put(sets.own, "vendor/more", by_vendor, vendor="epic", tasks=[TASK], extends=["core", "vendor/epic"])
    sets.put(sets.own, "alone", rule_data("org.has_url", "OTHER-001"))
    sets.ours(rules={"EPIC-001": {"severity": "low"}})
    loaded = sets.load()
    assert list(loaded.sets) == ["core", "vendor/epic", "vendor/more", "ours"]
    assert [rule.vendors for rule in loaded.rules] == [(), ("epic",), ("epic",)]
    assert loaded.tasks[0].vendors == ("epic",)
    assert one(loaded, "EPIC-001").severity is Severity.LOW
    organizations = (organization("a", vendor="epic"), organization("b", vendor="oracle"))
    found = evaluate(loaded, RuleInputs(organizations=organizations))
    assert [finding.key for finding in found] == ["AUTH-001@a", "AUTH-001@b", "EPIC-001@a", "EPIC-002@vendor:epic"]
    assert list(sets.load("alone").sets) == ["alone"], "a set that does not extend core has no packs"


def test_a_pack_adds_and_changes_nothing_for_others(sets: Sets) -> None:
    core = sets.core(rule_data("org.has_url", "AUTH-001"), tasks=[TASK])
    pack = sets.put(
        sets.shipped,
        "vendor/epic",
        rule_data("org.has_url", "AUTH-001"),
        rule_data("fleet.organizations > 3", "EPIC-001", scope="product"),
        tasks=[TASK],
        vendor="epic",
        rules={"AUTH-001": "off"},
        weights={"low": 1},
    )
    problems = read_ruleset(core, sets.folders).problems
    assert [(str(problem.location).removeprefix(str(pack)), problem.message.split(":")[0]) for problem in problems] == [
        ("/ruleset.yaml:5:1", "a vendor's pack cannot have rules"),
        ("/ruleset.yaml:7:1", "a vendor's pack cannot have weights"),
        ("/family/AUTH-001.yaml:1:1", f"a vendor's pack cannot replace 'AUTH-001' of {core}/family/AUTH-001.yaml"),
        ("/family/EPIC-001.yaml:3:1", "EPIC-001"),
        ("/tasks/all.yaml:2:3", f"the task id 'org.register' is already used at {core}/tasks/all.yaml"),
    ]


@pytest.mark.parametrize(
    ("header", "at", "message"),
    [
        ({"extends": "cor"}, "extends: cor", "extends names 'cor', which does not exist; did you mean 'core'?"),
        ({"extends": ["core", "../core"]}, "- ../core", "extends.1: String should match pattern"),
        ({"rules": {"AUTH-01": "off"}}, "AUTH-01", "rules names 'AUTH-01', which no extended set has; did you mean"),
        ({"rules": {"AUTH-001": False}}, "AUTH-001", "AUTH-001: expected off or the fields to change"),
        ({"rules": {"AUTH-001": {}}}, "AUTH-001", "AUTH-001: expected off or the fields to change"),
        ({"rules": {"AUTH-001": {"id": "AUTH-009"}}}, "AUTH-001", "AUTH-001: expected off or the fields to change"),
        ({"rules": {"AUTH-001": {"severity": "awful"}}}, "severity: awful", "severity: Input should be 'critical'"),
        ({"rules": {"AUTH-001": {"colour": "red"}}}, "colour: red", "unknown key 'colour'"),
        ({"rules": {"AUTH-001": {"gap_when": "org.("}}}, "gap_when: org.(", "gap_when is not valid CEL"),
        ({"rules": {"AUTH-001": {"depends_on": ["X-1"]}}}, "- X-1", "depends_on.0: String should match pattern"),
        ({"rules": {"AUTH-001": {"depends_on": ["ABC-100"]}}}, "- ABC-100", "depends_on names 'ABC-100', which is no"),
        ({"weights": {"huge": 3}}, "huge: 3", "weights.huge"),
        ({"weights": {"low": 0}}, "low: 0", "weights.low: Input should be greater than 0"),
        ({"version": 1.1}, "version: 1.1", "version: Input should be a valid string"),
    ],
)
def test_what_is_wrong_in_ruleset_yaml_has_a_line(sets: Sets, header: dict[str, Any], at: str, message: str) -> None:
    sets.core(rule_data("org.has_url", "AUTH-001"))
    folder = sets.ours(**header)
    error = sets.failure()
    assert message in error.message
    assert error.location is not None
    assert (error.location.file, error.location.line) == (
        str(folder / "ruleset.yaml"),
        line_of(folder / "ruleset.yaml", at),
    )


def test_sets_that_extend_each_other_are_shown_as_a_path(sets: Sets) -> None:
    sets.core(rule_data("org.has_url", "AUTH-001"))
    sets.ours(extends="theirs")
    last = sets.put(sets.own, "theirs", extends=["core", "ours"])
    error = sets.failure()
    assert error.message == "extends forms a circle: ours → theirs → ours"
    assert error.location is not None and error.location.file == str(last / "ruleset.yaml")
    assert error.location.line == line_of(last / "ruleset.yaml", "- ours")


def test_a_set_that_extends_itself_by_hiding_the_shipped_one_is_a_circle(sets: Sets) -> None:
    sets.core(rule_data("org.has_url", "AUTH-001"))
    sets.put(sets.own, "core", extends="core")
    assert "extends forms a circle: core → core" in sets.failure("core").message


def test_a_rule_changed_and_replaced_in_one_set_is_told(sets: Sets) -> None:
    sets.core(rule_data("org.has_url", "AUTH-001"))
    sets.ours(rule_data("org.has_url", "AUTH-001"), rules={"AUTH-001": {"severity": "low"}})
    assert "AUTH-001 is changed here and replaced at" in sets.failure().message


def test_a_circle_of_dependencies_across_sets_is_told(sets: Sets) -> None:
    sets.core(rule_data("org.id == '1'", "AUTH-001"))
    sets.ours(
        rule_data("org.id == '2'", "OURS-001", depends_on=["AUTH-001"]),
        rules={"AUTH-001": {"depends_on": ["OURS-001"]}},
    )
    assert "the dependencies form a circle: AUTH-001 → OURS-001 → AUTH-001" in sets.failure().message


def test_problems_of_every_set_are_collected(sets: Sets) -> None:
    sets.core(rule_data("org.(", "AUTH-001"), {"id": "AUTH-002"})
    sets.put(sets.shipped, "vendor/epic", {"id": "EPIC-001"}, vendor="epic")
    folder = sets.ours({"id": "OURS-001"})
    problems = read_ruleset(folder, sets.folders).problems
    files = {Path(str(problem.location.file)).stem for problem in problems if problem.location}
    assert files == {"AUTH-001", "AUTH-002", "EPIC-001", "OURS-001"}


def test_a_pack_that_does_not_apply_to_a_question_asks_nothing(sets: Sets) -> None:
    sets.core(rule_data("responses.a.b == false", "AUTH-001"))
    sets.put(sets.shipped, "vendor/epic", rule_data("responses.a.c == false", "EPIC-001"), vendor="epic")
    inputs = RuleInputs(
        questionnaires=(form(boolean("a.b"), boolean("a.c")),), organizations=(organization("b", vendor="oracle"),)
    )
    (found,) = evaluate(sets.load("core"), inputs)
    assert found.missing_answers == ("a.b",)
