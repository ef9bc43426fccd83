"""Files that are generated into a folder, where their readers may edit them: no edit is ever lost.

A manifest in the folder holds the hash of each file as it was written. A file that has another hash now was edited: it
stays, and the new one stands beside it as ``NAME.new``; one of that name that was edited too stays as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, ValidationError

from interlock.documents.files import read_bytes
from interlock.documents.json import parse_json
from interlock.documents.redaction import redacted
from interlock.documents.visible import to_json
from interlock.model.base import IsoDate, Model
from interlock.model.errors import DocumentError, Location, WorkspaceError
from interlock.workspace.atomic import write_atomically
from interlock.workspace.store import SETTINGS_FILE

MANIFEST = "manifest.json"
MAX_BYTES = 16_000_000
#: How much of a file is compared, and how much of what differs is told: characters, lines, characters of a line.
MAX_COMPARED, MAX_DIFFERENT, MAX_LINE = 400_000, 60, 240
#: new: was not there; renewed: as it was written, and replaced; same: nothing to do; kept: edited, and what is
#: generated has not changed since; beside: edited, and the new one stands beside it; orphan: is no longer generated.
State = Literal["new", "renewed", "same", "kept", "beside", "orphan"]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(Model):
    """``manifest.json``: what was generated, from which text, on which day.

    :ivar source: hash of what the files are made of.
    :ivar files: name → SHA-256 of the file as it was generated.
    """

    source: _Hash
    made: IsoDate
    files: dict[str, _Hash]


class Generated(NamedTuple):
    """One file, and what became of it.

    :ivar path: the one that was written, or that stays.
    :ivar difference: of a file that is replaced, or beside an edited one: what changes, as lines of a unified diff.
    """

    path: Path
    state: State
    difference: tuple[str, ...] = ()


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, or none where nothing was generated.

    :raises DocumentError: it is no manifest; says so, and that nothing was written.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        return Manifest.model_validate(parse_json(read_bytes(path, MAX_BYTES, within=folder), str(path)))
    except (ValidationError, DocumentError) as error:
        raise DocumentError(
            "this is not the manifest that was written here, so nothing was",
            location=Location(file=str(path)),
            remedy="restore it, or export into another folder; without it every file counts as edited",
        ) from error


def write_generated(
    folder: Path, files: Mapping[str, str], *, source: str, made: str, force: bool = False, check: bool = False
) -> tuple[Generated, ...]:
    """Write files by name, with their manifest; what somebody edited stays.

    :param force: edited files are replaced too.
    :param check: nothing is written: the states tell what would be.
    :raises DocumentError: the manifest is not one.
    :raises WorkspaceError: the folder cannot be written.
    """
    manifest = read_manifest(folder)
    before = manifest.files if manifest is not None else {}
    done = [_one(folder, name, text, before.get(name), force=force) for name, text in files.items()]
    left = {name: was for name, was in before.items() if name not in files and _is_there(folder, name)}
    orphans = [folder / name for name in left]
    settled = [file.path for file in done if file.state in {"same", "renewed"}]
    orphans += [beside for path in settled if (beside := path.with_name(f"{path.name}.new")).exists()]
    if not check:
        for file, text in zip(done, files.values(), strict=True):
            if file.state not in {"same", "kept"} and _hash_of(folder, file.path) != _hash(text.encode()):
                write_atomically(file.path, text.encode(), within=folder)
        hashes = {name: _hash(text.encode()) for name, text in files.items()}
        new = Manifest(source=source, made=made, files=hashes | left)
        if new != manifest:
            write_atomically(folder / MANIFEST, to_json(new.model_dump(mode="json")).encode(), within=folder)
    return (*done, *(Generated(path, "orphan") for path in orphans))


def _one(folder: Path, name: str, text: str, before: str | None, *, force: bool) -> Generated:
    """What is to become of one file; ``before`` is its hash as it was written last."""
    path, wanted, there = folder / name, _hash(text.encode()), _hash_of(folder, folder / name)
    if there == wanted:
        return Generated(path, "same")
    if there is None:
        return Generated(path, "new")
    if force or there == before:
        return Generated(path, "renewed", tuple(_difference(path, text, folder)))
    if before == wanted:
        return Generated(path, "kept")
    beside = next(candidate for candidate in _beside(path) if _hash_of(folder, candidate) in {None, before, wanted})
    return Generated(beside, "beside", tuple(_difference(path, text, folder)))


def _beside(path: Path) -> Iterator[Path]:
    """``NAME.new``, and for as long as somebody edited that ``NAME.new2`` and so on."""
    yield path.with_name(f"{path.name}.new")
    number = 2
    while True:
        yield path.with_name(f"{path.name}.new{number}")
        number += 1


def _difference(path: Path, text: str, folder: Path) -> Iterator[str]:
    """What differs between a file and the new one, in at most :data:`MAX_DIFFERENT` lines, without secrets."""
    edited = read_bytes(path, MAX_BYTES, within=folder).decode(errors="replace")
    if len(edited) + len(text) > MAX_COMPARED:
        yield "(too long to be compared here)"
        return
    ours, theirs = (redacted(side).splitlines() for side in (edited, text))
    lines = unified_diff(ours, theirs, path.name, f"{path.name}.new", lineterm="", n=1)
    yield from (line[:MAX_LINE] for line in islice(lines, MAX_DIFFERENT))
    if (left := sum(1 for _ in lines)) > 0:
        yield f"(and {left} more lines)"


def _is_there(folder: Path, name: str) -> bool:
    """Whether a file that a manifest names is in the folder: a manifest may be anybody's."""
    path = folder / name
    return path.exists() and path.resolve().is_relative_to(folder.resolve())


def outside_of_own(folder: Path, root: Path, own: frozenset[str]) -> Path:
    """The folder, wherever links and ``..`` lead, if nothing that a workspace keeps stands in it, nor it in that.

    A workspace is the one at ``root``, and any that the folder is in.

    :param own: names of the folders that a workspace keeps its own files in.
    :raises WorkspaceError: it is the workspace itself, one of those folders, a folder that holds the workspace, or
        links that lead in a circle.
    """
    try:
        real = folder.resolve()
    except (RuntimeError, OSError) as error:
        raise WorkspaceError("the links on the way to it lead nowhere", location=Location(file=str(folder))) from error
    tops = {root.resolve(), *(folder for folder in (real, *real.parents) if (folder / SETTINGS_FILE).is_file())}
    why = None
    for top in tops:
        kept = [(top / name).resolve() for name in own]
        inner = real.relative_to(top).parts[:1] if real.is_relative_to(top) else ("elsewhere",)
        if not inner or inner[0].casefold() in own or any(real.is_relative_to(path) for path in kept):
            why = "the workspace keeps its own files here, so nothing is generated into it"
        elif any(path.is_relative_to(real) for path in (top, *kept)):
            why = f"the workspace {top} would be a part of what is generated, so nothing was"
    if why is not None:
        raise WorkspaceError(why, location=Location(file=str(folder)), remedy="name another folder with -o DIR")
    return folder


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of(folder: Path, path: Path) -> str | None:
    """The hash of a file that is there, or none. One that cannot be read as a file is told."""
    if not path.exists() and not path.is_symlink():
        return None
    return _hash(read_bytes(path, MAX_BYTES, within=folder))
