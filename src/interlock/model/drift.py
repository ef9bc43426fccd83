"""What changed between two observations of one organisation."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from interlock.model.base import Model

ChangeKind = Literal[
    "base_url",
    "fhir_release",
    "fhir_version",
    "software",
    "resource",
    "interaction",
    "search_parameter",
    "profile",
    "operation",
    "system_interaction",
    "document",
    "launch_mode",
    "client_type",
    "capability",
    "scope",
    "grant_type",
    "auth_method",
    "signing_algorithm",
    "pkce",
    "issuer",
    "endpoint",
    "keys",
    "tls",
    "certificate",
    "cors",
    "export",
    "anonymous_read",
    "check",
    "data",
]

#: What happened to the thing itself. ``worse`` and ``better`` are about outcomes.
ChangeDirection = Literal["removed", "worse", "changed", "better", "added"]

#: ``contract_broken``: taken away, and the contract uses it; ``contract_changed``: changed, and the contract uses it;
#: then what the contract does not use, or nobody can say: taken away, changed, added.
ChangeRank = Literal["contract_broken", "contract_changed", "removed", "changed", "added"]
RANKS: tuple[ChangeRank, ...] = ("contract_broken", "contract_changed", "removed", "changed", "added")


class DriftChange(Model):
    """A difference between two observations.

    :ivar name: what it is: ``Observation.category``, a scope, the name of a field, a check's id.
    :ivar subject: the resource type, where there is one; ``contract`` of a check that compares with the contract.
    :ivar before: what was seen before and after, where a value says more than the direction; bounded.
    :ivar uses: why the contract needs it, or none when it does not.
    """

    kind: ChangeKind
    direction: ChangeDirection
    name: str
    subject: str | None = None
    before: str | None = None
    after: str | None = None
    rank: ChangeRank = "changed"
    uses: str | None = None

    def summary(self) -> str:
        """The change in a few words: ``search parameter Observation.category is gone``; nothing is escaped."""
        kind = "" if self.kind in {"check", "data", "document", "base_url"} else f"{self.kind.replace('_', ' ')} "
        of = f"{self.subject}." if self.subject and self.kind not in {"resource", "data", "check"} else ""
        named = self.name if self.name.lower().startswith(kind.strip() or "\0") else f"{kind}{of}{self.name}"
        if self.direction in {"removed", "added"}:
            return f"{named} is {'gone' if self.direction == 'removed' else 'new'}"
        if self.before is None and self.after is None:
            return f"{named} is {self.direction}"
        return f"{named}: {self.before or 'none'} → {self.after or 'none'}"


class Drift(Model):
    """Two observations compared, the most important change first.

    :ivar not_compared: what one of the two did not see: nothing is concluded about it, it is no removal.
    :ivar ranked_by: title and version of the contract that ranks the changes, none without a contract.
    """

    schema_version: Literal["1"] = "1"
    org: str | None = None
    base_url: str
    before: datetime
    after: datetime
    changes: tuple[DriftChange, ...] = ()
    not_compared: tuple[str, ...] = ()
    ranked_by: str | None = None

    @property
    def concerns_contract(self) -> tuple[DriftChange, ...]:
        """Changes of what the contract uses, for the worse or to something else."""
        return tuple(change for change in self.changes if change.rank in {"contract_broken", "contract_changed"})
