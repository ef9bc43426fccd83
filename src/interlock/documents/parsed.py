"""Shipped YAML as it was parsed before: in the user's cache folder, under the digest of its text.

Parsing the 330 shipped files takes 0.12 s of processor time, a sixth of `interlock score`; looking their values up
takes 0.01 s. Nothing of a workspace is ever kept or looked up, and a value is only that of exactly this text: it is
validated, and its conditions compiled, as if it had just been parsed. The folder is the user's own, like the one that
records what a workspace may do. Without the file, or when it is damaged or cannot be written, everything is parsed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

from interlock import __version__
from interlock.documents.resources import data_dir

#: Goes up when the parser gives other values for the same text.
_PARSER = 1
_used: dict[str, Any] = {}


def parsed(text: str, parse: Callable[[], Any]) -> Any:
    """The value of a shipped text, by ``parse`` when it is not kept."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest not in _used:
        _used[digest] = _kept()[digest] if digest in _kept() else parse()
    return _used[digest]


def keep_parsed() -> None:
    """Keep what was parsed in this run, and what was looked up."""
    if _used.keys() <= _kept().keys():
        return
    file = _file()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = file.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(_used), encoding="utf-8")
        unfinished.replace(file)
    _kept().update(_used)


@cache
def _kept() -> dict[str, Any]:
    with suppress(OSError, ValueError):
        kept = json.loads(_file().read_bytes())
        if isinstance(kept, dict):
            return kept
    return {}


def _file() -> Path:
    """One file for each installation and version."""
    installed = hashlib.sha256(f"{__version__} {_PARSER} {data_dir('rulesets')}".encode()).hexdigest()
    return platformdirs.user_cache_path("interlock") / f"content-{installed[:16]}.json"
