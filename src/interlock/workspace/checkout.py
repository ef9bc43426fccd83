"""The commit of a git checkout, read from its files: no program is run, so no hook or setting of a repository acts."""

from __future__ import annotations

import re
from pathlib import Path

from interlock.documents.files import read_bytes
from interlock.model.errors import DocumentError

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF = re.compile(r"ref: (refs/(?!.*\.\.)[\w./+-]{1,200})")
_MOST_PARENTS, _MAX_LINE, _MAX_PACKED = 20, 1_000, 4_000_000


def checkout_of(folder: Path) -> Path | None:
    """The top folder of the checkout that a folder is in; none where it is in none."""
    try:
        here = folder.resolve()
        return next((top for top in [here, *here.parents][:_MOST_PARENTS] if (top / ".git").exists()), None)
    except OSError:
        return None


def commit_of(folder: Path) -> str | None:
    """The commit that is checked out where a folder is; none where that cannot be read.

    Whether files were changed since is not looked at: only git itself can tell.
    """
    top = checkout_of(folder)
    try:
        return _commit(top / ".git") if top is not None else None
    except (DocumentError, OSError):
        return None


def _commit(git: Path) -> str | None:
    if not git.is_dir():  # a worktree or a submodule names its folder
        git = git.parent / _line(git.parent, git.name).removeprefix("gitdir: ")
    head = _line(git, "HEAD")
    if _COMMIT.fullmatch(head):
        return head
    named = _REF.fullmatch(head)
    if named is None:
        return None
    common = git / _line(git, "commondir") if (git / "commondir").exists() else git
    if (common / named[1]).exists():
        loose = _line(common, named[1])
        return loose if _COMMIT.fullmatch(loose) else None
    packed = read_bytes(common / "packed-refs", _MAX_PACKED, within=common).decode("utf-8", "replace")
    lines = (line.partition(" ") for line in packed.splitlines())
    return next((commit for commit, _, ref in lines if ref == named[1] and _COMMIT.fullmatch(commit)), None)


def _line(folder: Path, name: str) -> str:
    return read_bytes(folder / name, _MAX_LINE, within=folder).decode("utf-8", "replace").strip()
