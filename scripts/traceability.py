"""Writes docs/traceability.md from the shipped content; ends with 1 when a statement has a hole."""

from __future__ import annotations

import sys
from pathlib import Path

from interlock.usecases.load import load_content
from interlock.usecases.traceability import page, traces

PAGE = Path(__file__).resolve().parents[1] / "docs" / "traceability.md"


def main() -> int:
    """Write the page, and name every hole."""
    content = load_content(None)
    found = traces(content)
    PAGE.write_text(page(found, content), "utf-8")
    print(f"Made {PAGE}")
    holes = [f"{trace.statement.id} has {hole}" for trace in found for hole in trace.holes()]
    for hole in holes:
        print(hole, file=sys.stderr)
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
