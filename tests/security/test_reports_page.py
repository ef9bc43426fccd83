"""docs/reports.md says what holds: its example, its lists and its limits."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from interlock.model.branding import Branding
from interlock.report import templates
from interlock.report.template_language import FILTERS, LOOP, TESTS

PAGE = (Path(__file__).parents[2] / "docs/reports.md").read_text(encoding="utf-8")


def named(row: str) -> set[str]:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {row} "))
    return set(re.findall(r"`([a-z_0-9]+)`", line.split(" | ", 1)[1].split(";")[0]))


def test_the_example_is_branding() -> None:
    text = PAGE.split("```yaml\n")[1].split("```")[0]
    assert Branding.model_validate(yaml.safe_load(text)["branding"]).paper == "letter"


def test_the_lists_are_those_of_the_language() -> None:
    assert named("filters") == FILTERS | {"md", "note"}
    assert named("tests") == {name for name in TESTS if name.isalpha()}
    assert named("`loop`") == LOOP


def test_the_limits_are_those_that_hold() -> None:
    limits = (templates.CPU_SECONDS, templates.WALL_SECONDS)
    assert "{} seconds of work and {} on the clock".format(*limits) in PAGE
    assert f"{templates.MEMORY_BYTES // 10**9} GB of memory" in PAGE
    assert f"{templates.OUTPUT_BYTES // 10**6} MB of text" in PAGE
