"""The workspace: a folder of YAML that a person edits and git keeps. Every write is atomic and under a lock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from interlock.documents.files import read_bytes
from interlock.documents.text import plain
from interlock.documents.yaml import YamlDocument, load_yaml, model_from_yaml, parse_yaml
from interlock.model.address_secrets import redacted_json
from interlock.model.errors import DocumentError, Place, WorkspaceError
from interlock.model.organization import Organization, Settings
from interlock.model.questionnaire import Response
from interlock.workspace import journal
from interlock.workspace.atomic import explain, locked, write_atomically
from interlock.workspace.edit import dump_yaml, edit_yaml

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap

_T = TypeVar("_T")

SETTINGS_FILE = "interlock.yaml"
PRODUCT = "product"


@dataclass(frozen=True)
class WorkspaceContent:
    """Everything in a workspace that an assessment is computed from, except observations and the contract."""

    settings: Settings
    organizations: tuple[Organization, ...]
    product: dict[str, Response] = field(default_factory=dict)
    by_org: dict[str, dict[str, Response]] = field(default_factory=dict)


class Workspace:
    """A folder that holds ``interlock.yaml``.

    :ivar root: the folder.
    :ivar recovered: answers brought in from the journal of unsaved ones by the last save.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.recovered: tuple[str, ...] = ()

    # -- finding and making -------------------------------------------------------------------------------------

    @classmethod
    def find(cls, start: Path) -> Workspace:
        """The workspace at ``start`` or in the nearest folder above it.

        :raises WorkspaceError: there is none.
        """
        absolute = start.expanduser().absolute()
        if not absolute.exists():
            raise WorkspaceError("no such folder", place=Place(file=str(start)), remedy="interlock init makes one")
        for folder in (absolute, *absolute.parents):
            if (folder / SETTINGS_FILE).is_file():
                return cls(folder)
        raise WorkspaceError(
            f"not a workspace: no {SETTINGS_FILE} here or in a folder above",
            place=Place(file=str(absolute)),
            remedy=f"run: interlock init {start}",
        )

    @classmethod
    def create(cls, root: Path, files: dict[str, bytes]) -> Workspace:
        """Make a workspace from ``files`` (relative path → content). Existing files are never overwritten.

        :raises WorkspaceError: a workspace is here already, or the folder cannot be written.
        """
        if (root / SETTINGS_FILE).exists():
            raise WorkspaceError(
                "there is a workspace here already",
                place=Place(file=str(root / SETTINGS_FILE)),
                remedy="choose another folder",
            )
        existing = sorted(name for name in files if (root / name).exists())
        if existing:
            raise WorkspaceError(
                f"{existing[0]} exists already and would be overwritten",
                place=Place(file=str(root)),
                remedy="choose another folder",
            )
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain(error, root) from error
        # The settings come last: until they are there, a half-made folder is not taken for a workspace.
        for name in sorted(files, key=lambda name: (name == SETTINGS_FILE, name)):
            write_atomically(root / name, files[name])
        return cls(root)

    # -- reading ------------------------------------------------------------------------------------------------

    def read(self) -> WorkspaceContent:
        """Load and validate everything that a person edits.

        :raises DocumentError: a broken line, an unknown key, a wrong type or a duplicate id, with file and line.
        """
        organizations = tuple(self._organizations())
        return WorkspaceContent(
            settings=self.settings(),
            organizations=organizations,
            product=self.responses(PRODUCT),
            by_org={org.id: self.responses(org.id) for org in organizations},
        )

    def settings(self) -> Settings:
        """``interlock.yaml``."""
        return model_from_yaml(Settings, self._load(SETTINGS_FILE))

    def _organizations(self) -> Iterator[Organization]:
        seen: dict[str, str] = {}
        for path in sorted((self.root / "orgs").glob("*.y*ml")):
            name = f"orgs/{path.name}"
            document = self._load(name)
            org = model_from_yaml(Organization, document)
            if org.id in seen:
                raise DocumentError(
                    f"the organisation {org.id!r} is in {seen[org.id]} already",
                    place=document.place(("id",)),
                    remedy="rename one",
                )
            if org.id == PRODUCT or org.id != path.stem:
                raise DocumentError(
                    f"the id {org.id!r} and the file name differ"
                    if org.id != PRODUCT
                    else "'product' is not an organisation",
                    place=document.place(("id",)),
                    remedy=f"name the file {org.id}.yaml" if org.id != PRODUCT else "choose another id",
                )
            seen[org.id] = name
            yield org

    def responses(self, scope: str) -> dict[str, Response]:
        """Responses of ``product`` or of one organisation; empty when the file is not there."""
        name = f"responses/{scope}.yaml"
        if not (self.root / name).exists():
            return {}
        return parse_responses(self._load(name))

    def _load(self, name: str) -> YamlDocument:
        return load_yaml(self.root / name, shown_as=str(self.root / name))

    # -- writing ------------------------------------------------------------------------------------------------

    def save_response(self, scope: str, item: str, response: Response | None) -> None:
        """Save one answer (``None`` removes it), together with any answers that could not be saved earlier.

        When the save fails the answer is kept in the journal, and the error says so.

        :raises WorkspaceError: the folder is locked, read-only or full.
        """
        try:
            with locked(self.root):
                waiting = journal.pending(self.root)
                for entry in waiting:
                    self._put(entry["scope"], {entry["item"]: Response.model_validate(entry["response"])})
                self._put(scope, {item: response})
        except WorkspaceError as error:
            raise self._kept(error, scope, item, response) from error
        if waiting:
            journal.forget(self.root)
        self.recovered = tuple(entry["item"] for entry in waiting)

    def save_responses(self, changes: Mapping[str, Mapping[str, Response]]) -> None:
        """Save answers of several scopes (scope → item → response): all of them, or none when one cannot be saved.

        Answers that could not be saved earlier go in first, as with :meth:`save_response`.

        :raises WorkspaceError: the folder is locked, read-only or full.
        :raises DocumentError: a responses file is broken.
        """
        with locked(self.root):
            waiting = journal.pending(self.root)
            merged: dict[str, dict[str, Response]] = {}
            for entry in waiting:
                merged.setdefault(entry["scope"], {})[entry["item"]] = Response.model_validate(entry["response"])
            for scope, answers in changes.items():
                merged.setdefault(scope, {}).update(answers)
            written: list[tuple[Path, bytes | None]] = []
            try:
                for scope, answers in merged.items():
                    path = self.root / f"responses/{scope}.yaml"
                    before = path.read_bytes() if path.exists() else None
                    self._put(scope, answers)
                    written.append((path, before))
            except (WorkspaceError, DocumentError):
                for path, before in written:
                    path.unlink() if before is None else write_atomically(path, before)
                raise
        if waiting:
            journal.forget(self.root)
        self.recovered = tuple(entry["item"] for entry in waiting)

    def _kept(self, error: WorkspaceError, scope: str, item: str, response: Response | None) -> WorkspaceError:
        kept = journal.remember(self.root, scope, item, response) if response is not None else None
        if kept is None:
            return error
        note = f"{error.message}; the answer to {item} is kept in {kept} and goes in with the next save"
        return WorkspaceError(note, place=error.place, remedy=error.remedy)

    def _put(self, scope: str, changes: Mapping[str, Response | None]) -> None:
        from ruamel.yaml.comments import CommentedMap

        name = f"responses/{scope}.yaml"

        def change(document: CommentedMap) -> None:
            answers = document.get("answers")
            if not isinstance(answers, CommentedMap):
                answers = document["answers"] = CommentedMap()
            for item, response in changes.items():
                if response is None:
                    answers.pop(item, None)
                    continue
                data = response.model_dump(mode="json", exclude_none=True, exclude_defaults=False)
                entry = answers.get(item)
                if isinstance(entry, CommentedMap):  # keep the comments that belong to the entry
                    for key in [key for key in entry if key not in data]:
                        del entry[key]
                    entry.update(data)
                else:
                    answers[item] = CommentedMap(data)

        edit_yaml(self.root / name, change, lambda text: parse_responses(parse_yaml(text, name)))

    def save_organization(self, org: Organization, *, new: bool) -> None:
        """Add or change one organisation's file; comments in it survive.

        :raises WorkspaceError: ``new`` and it exists, or not ``new`` and it does not.
        """
        path = self.root / "orgs" / f"{org.id}.yaml"
        if org.id == PRODUCT:
            raise WorkspaceError("'product' is not an organisation", remedy="choose another id")
        with locked(self.root):
            if path.exists() == new:
                raise WorkspaceError(
                    f"the organisation {org.id!r} exists already" if new else f"there is no organisation {org.id!r}",
                    place=Place(file=str(path)),
                    remedy="interlock org edit changes it" if new else "interlock org list shows them",
                )
            data = org.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {
                "id": org.id,
                "name": org.name,
            }
            if new:
                write_atomically(path, dump_yaml({"id": org.id, "name": org.name} | data).encode())
                return

            def change(document: CommentedMap) -> None:
                for key in [key for key in document if key not in data]:
                    del document[key]
                document.update(data)

            edit_yaml(path, change, lambda text: model_from_yaml(Organization, parse_yaml(text, path.name)))

    def remove_organization(self, org_id: str) -> tuple[Path, ...]:
        """Remove an organisation's file. Its responses and observations stay: they are evidence. Returns what stays.

        :raises WorkspaceError: there is no such organisation.
        """
        path = self.root / "orgs" / f"{org_id}.yaml"
        with locked(self.root):
            try:
                path.unlink()
            except FileNotFoundError as error:
                raise WorkspaceError(
                    f"there is no organisation {org_id!r}",
                    place=Place(file=str(path)),
                    remedy="interlock org list shows them",
                ) from error
            except OSError as error:
                raise explain(error, path) from error
        kept = (self.root / "responses" / f"{org_id}.yaml", self.root / "observations" / org_id)
        return tuple(path for path in kept if path.exists())

    def write(self, name: str, content: bytes) -> Path:
        """Write a generated file under the workspace, atomically and under the lock."""
        with locked(self.root):
            write_atomically(self.root / name, content)
        return self.root / name


