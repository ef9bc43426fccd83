"""What a skeleton is: files that are made of the resolved contract alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from interlock.model.resolved import ResolvedContract


class Skeleton(NamedTuple):
    """One kind of file for engineers.

    :ivar path: the file, or a pattern for several: ``profiles/*.json``.
    :ivar build: the files by their path in the folder, with ``/``; none where the contract gives no occasion. Pure: the
        same resolved contract gives the same text. It raises
        :class:`~interlock.fhir.validation.InvalidDocumentError` alone.
    """

    path: str
    build: Callable[[ResolvedContract], Mapping[str, str]]
