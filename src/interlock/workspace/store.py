"""The workspace: a folder of YAML that a person edits and git keeps. Every write is atomic and under a lock.

What its files hold is imported when one is read: the terminal UI paints its first frame before that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from interlock.documents.files import check_merged, inside, read_bytes
from interlock.documents.json import json_text
from interlock.documents.yaml import model_from_yaml, parse_yaml
from interlock.model.address_secrets import redacted_json
from interlock.model.errors import DocumentError, Location, WorkspaceError
from interlock.model.text import natural, plain, symbols_in_json
from interlock.workspace.atomic import explain, locked, write_atomically
from interlock.workspace.contract_file import ContractFile
from interlock.workspace.edit import dump_yaml, edit_yaml
from interlock.workspace.responses import PRODUCT, ResponseFiles
from interlock.workspace.routine import TaskFile

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap

    from interlock.model.base import Model
    from interlock.model.hazard import HazardFigures
    from interlock.model.organization import Organization, Settings
    from interlock.model.product import Product
    from interlock.model.response import Response
    from interlock.model.routine import TaskStatuses


_M = TypeVar("_M", bound="Model")
_T = TypeVar("_T")

SETTINGS_FILE = "interlock.yaml"
HAZARDS_FILE = "hazards.yaml"
PRODUCT_FILE = "product.yaml"
#: Largest observation or milestone, in bytes.
MAX_RECORD_BYTES = 64_000_000


@dataclass(frozen=True)
class WorkspaceContent:
    """Everything in a workspace that an assessment is computed from, except observations and the contract."""

    settings: Settings
    organizations: tuple[Organization, ...]
    product: dict[str, Response] = field(default_factory=dict)
    by_org: dict[str, dict[str, Response]] = field(default_factory=dict)
    tasks: TaskStatuses = field(default_factory=dict)


@dataclass(frozen=True)
class FileChange:
    """A file of the workspace before and after a change; none where it was not there.

    :ivar name: relative to the workspace, as in ``orgs/st-mary.yaml``.
    """

    name: str
    before: bytes | None
    after: bytes | None

    @property
    def back(self) -> FileChange:
        """The change that undoes this one."""
        return FileChange(self.name, self.after, self.before)


class Workspace(ResponseFiles, TaskFile, ContractFile):
    """A folder that holds ``interlock.yaml``."""

    # -- finding and making -------------------------------------------------------------------------------------

    @classmethod
    def find(cls, start: Path) -> Workspace:
        """The workspace at ``start`` or in the nearest folder above it.

        :raises WorkspaceError: there is none.
        """
        absolute = start.expanduser().absolute()
        if not absolute.exists():
            raise WorkspaceError(
                "no such folder", location=Location(file=str(start)), remedy="interlock init makes one"
            )
        for folder in (absolute, *absolute.parents):
            if (folder / SETTINGS_FILE).is_file():
                return cls(folder)
        raise WorkspaceError(
            f"not a workspace: no {SETTINGS_FILE} here or in a folder above",
            location=Location(file=str(absolute)),
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
                location=Location(file=str(root / SETTINGS_FILE)),
                remedy="choose another folder",
            )
        existing = sorted(name for name in files if (root / name).exists())
        if existing:
            raise WorkspaceError(
                f"{existing[0]} exists already and would be overwritten",
                location=Location(file=str(root)),
                remedy="choose another folder",
            )
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain(error, root) from error
        # The settings come last: until they are there, a half-made folder is not taken for a workspace.
        for name in sorted(files, key=lambda name: (name == SETTINGS_FILE, name)):
            write_atomically(root / name, files[name], within=root)
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
            tasks=self.tasks(),
        )

    def settings(self) -> Settings:
        """``interlock.yaml``."""
        from interlock.model.organization import Settings

        return model_from_yaml(Settings, self.load(SETTINGS_FILE))

    def product(self) -> Product | None:
        """``product.yaml``: how the running product is reached; none when the file is not there."""
        from interlock.model.product import Product

        return model_from_yaml(Product, self.load(PRODUCT_FILE)) if self.has(PRODUCT_FILE) else None

    def hazard_figures(self) -> Mapping[str, HazardFigures]:
        """The team's own figures of hazards (``hazards.yaml``); empty when the file is not there."""
        from interlock.model.hazard import HazardFile

        return model_from_yaml(HazardFile, self.load(HAZARDS_FILE)).hazards if self.has(HAZARDS_FILE) else {}

    def _organizations(self) -> Iterator[Organization]:
        from interlock.model.organization import Organization

        file_of: dict[str, str] = {}
        for path in sorted(self.files("orgs", "*.y*ml"), key=lambda path: natural(path.name)):
            name = f"orgs/{path.name}"
            document = self.load(name)
            org = model_from_yaml(Organization, document)
            if org.id in file_of:
                raise DocumentError(
                    f"the organisation {org.id!r} is in {file_of[org.id]} already",
                    location=document.location(("id",)),
                    remedy="rename one",
                )
            if org.id == PRODUCT or org.id != path.stem:
                raise DocumentError(
                    f"the id {org.id!r} and the file name differ"
                    if org.id != PRODUCT
                    else "'product' is not an organisation",
                    location=document.location(("id",)),
                    remedy=f"name the file {org.id}.yaml" if org.id != PRODUCT else "choose another id",
                )
            file_of[org.id] = name
            yield org

    # -- writing ------------------------------------------------------------------------------------------------

    def save_organization(self, org: Organization, *, new: bool) -> None:
        """Add or change one organisation's file; comments in it survive.

        :raises WorkspaceError: ``new`` and it exists, or not ``new`` and it does not.
        """
        from interlock.model.organization import Organization

        path = self.root / "orgs" / f"{org.id}.yaml"
        if org.id == PRODUCT:
            raise WorkspaceError("'product' is not an organisation", remedy="choose another id")
        with locked(self.root):
            if os.path.lexists(path) == new:
                raise WorkspaceError(
                    f"the organisation {org.id!r} exists already" if new else f"there is no organisation {org.id!r}",
                    location=Location(file=str(path)),
                    remedy="interlock org edit changes it" if new else "interlock org list shows them",
                )
            data = org.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {
                "id": org.id,
                "name": org.name,
            }
            if new:
                write_atomically(path, dump_yaml({"id": org.id, "name": org.name} | data).encode(), within=self.root)
                return

            def change(document: CommentedMap) -> None:
                for key in [key for key in document if key not in data]:
                    del document[key]
                document.update(data)

            edit_yaml(path, self.root, change, lambda text: model_from_yaml(Organization, parse_yaml(text, path.name)))

    def remove_organization(self, org_id: str) -> tuple[Path, ...]:
        """Remove an organisation's file. Its responses and observations stay: they are evidence. Returns what stays.

        :raises WorkspaceError: there is no such organisation.
        """
        path = self.root / "orgs" / f"{org_id}.yaml"
        with locked(self.root):
            inside(self.root, path.parent)
            try:
                path.unlink()
            except FileNotFoundError as error:
                raise WorkspaceError(
                    f"there is no organisation {org_id!r}",
                    location=Location(file=str(path)),
                    remedy="interlock org list shows them",
                ) from error
            except OSError as error:
                raise explain(error, path) from error
        kept = (self.root / "responses" / f"{org_id}.yaml", self.root / "observations" / org_id)
        return tuple(path for path in kept if path.exists())

    def change_settings(self, changes: Mapping[str, str | None]) -> None:
        """Change values of ``interlock.yaml``; none takes one away. Comments and order stay.

        :raises DocumentError: these would be no settings any more; then nothing is written.
        """
        from interlock.model.organization import Settings

        def change(document: CommentedMap) -> None:
            for name, value in changes.items():
                if value is None:
                    document.pop(name, None)
                elif document.get(name) != value:
                    document[name] = value

        with locked(self.root):
            edit_yaml(
                self.root / SETTINGS_FILE,
                self.root,
                change,
                lambda text: model_from_yaml(Settings, parse_yaml(text, SETTINGS_FILE)),
            )

    def watched(self, name: str, change: Callable[[], _T]) -> tuple[_T, FileChange]:
        """Make a change; returns what it returned, and what it made of one file.

        :raises InterlockError: whatever the change raises.
        """
        before = self._content(name)
        result = change()
        return result, FileChange(name, before, self._content(name))

    def put(self, change: FileChange) -> None:
        """Make one change of a file again, or the reverse of one.

        :raises WorkspaceError: the file is no longer what it was then, or cannot be written; nothing is changed.
        """
        path = self.root / change.name
        with locked(self.root):
            if self._content(change.name) != change.before:
                raise WorkspaceError(
                    f"{change.name} was changed by somebody else meanwhile",
                    location=Location(file=str(path)),
                    remedy="look at it, and change it by hand",
                )
            if change.after is not None:
                write_atomically(path, change.after, within=self.root)
            elif change.before is not None:
                try:
                    path.unlink()
                except OSError as error:
                    raise explain(error, path) from error

    def _content(self, name: str) -> bytes | None:
        path = self.root / name
        return read_bytes(path, MAX_RECORD_BYTES, within=self.root) if os.path.lexists(path) else None

    def write(self, name: str, content: bytes) -> Path:
        """Write a generated file under the workspace, atomically and under the lock."""
        with locked(self.root):
            write_atomically(self.root / name, content, within=self.root)
        return self.root / name