def parse_responses(document: YamlDocument) -> dict[str, Response]:
    """``answers:`` of a responses file.

    :raises DocumentError: anything but a map of item ids to responses, with the line.
    """
    data: Any = document.data
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise DocumentError("expected the key 'answers'", place=document.place())
    for key in data:
        if key not in {"answers", "note"}:
            raise DocumentError(
                f"unknown key {plain(key, 60)!r}", place=document.place((key,)), remedy="known keys: answers, note"
            )
    answers = data.get("answers") or {}
    if not isinstance(answers, dict):
        raise DocumentError("expected item ids and their answers", place=document.place(("answers",)))
    return {item: model_from_yaml(Response, document, entry, ("answers", item)) for item, entry in answers.items()}


def read_json(path: Path, parse: Callable[[bytes], _T]) -> _T:
    """Read a JSON file of ours with ``parse``.

    :raises DocumentError: it is missing, unreadable, or not what it should be.
    """
    place = Place(file=str(path))
    raw = read_bytes(path)
    try:
        return parse(redacted_json(raw))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        pointer = "/" + "/".join(str(part) for part in first["loc"])
        raise DocumentError(f"{first['msg']}", place=Place(file=str(path), pointer=pointer)) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DocumentError(f"not valid JSON: {plain(error)}", place=place) from error
