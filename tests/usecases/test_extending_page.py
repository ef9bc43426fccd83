"""docs/extending.md: its files written exactly as printed, its commands run in order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from pydantic import BaseModel

from interlock.cli.main import run
from interlock.content.rulesets import SetFolders
from interlock.model.questionnaire import Item
from interlock.model.rule import Rule
from interlock.usecases.judge import judge
from interlock.usecases.lint import lint_directories
from interlock.usecases.load import load_inputs
from interlock.usecases.opening import open_workspace

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "extending.md").read_text("utf-8")
#: A file's name on a line of its own with its content after it, or commands.
BLOCKS = re.compile(r"(?:^`(?P<file>[^`\n]+)`\n\n)?```(?P<kind>yaml|sh)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What each command printed; the working directory is the page's workspace afterwards."""
    monkeypatch.chdir(tmp_path)
    printed: dict[str, str] = {}
    for block in BLOCKS.finditer(PAGE):
        if block["file"]:
            path = Path(block["file"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"], "utf-8")
            continue
        for line in block["text"].splitlines():
            words = shlex.split(line)
            if words[0] == "cd":
                monkeypatch.chdir(words[1])
                continue
            code = run(words[1:])
            out = capsys.readouterr()
            assert code == 0, f"{line}\n{out.out}{out.err}"
            printed[line] = printed.get(line, "") + out.out + out.err
    return printed


def test_the_page_does_what_it_says(shown: dict[str, str]) -> None:
    assert len(BLOCKS.findall(PAGE)) == PAGE.count("```") / 2
    assert shown["interlock lint ."].count("No problem found.") == 2
    assert "OURS-001" in shown["interlock gaps"]
    assert "acme-clinic" in shown["interlock score"]
    inputs = load_inputs(open_workspace(Path()))
    ruleset = inputs.content.ruleset
    assert (ruleset.id, next(iter(ruleset.sets)), list(ruleset.sets)[-1]) == ("ours", "core", "ours")
    assert ruleset.rule("DEL-016") is None
    changed = ruleset.rule("DEL-005")
    assert changed is not None
    assert (changed.severity.value, changed.gate.value, changed.remediation.owner.value) == ("high", "design", "org")
    assert {rule.score_weight for rule in ruleset.rules if rule.severity.value == "critical"} == {12.0}
    keys = {finding.key for finding in judge(inputs).findings}
    assert {"OURS-001@riverside", "OURS-001@acme-clinic", "ACME-001@acme-clinic"} <= keys
    assert not any(key.startswith("ACME-001") and not key.endswith("@acme-clinic") for key in keys)

    # The mistakes that the page lists are told like that, all at once.
    header = Path("rulesets/ours/ruleset.yaml")
    text = header.read_text("utf-8")
    for before, after in (
        ("extends: core", "extends: cor"),
        ("DEL-016: off", "DEL-099: off"),
        ("title: Rules of our hospital group", "title: No"),
    ):
        text = text.replace(before, after)
    header.write_text(text, "utf-8")
    told = "\n".join(
        str(problem) for problem in lint_directories([], header.parent, (), SetFolders((header.parent.parent,)))
    )
    for message in (
        "extends names 'cor', which does not exist",
        "rules names 'DEL-099', which no extended set has",
        'No looks like a boolean: write "No"',
    ):
        assert message in told and "rulesets/ours/ruleset.yaml:" in told
    header.write_text(text.replace('version: "1.0"', "version: 1.10"), "utf-8")
    problems = lint_directories([], header.parent, (), SetFolders((header.parent.parent,)))
    assert any("put it in quotes" in problem.message for problem in problems)


@pytest.mark.parametrize(("title", "model"), [("a question", Item), ("a rule", Rule)])
def test_the_page_has_every_key(title: str, model: type[BaseModel]) -> None:
    table = re.split(r"\n##", PAGE.partition(f"### The keys of {title}\n")[2])[0]
    named = [key for row in re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(field.alias or name for name, field in model.model_fields.items())
