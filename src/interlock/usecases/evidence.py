"""Evidence behind an answer, added and removed one piece at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from interlock.documents.files import inside
from interlock.model import words
from interlock.model.address_secrets import REMEDY, SECRET_FOUND
from interlock.model.base import EvidenceKind, within_years
from interlock.model.errors import InterlockError
from interlock.model.evidence import MAX_RECORDS, EvidenceRecord
from interlock.model.text import plain


@dataclass(frozen=True)
class Piece:
    """A piece of evidence as somebody typed it; what was not given is none."""

    kind: str | None = None
    title: str | None = None
    link: str | None = None
    file: str | None = None
    reviewer: str | None = None
    independent: bool = False
    date: str | None = None
    valid_until: str | None = None


def evidence_record(piece: Piece, root: Path, today: date) -> EvidenceRecord:
    """A piece of evidence that holds on a day.

    :param root: the workspace's folder, where its file has to be; whether it is there is the lint's to say.
    :raises InterlockError: it names nothing, its file is elsewhere, its dates do not fit, or it has expired.
    """
    fields: dict[str, object] = {
        "kind": EvidenceKind(piece.kind or EvidenceKind.DOCUMENT),
        "title": piece.title,
        "link": piece.link,
        "file": _file(piece.file, root) if piece.file else None,
        "reviewer": piece.reviewer,
        "independent": piece.independent,
        "date": day_given(piece.date, "evidence's date"),
        "valid_until": day_given(piece.valid_until, "last day of the evidence"),
    }
    try:
        record = EvidenceRecord.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"the evidence's {first['loc'][0]} " if first["loc"] else ""
        remedy = REMEDY if first["type"] == SECRET_FOUND else None
        raise InterlockError(where + plain(first["msg"].removeprefix("Value error, ")), remedy=remedy) from error
    if (wrong := record.dated_ahead(today)) is not None:
        raise InterlockError(wrong, remedy="give the day that it is of")
    if (wrong := record.ended(today)) is not None:
        raise InterlockError(wrong, remedy="renew it, and attach what is valid now")
    return record


def _file(given: str, root: Path) -> str:
    """The path of a file in the workspace.

    :raises DocumentError: it is outside.
    """
    real_root = inside(root, root)
    return inside(root, root / given).relative_to(real_root).as_posix()


def day_given(text: str | None, name: str) -> str | None:
    """A day as somebody typed it; none without one.

    :raises InterlockError: it is no day, or one that plans cannot reckon with.
    """
    if not text:
        return None
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError("it is not written as YYYY-MM-DD")
        return within_years(date.fromisoformat(text)).isoformat()
    except ValueError as error:
        message = f"the {name} is no day: {plain(text, 60)!r} ({plain(error, 80)})"
        raise InterlockError(message, remedy="write it as YYYY-MM-DD, such as 2026-12-14") from None


def attached(records: Sequence[EvidenceRecord], record: EvidenceRecord) -> tuple[EvidenceRecord, ...]:
    """The evidence with one more piece.

    :raises InterlockError: it is there already, or there is no room.
    """
    if record in records:
        raise InterlockError(f"the evidence “{plain(record.name, 80)}” is attached already")
    if len(records) >= MAX_RECORDS:
        raise InterlockError(f"more than {MAX_RECORDS} pieces of evidence", remedy="remove one with --detach N")
    return (*records, record)


def detached(records: Sequence[EvidenceRecord], number: int) -> tuple[EvidenceRecord, ...]:
    """The evidence without one piece, by its number from 1.

    :raises InterlockError: there is no such piece.
    """
    if not 1 <= number <= len(records):
        there = words.count(len(records), "piece of evidence", "pieces of evidence")
        raise InterlockError(f"there is no piece {number}: {there}", remedy="interlock questions ITEM lists them")
    return (*records[: number - 1], *records[number:])
