"""What was seen before: the stored observations, as they are or checked anew."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from interlock.model.errors import DocumentError, InterlockError, Location, WorkspaceError
from interlock.model.observation import Observation
from interlock.model.text import plain
from interlock.usecases.load import load_inputs
from interlock.usecases.probe import recheck_observation
from interlock.workspace.history import load_observation
from interlock.workspace.store import Workspace


def observations_of(workspace: Workspace, org: str | None, *, recheck: bool = False) -> tuple[Observation, ...]:
    """The last observation of an organisation, or of every one that was probed, in the order of the organisations.

    :raises InterlockError: there is no such organisation, none was probed, or a document was not stored.
    """
    inputs = load_inputs(workspace)
    chosen = inputs.organizations if org is None else (inputs.organization(org),)
    observations = [inputs.observations[org.id] for org in chosen if org.id in inputs.observations]
    if not observations:
        name = chosen[0].name if org is not None else "none of the organisations"
        remedy = f"interlock probe --org {org}" if org is not None else "interlock probe --all"
        raise InterlockError(f"{name} was {'never' if org is not None else 'ever'} probed", remedy=remedy)
    return tuple(
        recheck_observation(workspace, observation) if recheck else observation for observation in observations
    )


_MADE_BY = "give a file of one observation, as made by: interlock probe URL --format json --out FILE"
_POSITION = re.compile(r" at line (\d+) column (\d+)$")


def _read(path: Path) -> Observation:
    try:
        return load_observation(path)
    except DocumentError as error:
        if not isinstance(error.__cause__, ValidationError):
            raise
        said = error.__cause__.errors(include_url=False)[0]
        text = plain(said["msg"])
        position = _POSITION.search(text)
        if position is not None:
            location = Location(str(path), int(position[1]), max(1, int(position[2])))
            text = text[: position.start()]
        else:
            location = Location(str(path), pointer="".join(f"/{plain(part)}" for part in said["loc"]) or None)
        said_so = f"this is no observation: {text[:1].lower()}{text[1:]}"
        raise DocumentError(said_so, location=location, remedy=_MADE_BY) from error


def observation_of_file(path: Path, *, recheck: bool = False) -> Observation:
    """The observation in a file; to check it anew, its documents must be in the workspace that the file is in.

    :raises InterlockError: it is no observation, or its documents are not at hand.
    """
    observation = _read(path)
    if not recheck:
        return observation
    try:
        workspace = Workspace.find(path.absolute().parent)
    except WorkspaceError as error:
        raise InterlockError(
            f"the documents of {path} are not at hand: the file is in no workspace",
            remedy="give a file under the observations/ of a workspace",
        ) from error
    return recheck_observation(workspace, observation)
