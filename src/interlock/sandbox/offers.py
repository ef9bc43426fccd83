"""What a simulated organisation's authorization server offers, as its own documents say, and which scopes it grants.

The documents are the one source: what discovery claims is what happens. An organisation without a SMART configuration
is one of SMART 1.0: v1 scopes, no PKCE asked for, clients with a secret or none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from interlock.fhir import capability
from interlock.fhir.scopes import covers, parse, syntax_versions
from interlock.sandbox.clients import Client, GrantType
from interlock.sandbox.organizations import SimulatedOrganization

_LEGACY_SCOPES = ("launch", "launch/patient", "offline_access", "patient/*.read", "user/*.read")
#: Where a SMART configuration lists no scopes, or none of resources, as large vendors' do: every one is then as good as
#: any other (SMART 2.2: the list is RECOMMENDED, and a server may support more than it lists).
_UNLISTED_SCOPES = (
    *("openid", "fhirUser", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access"),
    *("patient/*.cruds", "user/*.cruds", "system/*.cruds"),
)
_GENERAL_PARAMETERS = frozenset(("_id", "_lastUpdated", "_tag", "_profile", "_security"))
#: Resource scopes of these levels belong to a grant type.
_LEVELS: dict[GrantType, frozenset[str]] = {
    "authorization_code": frozenset(("patient", "user")),
    "client_credentials": frozenset(("system",)),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What one organisation's authorization server does.

    :ivar capabilities: of its SMART configuration; none when it has no such document.
    :ivar pkce: whether it declares S256, and so asks public clients for it.
    :ivar issuer: the issuer of ID tokens with ``{base}`` in it, or none where nobody signs in by OpenID Connect.
    :ivar iss_parameter: whether authorization responses carry ``iss`` (RFC 9207).
    """

    capabilities: frozenset[str] | None
    grant_types: tuple[str, ...]
    methods: tuple[str, ...]
    algorithms: tuple[str, ...]
    scopes: tuple[str, ...]
    pkce: bool
    issuer: str | None
    iss_parameter: bool

    def has(self, capability_name: str) -> bool:
        """Whether a capability is offered; without a SMART configuration nothing is ruled out."""
        return self.capabilities is None or capability_name in self.capabilities


def offer_of(organization: SimulatedOrganization) -> Offer:
    """What the organisation's documents say, with the defaults of those that say nothing."""
    smart, openid = organization.smart, organization.openid or {}
    document = smart or {}

    def listed(name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = document.get(name)
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else default

    capabilities = frozenset(listed("capabilities", ())) if smart is not None else None
    issuer = document.get("issuer", openid.get("issuer"))
    signs_in = "sso-openid-connect" in (capabilities or ())
    return Offer(
        capabilities=capabilities,
        grant_types=listed("grant_types_supported", ("authorization_code",)),
        methods=listed("token_endpoint_auth_methods_supported", ("client_secret_basic",)),
        algorithms=listed("token_endpoint_auth_signing_alg_values_supported", ("ES384",)),
        scopes=_LEGACY_SCOPES if smart is None else _with_resources(listed("scopes_supported", ())),
        pkce="S256" in listed("code_challenge_methods_supported", ()),
        issuer=issuer if isinstance(issuer, str) and signs_in else None,
        iss_parameter=bool(openid.get("authorization_response_iss_parameter_supported")),
    )


def _with_resources(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Listed scopes, with every other one where none of them is about resources."""
    return scopes if any(map(parse, scopes)) else (*scopes, *_UNLISTED_SCOPES)


def negotiate(
    organization: SimulatedOrganization, client: Client, asked: Iterable[str], grant_type: GrantType
) -> tuple[str, ...]:
    """The scopes that are granted of those that were asked for: what the organisation offers *and* the client may have.

    A wildcard type that is not granted as such is granted for each type that is. A scope of the other grant type's
    level, in a syntax that the organisation does not speak, or with a search constraint that its statement does not
    declare for the type, is left out (SMART App Launch 2.2: the granted scopes may be fewer than those asked for).
    """
    offer = offer_of(organization)
    registered = client.scopes or offer.scopes
    v1, v2 = syntax_versions(offer.scopes)
    spoken = {1} if v1 or offer.has("permission-v1") else set()
    spoken |= {2} if v2 or "permission-v2" in (offer.capabilities or ()) else set()

    def granted(scope: str) -> bool:
        return covers(offer.scopes, scope) and covers(registered, scope)

    scopes: dict[str, None] = {}
    for text in asked:
        scope = parse(text)
        if scope is None:
            if grant_type == "authorization_code" and granted(text):
                scopes[text] = None
            continue
        if scope.level not in _LEVELS[grant_type] or scope.version not in spoken:
            continue
        if not _declared(organization, scope.type, scope.constraint):
            continue
        for candidate in [text] if granted(text) else _by_type(text, scope.type, (*offer.scopes, *registered)):
            if granted(candidate):
                scopes[candidate] = None
    return tuple(scopes)


def _by_type(text: str, type_name: str, known: Iterable[str]) -> list[str]:
    """A scope of every type, written once for each type that any known scope names."""
    if type_name != "*":
        return []
    types = {scope.type for other in known if (scope := parse(other)) is not None} - {"*"}
    level, _, rest = text.partition("/*")
    return [f"{level}/{name}{rest}" for name in sorted(types)]


def _declared(organization: SimulatedOrganization, type_name: str, constraint: Iterable[str]) -> bool:
    """Whether every parameter of a scope's constraint is one that the statement declares for the type."""
    names = {part.partition("=")[0] for part in constraint if "=" in part}
    if len(names) < len(tuple(constraint)):
        return False
    unknown = names - _GENERAL_PARAMETERS
    if not unknown:
        return True
    declared = capability.parse(organization.metadata).resources.get(type_name)
    return declared is not None and unknown <= set(declared.search_params)
