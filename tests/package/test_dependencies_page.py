"""docs/dependencies.md tells of each dependency, and what it tells of versions and licences is so."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PAGE = (ROOT / "docs" / "dependencies.md").read_text("utf-8")


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", text)[0] for text in requirements} - {"interlock"}


SECTIONS = {
    "At run time": names(PROJECT["project"]["dependencies"]),
    "Extras": names([line for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines]),
    "For development": names([line for lines in PROJECT["dependency-groups"].values() for line in lines]),
}


def rows(section: str) -> dict[str, list[str]]:
    _, _, rest = PAGE.partition(f"## {section}\n")
    table = re.findall(r"^\| (.+) \|$", rest.partition("\n## ")[0], re.MULTILINE)[1:]
    return {cells[0]: cells for cells in (line.split(" | ") for line in table)}


@pytest.mark.parametrize("section", SECTIONS)
def test_each_dependency_has_its_row_and_each_row_its_dependency(section: str) -> None:
    assert rows(section).keys() == SECTIONS[section]
    assert list(rows(section)) == sorted(SECTIONS[section])
    assert all(len(cells) == 7 and all(cells) for cells in rows(section).values())


@pytest.mark.parametrize("name", sorted(set.union(*SECTIONS.values())))
def test_version_licence_and_status_are_those_of_the_pinned_package(name: str) -> None:
    _, version, licence, status, *_ = next(rows(section)[name] for section in SECTIONS if name in rows(section))
    pinned = re.sub(r"[._]", "-", name.lower())
    assert f"\n{pinned}=={version}\n" in (ROOT / "constraints.txt").read_text("utf-8")
    try:
        stated = metadata(name)
    except PackageNotFoundError:
        assert name == "atheris"  # comes with `make fuzz`
        return
    assert stated["Version"] == version
    classifiers = stated.get_all("Classifier") or []
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: ")]
    assert licence == (stated.get("License-Expression") or stated.get("License") or (named or ["not stated"])[0])
    stage = [text.rpartition(" - ")[2] for text in classifiers if text.startswith("Development Status :: ")]
    assert status == (stage or ["not stated"])[0]


def test_everything_that_is_needed_at_run_time_is_imported() -> None:
    """And nothing is imported that is not asked for: a package that another one happens to bring may go with it."""
    distributions = packages_distributions()
    imported: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            imported |= {
                re.sub(r"[._]", "-", name.lower())
                for module in modules
                for name in distributions.get(module.partition(".")[0], [])
            }
    wanted = {re.sub(r"[._]", "-", name.lower()) for name in SECTIONS["At run time"] | SECTIONS["Extras"]}
    ours_or_theirs = {"interlock", "pydantic-core"}  # pydantic's own half: neither comes without the other
    assert imported - ours_or_theirs == wanted
