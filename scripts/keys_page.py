"""Writes the tables of keys in docs/terminal-ui.md from the table of actions."""

from __future__ import annotations

import sys
from pathlib import Path

from interlock.model.actions import keys_page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "terminal-ui.md"
BEGIN, END = "<!-- keys: made by scripts/keys_page.py -->\n", "<!-- end -->"


def main() -> int:
    """Write what stands between the two marks anew."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{keys_page()}\n\n{END}{after}", "utf-8")
    print(f"Made the tables of {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
