"""The resolved contract: what holds at each organisation, by the contract, by its own file and by what was observed.

``contract.lock.json`` is this; every other skeleton is made of it, and none of the contract itself.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import JsonValue, field_serializer

from interlock.model.auth_path import AuthPath
from interlock.model.base import IsoDate, Model, Slug
from interlock.model.contract import Need, NeedMatch, SettingType, Universality, WorkflowContract
from interlock.model.contract_parts import Channel, Client
from interlock.model.facts import FhirRelease
from interlock.model.organization import OrganizationAuth

#: How the base URL of a simulated organisation begins.
SIMULATED = "sandbox://"
ScopeSyntax = Literal["v1", "v2"]
ServerAddress = Literal[
    "base_url", "issuer", "authorize", "token", "jwks", "registration", "introspection", "revocation"
]
ScopeKind = Literal["launch", "identity", "refresh", "read", "write"]


class ServerSeen(Model):
    """What a server said of itself when it was last observed; what is not here, it did not say.

    :ivar date: the day of the observation (UTC); ``sha256`` is of all that it holds.
    :ivar smart_absent: it answered that it has no SMART configuration; none of both means that none was seen.
    :ivar scope_syntax: what it takes by the scopes that it lists and by ``permission-v1``, ``permission-v2``; empty
        when neither tells.
    :ivar simulated: which of the addresses here are of a simulated hospital on the computer that observed it: they are
        gone with it, and nobody configures them anywhere.
    """

    date: IsoDate
    sha256: str
    base_url: str
    fhir_release: FhirRelease | None = None
    fhir_version: str | None = None
    smart_absent: bool = False
    issuer: str | None = None
    authorize: str | None = None
    token: str | None = None
    jwks: str | None = None
    registration: str | None = None
    introspection: str | None = None
    revocation: str | None = None
    capabilities: tuple[str, ...] | None = None
    scopes_supported: tuple[str, ...] | None = None
    scope_syntax: tuple[ScopeSyntax, ...] = ()
    simulated: tuple[ServerAddress, ...] = ()


class ResolvedNeed(Model):
    """One need as an organisation has it.

    :ivar key: where it stands in the contract: ``inputs/2``.
    :ivar need: with what is said of this organisation applied.
    :ivar open: what of it the server was not seen to offer, and why; empty when it declares all.
    """

    key: str
    direction: Literal["input", "output"]
    need: Need
    open: tuple[NeedMatch, ...] = ()


class ResolvedScope(Model):
    """One scope of a client, in both syntaxes of SMART.

    :ivar v2, v1: as SMART 2.x and SMART 1.0 write it; 1.0 knows ``read`` and ``write`` only.
    :ivar needs: keys of the needs that it is for; empty for launch, identity and refresh.
    :ivar narrower: of v2, with a query: this server lists it with queries only, and these cover needs of it.
    :ivar uncovered: keys of those needs that none of ``narrower`` covers.
    """

    kind: ScopeKind
    v2: str
    v1: str
    needs: tuple[str, ...] = ()
    narrower: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()


class ResolvedClient(Model):
    """One client of the product at an organisation.

    :ivar declared: the contract names it for this environment; if not, it follows from a launch mode alone.
    :ivar authentication: the SMART client type; none while it is undecided.
    :ivar path: the way in that the server's documents show for its launch mode.
    """

    client: Client
    declared: bool
    authentication: Literal["public", "confidential-symmetric", "confidential-asymmetric"] | None = None
    path: AuthPath
    scopes: tuple[ResolvedScope, ...] = ()


class ResolvedSetting(Model):
    """One setting of the configuration surface at an organisation.

    :ivar value: the organisation's own or the contract's default; none when there is neither, or none of its type.
    :ivar origin: ``own``: of ``orgs/ID.yaml``; ``default``: of the contract; ``open``: none, and ``note`` says why.
    """

    name: str
    surface: Universality
    type: SettingType
    value: JsonValue = None
    origin: Literal["own", "default", "open"]
    note: str | None = None


class ResolvedOrganization(Model):
    """Everything that the contract means at one organisation.

    :ivar auth: names of environment variables; never a secret.
    :ivar server: none when it was not observed.
    :ivar channels: those that are used there.
    :ivar stray: names in its file that no setting of the contract has.
    """

    id: Slug
    name: str
    vendor: str
    environment: Literal["sandbox", "non-production", "production"]
    fhir_base_url: str | None = None
    auth: OrganizationAuth = OrganizationAuth()
    server: ServerSeen | None = None
    needs: tuple[ResolvedNeed, ...] = ()
    clients: tuple[ResolvedClient, ...] = ()
    channels: tuple[Channel, ...] = ()
    settings: tuple[ResolvedSetting, ...] = ()
    stray: tuple[str, ...] = ()

    @property
    def simulated(self) -> str | None:
        """The id of the simulated hospital that it is, or none of a real address."""
        simulated = re.fullmatch(rf"{SIMULATED}([a-z0-9][a-z0-9-]*)", self.fhir_base_url or "")
        return simulated[1] if simulated else None

    def variable(self, purpose: str) -> str:
        """The environment variable of a credential (``client_id``, ``private_key``), as the exported client has it."""
        usual = re.sub(r"[^A-Z0-9]", "_", f"FHIR_{self.id}_{purpose}".upper())
        return getattr(self.auth, f"{purpose}_env") or usual

    def variables(self) -> dict[str, str]:
        """Every variable by its key in the organisation's file; names alone, never a value."""
        usual = {f"{purpose}_env": self.variable(purpose) for purpose in ("client_id", "private_key")}
        return usual | self.auth.model_dump(mode="json", exclude_none=True)


class ResolvedContract(Model):
    """``contract.lock.json``: the contract, and what holds at each organisation. Published as JSON, schema version 1.

    :ivar made: the day on which this text of the contract was first exported.
    :ivar contract_hash: what approvals are of.
    :ivar mistakes: what FHIR does not know or what cannot be; no document of FHIR is made of it.
    :ivar contract: the text as it stands, from which ``organizations`` follows.
    """

    schema_version: Literal["1"] = "1"
    made: IsoDate
    product: str
    description: str | None = None
    contract_hash: str
    mistakes: tuple[str, ...] = ()
    contract: WorkflowContract
    organizations: tuple[ResolvedOrganization, ...] = ()

    @field_serializer("contract", mode="wrap")
    def _with_its_schema(self, contract: WorkflowContract, handler: Any) -> Any:
        return {"schema": contract.schema_version} | handler(contract)
