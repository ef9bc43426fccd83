"""Immutable records of a workspace: probe observations, discovery documents, milestones."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.documents.files import read_bytes
from interlock.model.base import LAST_YEAR
from interlock.model.errors import DocumentError, Location, WorkspaceError
from interlock.model.observation import Observation
from interlock.model.rehearsal import ProductObservation
from interlock.model.text import slug
from interlock.workspace.atomic import locked, write_atomically
from interlock.workspace.responses import PRODUCT
from interlock.workspace.store import MAX_RECORD_BYTES, Workspace, read_json

if TYPE_CHECKING:
    from interlock.model.assessment import Assessment

#: No discovery document is larger; a compressed one may not unfold beyond it.
MAX_BODY_BYTES = 64_000_000
_STAMP = "%Y-%m-%dT%H%M%S.%fZ"
_MILESTONE = re.compile(r"^(\d+)-([a-z0-9-]+)\.json$")


def save_observation(workspace: Workspace, observation: Observation, *, at_its_time: bool = False) -> Path:
    """Write one observation as ``observations/<org>/<utc>.json``; it never overwrites an earlier one.

    Observations are in the order of their names: where the clock was set back, a name is later than the time in it.
    One that was made elsewhere goes to its own place among them (``at_its_time``).
    """
    org = observation.target.org
    if org is None:
        raise WorkspaceError("an observation without an organisation belongs to no workspace")
    started = observation.started.astimezone(UTC)
    content = observation.model_dump_json(indent=1).encode() + b"\n"
    with locked(workspace.root):
        earlier = observation_files(workspace, org)
        path = workspace.root / "observations" / org / f"{started.strftime(_STAMP)}.json"
        if path in earlier and read_bytes(path, MAX_RECORD_BYTES, within=workspace.root) == content:
            raise WorkspaceError("this observation is saved already", location=Location(file=str(path)))
        latest = max(filter(None, map(_stamped, earlier)), default=None)
        if at_its_time:
            while path in earlier:
                started += timedelta(microseconds=1)
                path = path.with_name(f"{started.strftime(_STAMP)}.json")
        elif latest is not None and started <= latest:
            path = path.with_name(f"{(latest + timedelta(microseconds=1)).strftime(_STAMP)}.json")
        write_atomically(path, content, within=workspace.root)
    return path


def _stamped(path: Path) -> datetime | None:
    """The time in the name of an observation's file; none when the name is not of our form."""
    try:
        stamp = datetime.strptime(path.stem, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return stamp if stamp.year <= LAST_YEAR else None


def save_body(workspace: Workspace, content: bytes) -> str:
    """Store a public discovery document once by content; returns its SHA-256 in hexadecimal."""
    digest = hashlib.sha256(content).hexdigest()
    path = workspace.root / "observations" / "bodies" / f"{digest}.json.gz"
    if not path.exists():
        with locked(workspace.root):
            write_atomically(path, gzip.compress(content, mtime=0), within=workspace.root)
    return digest


def load_bodies(workspace: Workspace, digests: Iterable[str]) -> dict[str, bytes]:
    """The stored documents among ``digests`` (SHA-256 in hexadecimal); those that are not stored are left out.

    :raises DocumentError: a stored document is damaged or not the one that its name says.
    """
    bodies: dict[str, bytes] = {}
    for digest in digests:
        path = workspace.root / "observations" / "bodies" / f"{digest}.json.gz"
        if not path.is_file():
            continue
        try:
            packed = read_bytes(path, MAX_BODY_BYTES, within=workspace.root)
            content = gzip.GzipFile(fileobj=io.BytesIO(packed)).read(MAX_BODY_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise DocumentError("this stored document is damaged", location=Location(file=str(path))) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise DocumentError("this stored document is not what its name says", location=Location(file=str(path)))
        bodies[digest] = content
    return bodies


def save_rehearsal(workspace: Workspace, observation: ProductObservation) -> Path:
    """Write one rehearsal of the product as ``observations/product/<utc>.json``; it never overwrites an earlier one."""
    started = observation.started.astimezone(UTC)
    with locked(workspace.root):
        latest = max(filter(None, map(_stamped, observation_files(workspace, PRODUCT))), default=None)
        if latest is not None and started <= latest:
            started = latest + timedelta(microseconds=1)
        path = workspace.root / "observations" / PRODUCT / f"{started.strftime(_STAMP)}.json"
        write_atomically(path, observation.model_dump_json(indent=1).encode() + b"\n", within=workspace.root)
    return path


def latest_rehearsal(workspace: Workspace) -> ProductObservation | None:
    """The last rehearsal of the product, or none when it was never rehearsed.

    :raises DocumentError: its file is damaged.
    """
    files = observation_files(workspace, PRODUCT)
    return read_json(files[-1], ProductObservation, workspace.root) if files else None


def observation_files(workspace: Workspace, org: str) -> tuple[Path, ...]:
    """All observations of one organisation, oldest first."""
    return workspace.files(f"observations/{org}", "*.json")


def load_observation(path: Path, workspace: Workspace | None = None) -> Observation:
    """Read one observation, of a workspace or a file that a person named.

    :raises DocumentError: missing or not an observation.
    """
    return read_json(path, Observation, workspace.root if workspace else None)


def latest_observation(workspace: Workspace, org: str) -> Observation | None:
    """The last observation of an organisation, or none when it was never probed."""
    files = observation_files(workspace, org)
    return load_observation(files[-1], workspace) if files else None


@dataclass(frozen=True)
class Milestone:
    """One frozen assessment: its number from 1, its name, its file and when it was saved."""

    number: int
    name: str
    path: Path
    saved: datetime


def milestones(workspace: Workspace) -> tuple[Milestone, ...]:
    """All milestones in order of their number."""
    named = []
    for path in workspace.files("milestones", "*.json"):
        match = _MILESTONE.match(path.name)
        if match:
            try:
                saved = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except (OSError, ValueError, OverflowError):
                continue  # gone meanwhile, a link to nowhere, or of no year that there is
            named.append(Milestone(int(match[1]), match[2], path, saved))
    return tuple(sorted(named, key=lambda milestone: milestone.number))


def save_milestone(workspace: Workspace, name: str, assessment: Assessment) -> Milestone:
    """Freeze an assessment as ``milestones/<n>-<slug>.json``."""
    with locked(workspace.root):
        number = max((milestone.number for milestone in milestones(workspace)), default=0) + 1
        path = workspace.root / "milestones" / f"{number}-{slug(name)}.json"
        content = assessment.model_dump_json(indent=1).encode() + b"\n"
        write_atomically(path, content, within=workspace.root)
    return Milestone(number, slug(name), path, datetime.now(UTC))


def find_milestone(known: Sequence[Milestone], reference: str) -> Milestone | None:
    """A milestone by number or name (``2``, ``before-pilot``, ``2-before-pilot``), or the word ``last``.

    A number comes before a name, and of several with one name it is the latest; none when there is none by that name.
    """
    wanted = [milestone for milestone in known if reference in {str(milestone.number), milestone.path.stem}]
    wanted = wanted or [milestone for milestone in known if reference == milestone.name]
    return wanted[-1] if wanted else known[-1] if known and reference == "last" else None


def load_milestone(workspace: Workspace, reference: str) -> Assessment:
    """The assessment of a milestone (see :func:`find_milestone`).

    :raises WorkspaceError: there is none by that name; the message lists those that exist.
    """
    known = milestones(workspace)
    wanted = find_milestone(known, reference)
    if wanted is None:
        names = ", ".join(milestone.path.stem for milestone in known) or "none yet"
        raise WorkspaceError(f"there is no milestone {reference!r}", remedy=f"milestones: {names}")
    return load_assessment(wanted.path, workspace)


def load_assessment(path: Path, workspace: Workspace | None = None) -> Assessment:
    """Read one frozen assessment, of a workspace or a file that a person named.

    :raises DocumentError: missing or not an assessment.
    """
    from interlock.model.assessment import Assessment

    return read_json(path, Assessment, workspace.root if workspace else None)
