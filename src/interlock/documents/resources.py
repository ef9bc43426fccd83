"""Where the packaged data lives: beside the package in a wheel, at the top of the checkout in development."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from interlock.model.errors import InterlockError

DataSet = Literal["questionnaires", "rulesets", "reports", "samples", "skeletons"]


@cache
def data_dir(name: DataSet) -> Path:
    """Directory of one shipped data set.

    :raises InterlockError: the installation carries no such data.
    """
    packaged = Path(str(resources.files("interlock"))) / "_data" / name
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).resolve().parents[3] / name
    if checkout.is_dir():
        return checkout
    raise InterlockError(f"this installation has no {name}", remedy="install interlock again")


def is_shipped(path: Path, name: DataSet) -> bool:
    """Whether a file or folder belongs to a shipped data set, which does not change while the program runs."""
    return path.is_relative_to(data_dir(name))
