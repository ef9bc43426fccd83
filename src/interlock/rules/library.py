"""The CEL library without its own command line.

``cel/__init__.py`` imports ``cel.cli``, which loads prompt_toolkit: half a second in every command of ours. An empty
module in its place, while ``cel`` is imported, avoids that; nothing else of the library uses it.
"""

from __future__ import annotations

import sys
from types import ModuleType

_absent = "cel.cli" not in sys.modules
if _absent:
    sys.modules["cel.cli"] = ModuleType("cel.cli")

import cel  # noqa: E402  # only now, see above

if _absent:
    del sys.modules["cel.cli"]

__all__ = ["cel"]
