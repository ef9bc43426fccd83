"""What one organisation may read: the product's part of a workspace and its own, and nothing of any other.

Everything is left out before anything is computed, so score, plan and dates are those of a workspace that has this
organisation alone. What was written about the product or about this organisation may name another in passing: such a
name, an id or a host stands there as :data:`SOMEBODY_ELSE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from interlock.model.base import Model
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.routine import TaskStatuses
from interlock.usecases.load import Inputs

#: Stands in the place of another organisation's name.
SOMEBODY_ELSE = "another organisation"
#: A shorter name or id is a word of any text; it is left where it stands.
_SHORTEST = 4
#: Longest name of a workspace, in characters.
_NAME = 200
#: Hashes of contract texts that this recipient cannot have seen: they are of all organisations' parts.
_UNTOLD = "0" * 64

#: Fields of our own vocabulary that may turn up one after the other where an organisation is called as a word of it is.
_ROUNDS = 5
_Path = tuple[int | str, ...]
_M = TypeVar("_M", bound=Model)


def for_recipient(inputs: Inputs, org: str) -> Inputs:
    """The inputs as one organisation may read them.

    What others took for a task and freezes of others are gone; the team's people are all its own. The workspace is
    called by the product and this organisation; the hash of the contract is of the part that is seen.

    :raises InterlockError: there is no organisation by that id.
    """
    own = inputs.organization(org)
    others = _Others(own, inputs.organizations)
    settings, contract = inputs.settings, inputs.contract
    freezes = tuple(freeze for freeze in settings.freezes if freeze.org in {None, org})
    if contract is not None:
        whole, contract = contract.hash, others.gone_from(contract.alone(org))
        told = contract.hash
        approvals = (approval.but(hash=told if approval.hash == whole else _UNTOLD) for approval in contract.approvals)
        contract = contract.but(approvals=tuple(approvals))
    observation = inputs.observations.get(org)
    return replace(
        inputs,
        settings=others.gone_from(settings.but(freezes=freezes, name=f"{settings.product} at {own.name}"[:_NAME])),
        organizations=(others.gone_from(own),),
        product=others.gone_from_all(inputs.product),
        by_org={org: others.gone_from_all(inputs.answers(org))},
        contract=contract,
        observations={} if observation is None else {org: observation},
        tasks=others.gone_from_all(_own_tasks(inputs.tasks, own)),
        rehearsal=None if inputs.rehearsal is None else others.gone_from(inputs.rehearsal.unnamed),
        figures=others.gone_from_all(inputs.figures),
        past=(),
        recipient=org,
    )


def _own_tasks(tasks: TaskStatuses, own: Organization) -> TaskStatuses:
    """Routine tasks without an organisation, of its vendor, and its own."""
    mine = {"", own.id, f"vendor:{own.vendor}"}
    return {task: status for task, status in tasks.items() if task.partition("@")[2] in mine}


class _Others:
    """The names of the other organisations, to be taken out of texts; one that is within this one's own name stays."""

    def __init__(self, own: Organization, organizations: Iterable[Organization]) -> None:
        mine = f"{own.id} {own.name} {own.fhir_base_url}".casefold()
        names = {name for other in organizations if other.id != own.id for name in _names(other)}
        told = sorted((name for name in names if name.casefold() not in mine), key=lambda name: (-len(name), name))
        spelled = "|".join(re.escape(name) for name in told)
        self._named = re.compile(rf"(?<!\w)(?:{spelled})(?!\w)", re.IGNORECASE) if told else None

    def gone_from(self, model: _M) -> _M:
        """The model without these names in any of its texts; the same one where it has none.

        Words of our own vocabulary stay: a resource, a status.

        :raises InterlockError: a field that names another organisation can hold nothing else.
        """
        if self._named is None or not self._named.search(model.model_dump_json()):
            return model
        data, stays = model.model_dump(mode="json"), set[_Path]()
        for _ in range(_ROUNDS):
            try:
                return type(model).model_validate(self._walked(data, (), self._named, stays))
            except ValidationError as error:
                stays |= {tuple(problem["loc"]) for problem in error.errors()}
        raise InterlockError(
            f"the name of another organisation cannot be taken out of {'.'.join(map(str, min(stays, key=str)))}",
            remedy="reword it there, then run again",
        )

    def gone_from_all(self, models: Mapping[str, _M]) -> dict[str, _M]:
        """The same of each."""
        return {name: self.gone_from(model) for name, model in models.items()}

    def _walked(self, value: Any, path: _Path, named: re.Pattern[str], stays: Set[_Path]) -> Any:
        if isinstance(value, str):
            return value if any(at[: len(path)] == path for at in stays) else named.sub(SOMEBODY_ELSE, value)
        if isinstance(value, list):
            return [self._walked(entry, (*path, index), named, stays) for index, entry in enumerate(value)]
        if isinstance(value, dict):
            return {key: self._walked(entry, (*path, key), named, stays) for key, entry in value.items()}
        return value


def _names(organization: Organization) -> set[str]:
    """What an organisation is called: its name, id and host, where these are long enough to be told from a word."""
    host = urlsplit(organization.fhir_base_url or "").netloc
    return {name for name in (organization.name, organization.id, host) if len(name) >= _SHORTEST}
