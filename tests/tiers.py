"""Which tests run: `make test-fast`, `make test` (what CI runs) or `make test-all`."""

from __future__ import annotations

import os

#: Whether `make test-all` runs: suites that count rounds or examples then take their full number.
LONG = os.environ.get("INTERLOCK_TESTS") == "all"


def rounds(usual: int, full: int) -> int:
    """How many rounds or examples to run: ``full`` in `make test-all`, otherwise ``usual``."""
    return full if LONG else usual
