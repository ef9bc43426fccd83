"""What was seen before: the stored observations, as they are or checked anew."""

from __future__ import annotations

from pathlib import Path

from interlock.model.errors import InterlockError, WorkspaceError
from interlock.model.observation import Observation
from interlock.usecases.load import load_inputs, open_workspace
from interlock.usecases.probe import recheck_observation
from interlock.workspace.store import Workspace, read_json


def observations_of(start: Path, org: str | None, *, recheck: bool = False) -> tuple[Observation, ...]:
    """The last observation of an organisation, or of every one that was probed, in the order of the organisations.

    :raises InterlockError: there is no such organisation, none was probed, or a document was not stored.
    """
    place = open_workspace(start)
    inputs = load_inputs(place)
    chosen = inputs.organizations if org is None else (inputs.organization(org),)
    seen = [inputs.observations[one.id] for one in chosen if one.id in inputs.observations]
    if not seen:
        name = chosen[0].name if org is not None else "none of the organisations"
        remedy = f"interlock probe --org {org}" if org is not None else "interlock probe --all"
        raise InterlockError(f"{name} was {'never' if org is not None else 'ever'} probed", remedy=remedy)
    return tuple(recheck_observation(place, one) if recheck else one for one in seen)


def observation_of_file(path: Path, *, recheck: bool = False) -> Observation:
    """The observation in a file; to check it anew, its documents must be in the workspace that the file is in.

    :raises InterlockError: it is no observation, or its documents are not at hand.
    """
    observation: Observation = read_json(path, Observation.model_validate_json)
    if not recheck:
        return observation
    try:
        place = Workspace.find(path.absolute().parent)
    except WorkspaceError as error:
        raise InterlockError(
            f"the documents of {path} are not at hand: the file is in no workspace",
            remedy="give a file under the observations/ of a workspace",
        ) from error
    return recheck_observation(place, observation)
