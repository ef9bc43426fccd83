"""Answers that could not be saved, kept outside the workspace until they can be."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import TypedDict, cast

import platformdirs

from interlock.model.errors import WorkspaceError
from interlock.model.questionnaire import Response
from interlock.workspace.atomic import write_atomically


class UnsavedAnswer(TypedDict):
    """One answer that is waiting: its scope (``product`` or an organisation's id), item and response."""

    scope: str
    item: str
    response: dict[str, object]


def journal_path(root: Path) -> Path:
    """The journal of one workspace, in the user's state folder."""
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return platformdirs.user_state_path("interlock") / "unsaved" / f"{digest}.json"


def remember(root: Path, scope: str, item: str, response: Response) -> Path | None:
    """Keep an answer that could not be saved. None when even the state folder cannot be written."""
    path = journal_path(root)
    waiting = [entry for entry in pending(root) if (entry["scope"], entry["item"]) != (scope, item)]
    waiting.append({"scope": scope, "item": item, "response": response.model_dump(mode="json", exclude_none=True)})
    try:
        write_atomically(path, json.dumps(waiting, indent=1).encode())
    except WorkspaceError:
        return None
    return path


def pending(root: Path) -> list[UnsavedAnswer]:
    """Answers that wait to be saved into this workspace, oldest first. A damaged journal counts as empty."""
    try:
        entries = json.loads(journal_path(root).read_bytes())
    except (OSError, ValueError):
        return []
    whole = [entry for entry in entries if isinstance(entry, dict) and {"scope", "item", "response"} <= entry.keys()]
    return cast(list[UnsavedAnswer], whole)


def forget(root: Path) -> None:
    """Drop the journal: its answers are saved now."""
    with contextlib.suppress(OSError):
        journal_path(root).unlink()
