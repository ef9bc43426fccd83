"""docs/sandboxes.md: each command parses and looks at public discovery alone, and nobody's leave is claimed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from interlock.cli.app import app
from interlock.usecases.probe import bare_targets

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sandboxes.md").read_text("utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if line.strip()
]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_parses_and_asks_for_discovery_alone(line: str) -> None:
    program, command, *arguments = shlex.split(line)
    assert (program, command) == ("interlock", "probe")
    given = get_command(app).commands[command].make_context("probe", arguments).params  # type: ignore[attr-defined]
    (url,) = given["urls"]
    (target,) = bare_targets([url])
    assert target.base_url.startswith("https://")
    assert not {"active", "sample", "trust_credentials"} & {name for name, value in given.items() if value}
    assert given["thorough"] is False and given["rate"] == 1, "as little as can be, and slowly"


def test_every_row_has_a_command_what_to_expect_and_a_date() -> None:
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and line.count(" | ") == 4]
    rows = [row for row in rows if row[0] != "| sandbox"]
    assert len(rows) == 17 and len(COMMANDS) >= len(rows)
    assert PAGE.count("What to expect:") == 2
    for name, _, gets_in, seen, source in rows:
        assert gets_in and re.search(r"\b20\d\d\b|no date", seen), name
        assert "](https://" in source, name


def test_the_page_says_that_nobody_permits_it_unattended() -> None:
    assert "We have run none of these commands" in " ".join(PAGE.split())
    assert "Nobody permits unattended probing" in PAGE
    assert "{" not in "".join(COMMANDS), "no tenant or practice is left to be guessed"