def read_json(path: Path, model: type[_M], within: Path | None = None) -> _M:
    """Read a JSON file of ours.

    What an earlier Interlock wrote in addition is passed over; control characters that a server chose are symbols.

    :param within: the folder that the file must really be in.
    :raises DocumentError: it is missing, elsewhere, unreadable, made by a newer Interlock, or not what it should be.
    """
    from pydantic import ValidationError

    from interlock.model.base import newer_than_us

    raw = read_bytes(path, MAX_RECORD_BYTES, within=within)
    text = symbols_in_json(json_text(raw, str(path), max_depth=None))  # pydantic's parser bounds the depth
    try:
        return model.model_validate_json(redacted_json(text.encode()), extra="ignore")
    except ValidationError as error:
        check_merged(json_text(raw, str(path)), str(path))  # the words for what no parser can read
        problems = error.errors(include_url=False)
        for problem in problems:
            ours = int(model.model_fields["schema_version"].default) if problem["loc"] == ("schema_version",) else None
            newer = newer_than_us(problem.get("input"), ours) if ours is not None else None
            if newer is not None:
                raise DocumentError(newer, location=Location(file=str(path))) from error
        pointer = "/" + "/".join(str(part) for part in problems[0]["loc"])
        raise DocumentError(plain(problems[0]["msg"]), location=Location(file=str(path), pointer=pointer)) from error
