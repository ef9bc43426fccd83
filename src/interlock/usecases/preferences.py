"""The user's ``config.toml``, and where the user left off: both outside every workspace, in the user's own folders."""

from __future__ import annotations

import contextlib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, ValidationError

from interlock.documents.files import read_bytes
from interlock.model.base import Model
from interlock.model.errors import InterlockError, Location
from interlock.model.preferences import Preferences, Remark, read_preferences, template
from interlock.workspace.atomic import explain, locked, write_atomically
from interlock.workspace.store import SETTINGS_FILE

#: Bytes of ``config.toml``, and of the file of recent workspaces, that are read.
_MAX_CONFIG, _MAX_RECENT = 64_000, 256_000
#: The theme as ``config.toml`` says it, or as its template has it behind ``#``.
_THEME = re.compile(r"(?:# *)?theme *= *[^#]*?(?= *(?:#|$))")
#: Workspaces that are remembered.
MOST_RECENT = 20


def config_path() -> Path:
    """The user's ``config.toml``, which need not be there."""
    return platformdirs.user_config_path("interlock") / "config.toml"


def preferences() -> tuple[Preferences, tuple[Remark, ...]]:
    """What the user prefers, and what in the file is left out; without a file, what holds without one."""
    path = config_path()
    try:
        return read_preferences(read_bytes(path, _MAX_CONFIG).decode()) if path.exists() else (Preferences(), ())
    except UnicodeDecodeError:
        return Preferences(), (Remark("this is no text in UTF-8; nothing of it is used"),)
    except (InterlockError, OSError) as error:
        return Preferences(), (Remark(f"{error}; nothing of it is used"),)


def make_config() -> Path:
    """The user's ``config.toml``; where there is none, one is written that says what can be set.

    :raises InterlockError: it cannot be written.
    """
    path = config_path()
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain(error, path) from error
        write_atomically(path, template().encode())
    return path


def keep_theme(theme: str) -> None:
    """Write the theme into the user's ``config.toml``; everything else in it stays.

    :raises InterlockError: it cannot be written, or is none that could be read.
    """
    path = make_config()
    text = read_bytes(path, _MAX_CONFIG).decode(errors="replace")  # such a file is no TOML either
    said = f'theme = "{theme}"'
    lines = text.splitlines()
    tables = (number for number, line in enumerate(lines) if line.lstrip().startswith("["))
    before = range(next(tables, len(lines)))  # what stands in a table is no theme
    here = next((number for number in before if _THEME.match(lines[number])), None)
    if here is None:
        lines.insert(0, said)
    else:
        lines[here] = _THEME.sub(said, lines[here], count=1)
    changed = "\n".join(lines) + "\n"
    try:
        tomllib.loads(changed)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InterlockError("config.toml cannot be read as it is", location=Location(file=str(path))) from error
    write_atomically(path, changed.encode())


class LeftOff(Model):
    """Where somebody was in a workspace.

    :ivar root: the workspace's folder.
    :ivar section: a section's mode.
    :ivar scope: whose questions: ``product`` or an organisation's id.
    :ivar item: a question's id.
    """

    root: Annotated[str, Field(max_length=4096)]
    section: Annotated[str, Field(max_length=40)] = "overview"
    scope: Annotated[str, Field(max_length=200)] = "product"
    item: Annotated[str, Field(max_length=200)] | None = None


class _Record(Model):
    version: Literal[1] = 1
    workspaces: Annotated[tuple[LeftOff, ...], Field(max_length=MOST_RECENT)] = ()


def recent_path() -> Path:
    """The file that says where the user left off."""
    return platformdirs.user_state_path("interlock") / "recent.json"


def left_off_lately() -> tuple[LeftOff, ...]:
    """The workspaces opened last, the latest first; a damaged file counts as none."""
    try:
        return _Record.model_validate_json(read_bytes(recent_path(), _MAX_RECENT)).workspaces
    except (InterlockError, ValidationError):
        return ()


def recent_workspaces() -> tuple[Path, ...]:
    """The workspaces opened last that are still there, the latest first."""
    roots = (Path(recent.root) for recent in left_off_lately())
    return tuple(root for root in roots if (root / SETTINGS_FILE).is_file())


def left_off_in(root: Path) -> LeftOff | None:
    """Where the user left off in a workspace, if it is remembered."""
    return next((recent for recent in left_off_lately() if recent.root == str(root)), None)


def remember(recent: LeftOff) -> None:
    """Remember where the user left off. That it cannot be written costs nobody anything."""
    path = recent_path()
    with contextlib.suppress(InterlockError, OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(path.parent, name=".recent.lock"):
            others = [known for known in left_off_lately() if known.root != recent.root]
            record = _Record(workspaces=(recent, *others[: MOST_RECENT - 1]))
            write_atomically(path, record.model_dump_json(indent=1, exclude_none=True).encode() + b"\n")
