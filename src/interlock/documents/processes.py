"""Before multiprocessing starts a process: it imports nothing from the folder that one is in, a stranger's perhaps.

Such a process begins as ``python -c``, which looks for modules in the current folder first: a workspace with a file
``multiprocessing.py`` would run its code.
"""

from __future__ import annotations

import os


def import_only_what_is_installed() -> None:
    """From here on, Python programs that this one starts do without the current folder (``PYTHONSAFEPATH``)."""
    os.environ["PYTHONSAFEPATH"] = "1"
