"""Packages of an index, installed into a folder of a test's own; without Node or an index a test is skipped by name."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

_NPM = "install --no-audit --no-fund --ignore-scripts --omit=dev --omit=optional --omit=peer"


def python_with(folder: Path, *requirements: str) -> Path:
    """An interpreter with these packages of PyPI."""
    venv.create(folder, with_pip=True)
    executable = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    _install(f"{', '.join(requirements)} of PyPI", executable, "-m", "pip", "install", "-q", *requirements)
    return executable


def node_modules(folder: Path, *packages: str) -> Path:
    """A folder below which Node finds these packages of npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no Node here")
    _install(f"{', '.join(packages)} of npm", npm, "--prefix", folder, *_NPM.split(), *packages)
    return folder / "node_modules"


def _install(what: str, *command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=500, check=False)
    if done.returncode != 0:
        pytest.skip(f"{what} cannot be installed: {' '.join((done.stderr or done.stdout).split())[:200]}")
