"""Writes docs/checks.md from the registered checks."""

from __future__ import annotations

import sys
from pathlib import Path

from interlock.model import words
from interlock.probe.checks.registry import FAMILIES
from interlock.usecases.checks import CheckEntry, CheckList, check_list, needed_for

PAGE = Path(__file__).resolve().parents[1] / "docs" / "checks.md"


def page(checks: CheckList) -> str:
    """The Markdown page of all checks, the same bytes for the same checks."""
    entries = checks.checks
    judged = sum(entry.level == "judgement" for entry in entries)
    families = list(dict.fromkeys(entry.family for entry in entries))
    lines = [
        "# What the probe checks",
        "",
        "Made by `scripts/checks_page.py` from the checks themselves; `interlock checks` prints the same.",
        "",
        f"{len(entries)} checks in {len(families)} families. A check ends as `pass`, `warn`, `fail`, `not_applicable`,",
        "`not_observed` or `error`. `fail` is for what a source requires, `warn` for what it recommends or what makes",
        "an integration harder. What could not be looked at is `not_observed`, never a failure of the server's owner.",
        "",
        f"*Level* is the strongest word of the sources; {judged} checks are our own **judgement** where they leave the",
        "question open, and say so in what they report; **contract** is what the user's own workflow contract needs.",
        "*Row* names the row of the [requirements](requirements.md) that a check rests on.",
        "",
    ]
    for family in families:
        mine = [entry for entry in entries if entry.family == family]
        lines += [f"## {family}: {FAMILIES[family]}", ""]
        for entry in mine:
            lines += _entry(entry)
    return "\n".join(lines).rstrip() + "\n"


def _entry(entry: CheckEntry) -> list[str]:
    level = f"**{entry.level}**" if entry.level in {"judgement", "contract"} else entry.level
    rows = f" · row {', '.join(f'[{row}](requirements.md#{row.lower()})' for row in entry.rows)}" if entry.rows else ""
    needs = f" · needs {needed_for(entry)}" if entry.needs else ""
    sources = "; ".join(f"[{reference.title}]({reference.url})" for reference in entry.references)
    lines = [f"### {entry.id} {entry.title}", "", f"{words.SEVERITY[entry.severity].phrase} · {level}{rows}{needs}", ""]
    if entry.about:
        lines += [entry.about, ""]
    return [*lines, f"Source: {sources}", ""] if sources else lines


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(check_list()), "utf-8")
    print(f"Made {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
