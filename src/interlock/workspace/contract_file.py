"""The workflow contract of a workspace: ``contract.yaml``, changed value by value; comments and order stay."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from interlock.documents.yaml import Path_, YamlDocument, model_from_yaml, parse_yaml
from interlock.model.errors import WorkspaceError
from interlock.workspace.atomic import locked
from interlock.workspace.edit import edit_yaml
from interlock.workspace.responses import Folder

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap

    from interlock.model.contract import WorkflowContract

CONTRACT_FILE = "contract.yaml"


class ContractFile(Folder):
    """The file ``contract.yaml`` of a workspace."""

    def contract(self) -> WorkflowContract | None:
        """``contract.yaml``, or none."""
        return _contract(self.load(CONTRACT_FILE)) if self.has(CONTRACT_FILE) else None

    def upgrade_contract(self) -> bool:
        """Write ``contract.yaml`` in its newest schema and return whether it was older; comments and order stay.

        :raises DocumentError: there is none, or it is no contract; then nothing is written.
        """
        with locked(self.root):
            contract = _contract(self.load(CONTRACT_FILE))
            newest = contract.newest
            if contract.schema_version >= newest:
                return False

            def change(document: CommentedMap) -> None:
                if "schema" in document:
                    document["schema"] = newest
                else:
                    document.insert(0, "schema", newest)

            self._edit(change)
        return True

    def put_in_contract(self, path: Path_, value: Any) -> None:
        """Put a value at a place of the contract; none takes away what is there. A new entry goes behind the last one.

        :raises DocumentError: it would be no contract any more; then nothing is written.
        :raises WorkspaceError: there is nothing at the place that the path leads through, as somebody changed the file.
        """
        with locked(self.root):
            self._edit(lambda document: _put(document, path, value))

    def _edit(self, change: Callable[[CommentedMap], None]) -> None:
        edit_yaml(
            self.root / CONTRACT_FILE,
            self.root,
            change,
            lambda text: _contract(parse_yaml(text, CONTRACT_FILE)),
        )


def _contract(document: YamlDocument) -> WorkflowContract:
    from interlock.model.contract import WorkflowContract

    return model_from_yaml(WorkflowContract, document)


def _put(document: CommentedMap, path: Path_, value: Any) -> None:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    holder: Any = document
    for step, following in pairwise(path):
        there = holder.get(step) if isinstance(holder, CommentedMap) else _entry(holder, step)
        if there is None:
            there = CommentedSeq() if isinstance(following, int) else CommentedMap()
            if isinstance(holder, CommentedMap):
                holder[step] = there
            else:
                holder.append(there)
        if not there and isinstance(there, (CommentedMap, CommentedSeq)):
            there.fa.set_block_style()  # what was written as [] or {} for nothing
        holder = there
    last = path[-1]
    if isinstance(holder, CommentedMap):
        if value is None:
            holder.pop(last, None)
        else:
            holder[last] = value
    elif value is None:
        if _entry(holder, last) is None:
            raise _gone(path)
        del holder[last]
    elif _entry(holder, last) is None:
        holder.append(value)
    else:
        holder[last] = value


def _entry(holder: Any, index: str | int) -> Any:
    """An entry of a list; none right behind its last one."""
    if not isinstance(holder, list) or not isinstance(index, int) or index > len(holder):
        raise _gone((index,))
    return holder[index] if index < len(holder) else None


def _gone(path: Path_) -> WorkspaceError:
    return WorkspaceError(
        f"{CONTRACT_FILE} has no {'.'.join(map(str, path))} any more: somebody changed it meanwhile",
        remedy="look at it again, and then change it",
    )
