"""Observations that somebody made elsewhere and handed over as a file: into the workspace, and from whom is kept."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from interlock.documents.files import read_bytes
from interlock.documents.json import parse_json
from interlock.documents.visible import to_json
from interlock.model.address_secrets import redacted_json
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.observation import Brought, Observation
from interlock.model.organization import Organization
from interlock.model.text import plain
from interlock.probe.fleet_lines import LineReader
from interlock.probe.transport.plan import clean_base_url
from interlock.usecases.observations import Comparer
from interlock.workspace.history import load_observation, observation_files, save_observation
from interlock.workspace.store import MAX_RECORD_BYTES, Workspace

#: How far ahead of ours the clock may be by which an observation was made: a judgement, above what clocks drift.
_AHEAD = timedelta(minutes=10)
_MADE_BY = "give what this writes: interlock probe URL --format json --output FILE, or interlock fleet --output FILE"


@dataclass(frozen=True, slots=True)
class ObservationImport:
    """What an import brought.

    :ivar saved: observations by organisation, in the order of the files.
    :ivar known: how many were there already; ``others`` how many are of no organisation of the workspace.
    :ivar notes: sentences about what a person should know.
    """

    saved: tuple[Observation, ...]
    known: int
    others: int
    notes: tuple[str, ...]


def import_observations(
    workspace: Workspace, files: Sequence[Path], *, org: str | None = None, by: str | None = None, dry_run: bool = False
) -> ObservationImport:
    """Take observations from files: all that are of an organisation here, or none when a file cannot be read.

    An observation is of ``org``, or of the organisation with its base URL. Nothing stored is changed: two observations
    of one time are both kept.

    :raises InterlockError: a file holds no observation, one is of another server than ``org`` or of the future, or none
        is of an organisation of the workspace.
    """
    organizations = workspace.read().organizations
    if org is not None and org not in {known.id for known in organizations}:
        raise InterlockError(f"there is no organisation {org!r}", remedy="interlock org list shows them")
    read = [(path, given) for path in files for given in _observations(path)]
    saved, notes, known, others = list[Observation](), dict[str, None](), 0, 0
    comparer = Comparer(workspace, ())
    for path, given in read:
        home = _home(given, organizations, org, path)
        if given.started.astimezone(UTC) > datetime.now(UTC) + _AHEAD:
            raise InterlockError(
                f"it was made at {given.started:%Y-%m-%d %H:%M} UTC, which is yet to come",
                location=Location(file=str(path)),
                remedy="set the clock of the machine that made it, and make it again",
            )
        if home is None:
            others += 1
            continue
        mine = given.but(target=given.target.but(org=home.id), brought=_brought(path, by), card=None)
        earlier = [*_of_that_time(workspace, mine), *(kept for kept in saved if _same_time(kept, mine))]
        if any(kept.requests == mine.requests and kept.facts == mine.facts for kept in earlier):
            known += 1
            continue
        if earlier:
            notes[f"{home.id} has two observations of {given.started:%Y-%m-%d %H:%M:%S} UTC; both are kept"] = None
        saved.append(comparer.compared(mine))
    if read and others == len(read):
        raise InterlockError(
            f"none of them is of an organisation here; one is of {plain(read[0][1].target.base_url, 120)}",
            remedy="interlock org add, or say whose it is: --org ID",
        )
    if saved:
        who = plain(by, 80) if by else "somebody who is not named (--as NAME says who)"
        notes[f"they came from {who}; nothing proves who made them, and each says so"] = None
    if not dry_run:
        for observation in saved:
            save_observation(workspace, observation, at_its_time=True)
    return ObservationImport(tuple(saved), known, others, tuple(notes))


def _observations(path: Path) -> Iterator[Observation]:
    """The observations of a file: one, a list of them, or lines."""
    content = redacted_json(read_bytes(path, MAX_RECORD_BYTES))
    reader = LineReader()
    lines: list[bytes] = content.splitlines()
    with contextlib.suppress(DocumentError):
        document = parse_json(content, str(path))
        entries = document if isinstance(document, list) else [document]
        lines = [to_json(entry, indent=None).encode() for entry in entries]
    for number, line in enumerate(lines, 1):
        try:
            yield reader.read(line)
        except ValueError as error:
            said, pointer = _first(error)
            location = Location(file=str(path), line=number if len(lines) > 1 else None, pointer=pointer)
            raise DocumentError(f"this is no observation: {said}", location=location, remedy=_MADE_BY) from error
    if not lines:
        raise DocumentError("the file is empty", location=Location(file=str(path)), remedy=_MADE_BY)


def _first(error: ValueError) -> tuple[str, str | None]:
    """What is wrong first, and the pointer to it where it is a part of the observation."""
    if isinstance(error, json.JSONDecodeError):
        return "it is no JSON", None
    if not isinstance(error, ValidationError):
        return plain(str(error), 200), None
    problem = error.errors(include_url=False)[0]
    text = plain(problem["msg"], 200)
    return f"{text[:1].lower()}{text[1:]}", "".join(f"/{plain(part)}" for part in problem["loc"]) or None


def _home(
    observation: Observation, organizations: Sequence[Organization], org: str | None, path: Path
) -> Organization | None:
    """The organisation that an observation is of; none when it is of no organisation of the workspace."""
    alike = [known for known in organizations if _base(known.fhir_base_url) == _base(observation.target.base_url)]
    if org is None:
        chosen = [known for known in alike if known.id == observation.target.org] or alike
        return chosen[0] if len(chosen) == 1 else None
    home = next((known for known in alike if known.id == org), None)
    if home is None:
        raise InterlockError(
            f"it is of {plain(observation.target.base_url, 120)}, and {org} has another base URL",
            location=Location(file=str(path)),
            remedy=f"interlock org edit {org} --url URL, if that is its address now",
        )
    return home


def _base(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        return clean_base_url(url)
    except InterlockError:
        return url


def _brought(path: Path, by: str | None) -> Brought:
    digest = hashlib.sha256(read_bytes(path, MAX_RECORD_BYTES)).hexdigest()
    return Brought(by=by, at=datetime.now(UTC).replace(microsecond=0), sha256=digest)


def _of_that_time(workspace: Workspace, observation: Observation) -> Iterator[Observation]:
    """Stored observations that began at the same moment; a damaged file is passed over."""
    for path in observation_files(workspace, observation.target.org or ""):
        with contextlib.suppress(DocumentError):
            kept = load_observation(path, workspace)
            if _same_time(kept, observation):
                yield kept


def _same_time(first: Observation, other: Observation) -> bool:
    return (first.target.org, first.started) == (other.target.org, other.started)
