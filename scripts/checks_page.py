"""Writes docs/checks.md from the registered checks."""

from __future__ import annotations

import sys
from pathlib import Path

from interlock.usecases.checks import check_list, page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "checks.md"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(check_list()), "utf-8")
    print(f"Made {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
