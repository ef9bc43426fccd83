"""Observations of a workspace's organisations: kept and compared as they come, shown again, checked anew, compared."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from interlock.contract.drift_rank import ranked
from interlock.contract.match import match_contract
from interlock.documents.files import read_bytes
from interlock.documents.json import parse_json
from interlock.documents.redaction import without_secrets_in_use
from interlock.model import words
from interlock.model.address_secrets import redacted_json
from interlock.model.contract import WorkflowContract
from interlock.model.drift import Drift, DriftChange
from interlock.model.errors import DocumentError, InterlockError, Location, ThresholdNotMetError, WorkspaceError
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.text import plain
from interlock.probe.drift import changes_between
from interlock.probe.recheck import recheck, with_contract, with_drift, with_strict_reading
from interlock.usecases.load import load_content, load_inputs
from interlock.workspace.history import load_bodies, load_observation, observation_files, save_body, save_observation
from interlock.workspace.store import MAX_RECORD_BYTES, Workspace


def drift_between(
    before: Observation, after: Observation, contract: WorkflowContract | None, org: Organization | None
) -> Drift:
    """Two observations compared, ranked by what the contract uses."""
    changes, notes = changes_between(before, after)
    return Drift(
        org=after.target.org,
        base_url=after.target.base_url,
        before=before.started,
        after=after.started,
        changes=ranked(changes, after, contract, org),
        not_compared=notes,
        ranked_by=f"{contract.title}, version {contract.version}" if contract is not None else None,
    )


class Comparer:
    """What a workspace does with the observations of a probe: each is checked against the contract, compared with the
    organisation's last one that saw anything (read before the new ones are saved), and saved with its documents.

    :ivar contract: what changes are ranked by, if there is one.
    :ivar drifts: the comparisons so far, by organisation.
    """

    def __init__(self, workspace: Workspace, orgs: Iterable[str | None]) -> None:
        self._workspace = workspace
        self._organizations = {org.id: org for org in workspace.read().organizations}
        self.contract = workspace.contract()
        self.drifts: dict[str, Drift] = {}
        self._last = {org: last for org in orgs if org and (last := _last_seen(workspace, org)) is not None}

    def compared(self, observation: Observation) -> Observation:
        """The observation with its checks against the contract, and of what changed."""
        org = self._organizations.get(observation.target.org or "")
        if org is None:
            return observation
        if self.contract is not None:
            observation = with_contract(observation, self.contract, match_contract(self.contract, org, observation))
        before = self._last.get(org.id)
        if before is None or observation.outcome == "not_observed":
            return observation
        self.drifts[org.id] = drift_between(before, observation, self.contract, org)
        return with_drift(observation, self.drifts[org.id])

    def saved(self, observation: Observation) -> Observation:
        """The observation as :meth:`compared` makes it; saved, if it is an organisation's."""
        observation = self.compared(observation)
        if observation.target.org is not None:
            save_observation(self._workspace, observation)
        return observation

    def save_documents(self, bodies: Iterable[bytes]) -> None:
        """Keep documents that hold neither a secret in an address nor one that the server was sent by us."""
        for body in bodies:
            text = body.decode("utf-8", "replace")
            if redacted_json(body) == body and without_secrets_in_use(text) == text:
                save_body(self._workspace, body)


def check_drift(drifts: Sequence[Drift]) -> None:
    """Hold comparisons against the contract.

    :raises ThresholdNotMetError: something that the contract uses was taken away or changed; names the first of each.
    """
    moved = [(drift, drift.concerns_contract) for drift in drifts if drift.concerns_contract]
    if moved:
        said = "; ".join(_first(drift.org or drift.base_url, changes) for drift, changes in moved[:5])
        raise ThresholdNotMetError(
            f"what the contract uses changed: {said}", remedy=f"interlock diff --org {moved[0][0].org} shows all"
        )


def _first(name: str, changes: Sequence[DriftChange]) -> str:
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    return f"{name}: {plain(changes[0].summary(), 160)}{more}"


def is_observation_file(reference: str) -> bool:
    """Whether a reference is a JSON file that holds one observation."""
    path = Path(reference)
    try:
        if path.suffix != ".json" or not path.is_file():
            return False
        document = parse_json(read_bytes(path, MAX_RECORD_BYTES), str(path))
    except (OSError, DocumentError):
        return False
    return isinstance(document, dict) and {"target", "checks", "requests"} <= document.keys()


def drift_of_files(before: Path, after: Path, start: Path) -> Drift:
    """Two observation files compared; the contract of a workspace at ``start`` ranks the changes, if there is one.

    :raises DocumentError: a file is no observation.
    :raises InterlockError: they are of different organisations.
    """
    earlier, later = map(load_observation, (before, after))
    if earlier.target.org != later.target.org and None not in {earlier.target.org, later.target.org}:
        raise InterlockError(
            f"{before} is of {earlier.target.org} and {after} of {later.target.org}",
            remedy="compare two observations of one organisation",
        )
    try:
        workspace = Workspace.find(start)
    except WorkspaceError:
        return drift_between(earlier, later, None, None)
    org = next((org for org in workspace.read().organizations if org.id == later.target.org), None)
    return drift_between(earlier, later, workspace.contract(), org)


