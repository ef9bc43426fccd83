"""Making a workspace from one of the shipped templates."""

from __future__ import annotations

import re
from pathlib import Path

from interlock.documents.resources import data_dir
from interlock.model.base import ProductKind
from interlock.model.errors import InterlockError
from interlock.model.text import forbidden
from interlock.usecases.trust import trust_own
from interlock.workspace.store import SETTINGS_FILE, Workspace

_IGNORE = b"# Generated files; make them again with: interlock report\nreports/\n.interlock.lock\n.*.interlock.tmp\n"


def templates() -> tuple[str, ...]:
    """Names of the shipped templates."""
    folder = data_dir("samples") / "templates"
    return tuple(sorted(path.name for path in folder.iterdir() if (path / SETTINGS_FILE).is_file()))


def initialize(
    directory: Path, template: str = "blank", *, name: str | None = None, kind: ProductKind | None = None
) -> Workspace:
    """Make a workspace, trusted for what it holds. ``name`` replaces the template's product and workspace name.

    :param kind: what kind of product it is, in place of the template's.

    :raises InterlockError: there is no such template.
    :raises WorkspaceError: a workspace is there already, or the folder cannot be written.
    """
    if template not in templates():
        raise InterlockError(f"there is no template {template!r}", remedy=f"templates: {', '.join(templates())}")
    source = data_dir("samples") / "templates" / template
    files = {
        path.relative_to(source).as_posix(): path.read_bytes()
        for path in sorted(source.rglob("*"))
        if path.is_file() and path.suffix in {".yaml", ".md"}
    }
    files[".gitignore"] = _IGNORE
    if name is not None:
        wrong = forbidden(name)
        if wrong is not None:
            raise InterlockError(f"the name holds {wrong.description}", remedy="write it again without it")
        files[SETTINGS_FILE] = _named(files[SETTINGS_FILE].decode(), name).encode()
    if kind is not None:
        files[SETTINGS_FILE] = _of_kind(files[SETTINGS_FILE].decode(), kind).encode()
    workspace = Workspace.create(directory, files)
    trust_own(workspace)
    return workspace


def blank_contract() -> bytes:
    """A contract.yaml in which nothing is decided, with examples as comments."""
    return (data_dir("samples") / "templates" / "blank" / "contract.yaml").read_bytes()


def _named(settings: str, name: str) -> str:
    """The settings' text with ``name`` and ``product`` replaced; comments stay."""
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", re.sub(r"[\x00-\x1f\x7f]", " ", name)) + '"'
    for key in ("name", "product"):
        settings = re.sub(rf"(?m)^{key}:[^#\n]*", f"{key}: " + quoted.replace("\\", r"\\") + "  ", settings, count=1)
    return "\n".join(line.rstrip() for line in settings.splitlines()) + "\n"


def _of_kind(settings: str, kind: ProductKind) -> str:
    """The settings' text with ``kind``, in its place where the text has one; comments stay."""
    line = f"kind: {kind.value}"
    said, times = re.subn(r"(?m)^#?kind:[^#\n]*?(?=\s*(#|$))", line, settings, count=1)
    return said if times else re.sub(r"(?m)^(product:.*)$", rf"\1\n{line}", settings, count=1)
