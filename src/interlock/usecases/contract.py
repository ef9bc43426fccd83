"""The workflow contract: checking it, matching it with what was observed, exporting skeletons."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from interlock.contract.load import ContractRemark, load_contract, remarks
from interlock.contract.resolve import resolve
from interlock.contract.skeletons import build
from interlock.documents.names import did_you_mean
from interlock.documents.timing import build_time
from interlock.model import words
from interlock.model.contract import ContractFit, WorkflowContract
from interlock.model.errors import InterlockError, NothingObservedError
from interlock.model.text import plain
from interlock.usecases.load import Inputs
from interlock.workspace.contract_file import CONTRACT_FILE
from interlock.workspace.generated import Generated, outside_of_own, read_manifest, write_generated
from interlock.workspace.store import SETTINGS_FILE, Workspace

__all__ = [
    "ContractRemark",
    "export_contract",
    "fits_of_client",
    "lint_contract",
    "require_contract",
    "upgrade_contract",
]


#: Folders of a workspace that hold what people and probes wrote.
OWN_FOLDERS = frozenset(
    {".git", "evidence", "milestones", "observations", "orgs", "questionnaires", "responses", "rulesets"}
)


def require_contract(inputs: Inputs) -> WorkflowContract:
    """The workspace's contract.

    :raises InterlockError: there is no ``contract.yaml``.
    """
    if inputs.contract is None:
        raise InterlockError(
            f"this workspace has no {CONTRACT_FILE}", remedy="interlock init writes a commented one to start from"
        )
    return inputs.contract


def fits_of_client(inputs: Inputs, name: str) -> tuple[ContractFit, ...]:
    """How what one client needs fits the organisations of its environment.

    :raises InterlockError: the contract has no such client.
    :raises NothingObservedError: no organisation is of its environment.
    """
    contract = require_contract(inputs)
    client = next((client for client in contract.clients if client.name == name), None)
    if client is None:
        names = [client.name for client in contract.clients]
        has = f"it has {words.listed(names)}" if names else "write one under clients, as interlock init explains"
        raise InterlockError(
            f"{CONTRACT_FILE} has no client {plain(name, 60)!r}{did_you_mean(name, names)}", remedy=has
        )
    here = [org.id for org in inputs.organizations if org.environment == client.environment]
    if not here:
        raise NothingObservedError(
            f"no organisation is of the environment {client.environment}, which {name} is registered for",
            remedy=f"interlock org edit ID --environment {client.environment}",
        )
    return tuple(inputs.fits[org].of_mode(client.mode) for org in here if org in inputs.fits)


def lint_contract(path: Path) -> tuple[WorkflowContract, tuple[ContractRemark, ...]]:
    """A contract file and everything that is wrong in it or left open.

    Organisations that it names have to be in its workspace, if it is in one.

    :raises DocumentError: it is missing, or not a contract.
    """
    folder = path if path.is_dir() else path.parent
    contract, document = load_contract(path / CONTRACT_FILE, path) if path.is_dir() else load_contract(path)
    known = None
    if (folder / SETTINGS_FILE).is_file():
        known = [file.stem for file in Workspace(folder).files("orgs", "*.y*ml")]
    return contract, remarks(contract, document, known)


def upgrade_contract(workspace: Workspace) -> tuple[bool, tuple[ContractRemark, ...]]:
    """Write the workspace's contract in the newest schema: whether it was older, and what it now leaves open.

    :raises DocumentError: there is none, or it is not a contract.
    """
    changed = workspace.upgrade_contract()
    return changed, lint_contract(workspace.root)[1]


def export_contract(
    inputs: Inputs, directory: Path, *, today: date, force: bool = False, check: bool = False
) -> tuple[Generated, ...]:
    """Write the skeletons of :data:`~interlock.contract.skeletons.SKELETONS`, made of the resolved contract.

    What somebody edited stays, and the new file stands beside it. Their date is the day on which the contract's text
    was first exported, so that the same contract gives the same files; ``SOURCE_DATE_EPOCH`` sets another.

    :param force: edited files are replaced too.
    :param check: nothing is written.
    :raises DocumentError: the folder's manifest is not one.
    :raises WorkspaceError: the folder cannot be written, or is the workspace's own.
    """
    contract = require_contract(inputs)
    outside_of_own(directory, inputs.root, OWN_FOLDERS)
    manifest = read_manifest(directory)
    made = manifest.made if manifest is not None and manifest.source == contract.hash else today.isoformat()
    epoch = build_time()
    made = epoch.date().isoformat() if epoch else made
    resolved = resolve(
        contract,
        inputs.organizations,
        inputs.observations,
        product=inputs.settings.product,
        description=inputs.settings.description,
        made=made,
    )
    return write_generated(directory, build(resolved), source=contract.hash, made=made, force=force, check=check)