def drift_of_org(workspace: Workspace, org_id: str, before: str | None, after: str | None) -> Drift:
    """Two stored observations of an organisation compared.

    ``before`` and ``after`` are dates (``2026-11-22`` or longer: the last observation that starts so), ``last``, or
    ``before`` for the one before the later of the two. By default the last two that saw anything.

    :raises InterlockError: no such organisation or observation; lists those that there are.
    """
    org = next((org for org in workspace.read().organizations if org.id == org_id), None)
    if org is None:
        raise InterlockError(f"there is no organisation {org_id!r}", remedy="interlock org list shows them")
    files = observation_files(workspace, org_id)
    if len(files) < 2:
        count = words.count(len(files), "stored observation") if files else "no stored observation"
        raise InterlockError(
            f"{org.name} has {count}, and two are compared", remedy=f"interlock probe --org {org_id}, once more"
        )
    later = _chosen(workspace, files, after or "last", len(files))
    earlier = _chosen(workspace, files, before or "before", later)
    return drift_between(
        load_observation(files[earlier], workspace),
        load_observation(files[later], workspace),
        workspace.contract(),
        org,
    )


def _chosen(workspace: Workspace, files: Sequence[Path], word: str, later: int) -> int:
    """The position of the observation that a word or a date names; ``later`` is that of the later one."""
    if word == "last":
        return len(files) - 1
    if word == "before":
        if later == 0:
            raise InterlockError("nothing was observed before that", remedy=_those(files))
        useful = [
            index for index in range(later) if load_observation(files[index], workspace).outcome != "not_observed"
        ]
        return useful[-1] if useful else later - 1
    digits = word.replace(":", "").strip()
    named = [index for index, path in enumerate(files) if path.stem.startswith(digits)] if digits else []
    if not named:
        raise InterlockError(f"there is no observation of {word!r}", remedy=_those(files))
    return named[-1]


def _those(files: Sequence[Path]) -> str:
    names = [path.stem[:17] for path in files]
    return f"there are: {', '.join(names[-6:])}; or say last, before"


def _last_seen(workspace: Workspace, org: str) -> Observation | None:
    """The last stored observation that saw anything, among the last ten; a damaged file is passed over."""
    for path in reversed(observation_files(workspace, org)[-10:]):
        with contextlib.suppress(DocumentError):
            observation = load_observation(path, workspace)
            if observation.outcome != "not_observed":
                return observation
    return None


def observations_of(workspace: Workspace, org: str | None, *, anew: bool = False) -> tuple[Observation, ...]:
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
    read = _rechecked if anew else _read_strictly
    return tuple(read(workspace, observation) for observation in observations)


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


def observation_of_file(path: Path, *, anew: bool = False) -> Observation:
    """The observation in a file; to check it anew, its documents must be in the workspace that the file is in.

    :raises InterlockError: it is no observation, or its documents are not at hand.
    """
    observation = _read(path)
    try:
        workspace = Workspace.find(path.absolute().parent)
    except WorkspaceError as error:
        if not anew:
            return observation
        raise InterlockError(
            f"the documents of {path} are not at hand: the file is in no workspace",
            remedy="give a file under the observations/ of a workspace",
        ) from error
    return _rechecked(workspace, observation) if anew else _read_strictly(workspace, observation)


def _read_strictly(workspace: Workspace, observation: Observation) -> Observation:
    """The same observation with its statement read by a strict reader, where it was stored."""
    digests = {request.sha256 for request in observation.requests if request.sha256 and request.purpose == "metadata"}
    return with_strict_reading(observation, load_bodies(workspace, sorted(digests)))


def _rechecked(workspace: Workspace, observation: Observation) -> Observation:
    """The same observation with facts and checks worked out anew from the stored documents; nothing is contacted."""
    digests = {request.sha256 for request in observation.requests if request.sha256}
    bodies = load_bodies(workspace, sorted(digests))
    return Comparer(workspace, ()).compared(with_strict_reading(recheck(observation, bodies), bodies))


def to_sarif(observations: Sequence[Observation], workspace: Workspace | None) -> str:
    """Findings for code scanning; of a workspace also how its questions and rules differ from the shipped ones."""
    from interlock.report import sarif  # only a build server asks for it

    if workspace is None:
        return sarif.to_sarif(observations)
    content = load_content(workspace, workspace.settings().ruleset)
    return sarif.to_sarif(observations, content.words, content.changes)


def to_junit(observations: Sequence[Observation]) -> str:
    """Checks as test cases, for a build server."""
    from interlock.report import junit

    return junit.to_junit(observations)
