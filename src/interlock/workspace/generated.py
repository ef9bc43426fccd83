"""Files that are generated into a folder, where their readers may edit them: no edit is ever lost.

A manifest in the folder holds the hash of each file as it was written. A file that has another hash now was edited: it
stays, and the new one stands beside it as ``NAME.new``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, ValidationError

from interlock.documents.files import read_bytes
from interlock.documents.json import parse_json
from interlock.documents.visible import to_json
from interlock.model.base import IsoDate, Model
from interlock.model.errors import DocumentError, Location, WorkspaceError
from interlock.workspace.atomic import write_atomically

MANIFEST = "manifest.json"
MAX_BYTES = 16_000_000
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
    """One file, and what became of it; ``path`` is the one that was written, or that stays."""

    path: Path
    state: State


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
    done: list[Generated] = []
    for name, text in files.items():
        path, wanted, there = folder / name, _hash(text.encode()), _hash_of(folder, folder / name)
        if there == wanted:
            done.append(Generated(path, "same"))
            continue
        if there is None or force or there == before.get(name):
            done.append(Generated(path, "new" if there is None else "renewed"))
        elif before.get(name) == wanted:
            done.append(Generated(path, "kept"))
            continue
        else:
            path = path.with_name(f"{path.name}.new")
            done.append(Generated(path, "beside"))
        if not check:
            write_atomically(path, text.encode())
    done += [Generated(folder / name, "orphan") for name in before if name not in files and (folder / name).exists()]
    if not check:
        hashes = {name: _hash(text.encode()) for name, text in files.items()}
        new = Manifest(source=source, made=made, files=hashes)
        if new != manifest:
            write_atomically(folder / MANIFEST, to_json(new.model_dump(mode="json")).encode())
    return tuple(done)


def outside_of_own(folder: Path, root: Path, own: frozenset[str]) -> Path:
    """The folder, if it is not the workspace's itself and not one that the workspace keeps its own files in.

    :raises WorkspaceError: it is.
    """
    real, top = folder.resolve(), root.resolve()
    inner = real.relative_to(top).parts[:1] if real.is_relative_to(top) else ("elsewhere",)
    if not inner or inner[0] in own:
        raise WorkspaceError(
            "the workspace keeps its own files here, so nothing is generated into it",
            location=Location(file=str(folder)),
            remedy="name another folder with -o DIR",
        )
    return folder


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of(folder: Path, path: Path) -> str | None:
    """The hash of a file that is there, or none. One that cannot be read as a file is told."""
    if not path.exists() and not path.is_symlink():
        return None
    return _hash(read_bytes(path, MAX_BYTES, within=folder))
