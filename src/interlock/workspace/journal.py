"""Answers that are not in the workspace: those that could not be saved, and those that somebody else's stands against.

A file of JSON lines outside the workspace. A line is promised once it is on disk; a line that was cut off by a crash
never was, and is removed by the next writer. Every writer holds the journal's lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError

from interlock.documents.files import read_bytes
from interlock.model.base import Model
from interlock.model.errors import InterlockError
from interlock.model.response import Response
from interlock.workspace.atomic import locked, sync_folder, write_atomically

#: Largest journal, in bytes: thousands of answers with long notes.
_MAX_BYTES = 64_000_000


@dataclass(frozen=True)
class Change:
    """One answer to save: where it belongs, what it is (none removes it), and what its writer had read there."""

    scope: str
    item: str
    response: Response | None
    before: Response | None

    @property
    def key(self) -> tuple[str, str]:
        """Where it belongs."""
        return self.scope, self.item


class KeptAnswer(Model):
    """One answer that is kept: its scope (``product`` or an organisation's id), item and response.

    :ivar before: what its writer had read there.
    :ivar disputed: somebody else gave another answer; it goes in only when it is chosen.
    """

    id: str
    at: datetime
    scope: str
    item: str
    response: dict[str, Any] | None
    before: dict[str, Any] | None
    disputed: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Where it belongs."""
        return self.scope, self.item

    def change(self) -> Change | None:
        """The answer, or none when it is no longer a valid one."""
        try:
            response, before = (
                None if data is None else Response.model_validate(data) for data in (self.response, self.before)
            )
        except ValidationError:
            return None
        return Change(self.scope, self.item, response, before)


def journal_path(root: Path) -> Path:
    """The journal of one workspace, in the user's state folder."""
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return platformdirs.user_state_path("interlock") / "unsaved" / f"{digest}.jsonl"


def keep(root: Path, change: Change, *, disputed: bool = False) -> Path | None:
    """Keep an answer that is not in the workspace. None when even the state folder cannot be written."""
    path = journal_path(root)
    entry = KeptAnswer(
        id=uuid.uuid4().hex,
        at=datetime.now(UTC),
        scope=change.scope,
        item=change.item,
        response=_plain(change.response),
        before=_plain(change.before),
        disputed=disputed,
    )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path):
            _append(path, entry.model_dump_json().encode() + b"\n")
    except (InterlockError, OSError):
        return None
    return path


def _plain(response: Response | None) -> dict[str, Any] | None:
    return None if response is None else response.model_dump(mode="json", exclude_none=True)


def _append(path: Path, line: bytes) -> None:
    """Add a line behind the last whole one; when that fails, nothing is added."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0) as handle:
        if handle.seek(0, os.SEEK_END) + len(line) > _MAX_BYTES:
            raise OSError("the journal is full")
        handle.seek(0)
        end = handle.read().rfind(b"\n") + 1
        try:
            handle.truncate(end)
            handle.seek(end)
            if handle.write(line) != len(line):
                raise OSError("the disk took a part of it only")
            os.fsync(handle.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                handle.truncate(end)
            raise
    sync_folder(path.parent)


def kept(root: Path) -> tuple[KeptAnswer, ...]:
    """Every answer that is kept for this workspace, oldest first. What cannot be read is passed over, and stays."""
    return tuple(entry for _, entry in _lines(journal_path(root)) if entry is not None)


def unreadable(root: Path) -> int:
    """Lines of the journal that cannot be read."""
    return sum(entry is None for _, entry in _lines(journal_path(root)))


def _lines(path: Path) -> list[tuple[bytes, KeptAnswer | None]]:
    """Every whole line with what it says, if it can be read."""
    try:
        content = read_bytes(path, _MAX_BYTES)
    except InterlockError:
        return []
    return [(line, _read(line)) for line in content.split(b"\n")[:-1] if line.strip()]


def _read(line: bytes) -> KeptAnswer | None:
    try:
        return KeptAnswer.model_validate_json(line)
    except ValidationError:
        return None


def settle(root: Path, *, dropped: Collection[KeptAnswer] = (), disputed: Collection[KeptAnswer] = ()) -> None:
    """Drop answers that are saved now or decided against, and mark those that somebody else's stand against.

    When that fails everything stays as it is, and is looked at again by the next save.
    """
    if not dropped and not disputed:
        return
    gone, against = ({entry.id for entry in entries} for entries in (dropped, disputed))
    path = journal_path(root)
    with contextlib.suppress(InterlockError, OSError), _locked(path):
        left = []
        for line, entry in _lines(path):
            if entry is not None and entry.id in against:
                left.append(entry.model_copy(update={"disputed": True}).model_dump_json().encode())
            elif entry is None or entry.id not in gone:
                left.append(line)
        if left:
            write_atomically(path, b"\n".join(left) + b"\n")
        else:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)


def _locked(path: Path) -> contextlib.AbstractContextManager[None]:
    return locked(path.parent, name=f"{path.stem}.lock")
