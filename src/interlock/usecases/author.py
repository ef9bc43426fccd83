"""Who answers: the name that was given, else git's user, else the system's. Nobody is asked for it."""

from __future__ import annotations

import getpass
import os
import shutil
from pathlib import Path

from interlock.model.errors import InterlockError
from interlock.model.evidence import MAX_NAME
from interlock.model.text import plain, wrong_with_line

#: Longest wait for git, in seconds.
_GIT_S = 3.0
#: Of a process that has no user name, as in a container.
_NOBODY = "unknown user"


def author_of(named: str | None = None) -> str:
    """The author of answers that are given now.

    :param named: as given with ``--as``.
    :raises InterlockError: the name is blank, too long, or holds what no name does.
    """
    if named is None:
        return _git_user() or _system_user()
    if (wrong := wrong_with_line(named, MAX_NAME)) is not None:
        raise InterlockError(
            f"the author {wrong}", remedy='give a name on one line, such as --as "Ada <ada@example.org>"'
        )
    return named.strip()


def _git_user() -> str | None:
    """Git's user as the person configured it for all repositories: that of a workspace is a stranger's to choose.

    Git reads the person's own configuration alone, in the person's home: nothing of the workspace is looked at.
    """
    git = shutil.which("git")
    if git is None or not Path(git).is_absolute() or _is_below_here(git):
        return None
    from subprocess import DEVNULL, PIPE, SubprocessError, run

    command = [git, "config", "--global", "--includes", "--null", "--get-regexp", r"^user\.(name|email)$"]
    try:
        done = run(command, cwd=Path.home(), stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, timeout=_GIT_S, check=False)  # noqa: S603  # no shell
    except (OSError, RuntimeError, SubprocessError):  # RuntimeError: there is no home
        return None
    entries = (entry.partition("\n") for entry in done.stdout[:10_000].decode("utf-8", "replace").split("\0"))
    said = {key.lower(): plain(value, MAX_NAME) for key, _, value in entries}
    name, email = said.get("user.name", ""), said.get("user.email", "")
    return plain(f"{name} <{email}>" if name and email else name or email, MAX_NAME) or None


def _is_below_here(program: str) -> bool:
    """Whether a program is in the folder that we are in, which may be a stranger's: Windows looks there first."""
    here = Path(os.path.realpath(Path.cwd()))
    return here in Path(os.path.realpath(program)).parents


def _system_user() -> str:
    try:
        return plain(getpass.getuser(), MAX_NAME) or _NOBODY
    except (ImportError, KeyError, OSError):  # no name for the number, or no number
        return _NOBODY
