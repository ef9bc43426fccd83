"""The workflow contract: checking it, matching it with what was observed, exporting skeletons."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from interlock.contract.load import ContractRemark, load_contract, remarks
from interlock.contract.page import workflow_markdown
from interlock.contract.skeletons import capability_statement, organization_config, scopes_file
from interlock.model.contract import WorkflowContract
from interlock.model.errors import InterlockError
from interlock.usecases.load import Inputs
from interlock.workspace.atomic import write_atomically
from interlock.workspace.edit import dump_yaml
from interlock.workspace.store import CONTRACT_FILE, SETTINGS_FILE, Workspace

__all__ = ["ContractRemark", "export_contract", "lint_contract", "require_contract", "upgrade_contract"]


def require_contract(inputs: Inputs) -> WorkflowContract:
    """The workspace's contract.

    :raises InterlockError: there is no ``contract.yaml``.
    """
    if inputs.contract is None:
        raise InterlockError(
            f"this workspace has no {CONTRACT_FILE}", remedy="interlock init writes a commented one to start from"
        )
    return inputs.contract


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


def export_contract(inputs: Inputs, directory: Path, *, today: date) -> tuple[Path, ...]:
    """Write the skeletons: requirements statement, scopes, one settings file an organisation, the page to sign.

    :raises WorkspaceError: the folder cannot be written.
    """
    contract = require_contract(inputs)
    product = inputs.settings.product
    files = {
        "capability-statement.json": capability_statement(contract, product, today.isoformat()),
        "scopes.txt": scopes_file(contract),
        "workflow-contract.md": workflow_markdown(contract, product),
    }
    for org in inputs.organizations:
        header = (
            f"Settings of {org.name}, from contract.yaml version {contract.version}.\nSecrets stay in the environment."
        )
        files[f"organizations/{org.id}.yaml"] = dump_yaml(organization_config(contract, org), header)
    written = []
    for name, text in files.items():
        write_atomically(directory / name, text.encode())
        written.append(directory / name)
    return tuple(written)
