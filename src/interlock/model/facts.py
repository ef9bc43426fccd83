"""What the documents of a server say, as facts: statement, SMART configuration, keys, certificate, access."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from interlock.model.base import Model
from interlock.model.sample import DataFacts
from interlock.model.us_core import CertificationFacts, UsCoreFacts

FhirRelease = Literal["DSTU2", "STU3", "R4", "R4B", "R5"]


class ResourceFacts(Model):
    """What a statement declares about one resource type; several ``rest`` entries of mode server are merged.

    :ivar profiles: profiles declared as supported (``supportedProfile``, R4 and later), ``|version`` kept.
    :ivar profile: the one profile that describes the type's overall support (``profile``): no claim of the above.
    :ivar conditional_create: whether ``If-None-Exist`` is heeded (``conditionalCreate``).
    """

    interactions: tuple[str, ...] = ()
    search_params: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    profile: str | None = None
    operations: tuple[str, ...] = ()
    versioning: str | None = None
    conditional_create: bool | None = None


class OAuthUris(Model):
    """The ``oauth-uris`` extension of ``rest.security`` (SMART App Launch 1.0; deprecated in 2.x)."""

    authorize: str | None = None
    token: str | None = None
    register_: str | None = Field(default=None, alias="register")
    manage: str | None = None
    introspect: str | None = None
    revoke: str | None = None


class SecurityFacts(Model):
    """``rest.security`` of the statement.

    :ivar oauth_uris_misspelt: of its ``oauth-uris`` extensions, those under another address than SMART's.
    """

    services: tuple[str, ...] = ()
    cors: bool | None = None
    oauth_uris: OAuthUris = OAuthUris.trusted()
    oauth_uris_count: int = 0
    oauth_uris_misspelt: int = 0


class CapabilityFacts(Model):
    """A CapabilityStatement (or DSTU2 Conformance) as facts. None means that the document does not say.

    :ivar profiles: profiles declared for the whole system (``profile`` at the top level; DSTU2 and STU3 only).
    :ivar operation_types: types that the definitions of an operation of the whole system name (``Patient-everything``),
        by the operation's name; without an entry the definitions do not tell.
    :ivar repeated: JSON pointers of entries of a type that has one already, and of lists that name a search parameter
        twice.
    :ivar problems: what the statement got wrong.
    :ivar limits: what this program did not read of it, by bounds of its own.
    """

    fhir_version: str | None = None
    fhir_release: FhirRelease | None = None
    kind: str | None = None
    status: str | None = None
    date: str | None = None
    software: dict[str, str] = {}
    publisher: str | None = None
    implementation_url: str | None = None
    formats: tuple[str, ...] = ()
    instantiates: tuple[str, ...] = ()
    resources: dict[str, ResourceFacts] = {}
    system_interactions: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    operation_types: dict[str, tuple[str, ...]] = {}
    profiles: tuple[str, ...] = ()
    security: SecurityFacts = SecurityFacts.trusted()
    subsetted: bool = False
    repeated: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class BrandIdentifier(Model):
    """``user_access_brand_identifier``: which organisation of the bundle of brands is meant."""

    system: str | None = None
    value: str | None = None


class AssociatedEndpoint(Model):
    """One of ``associated_endpoints``: another endpoint that shares the authorization server."""

    url: str | None = None
    capabilities: tuple[str, ...] | None = None


class SmartFacts(Model):
    """A SMART configuration: fields as published (``None`` = absent), and what is derived from them.

    :ivar limits: what this program did not read of it, by bounds of its own.
    """

    issuer: str | None = None
    jwks_uri: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    registration_endpoint: str | None = None
    management_endpoint: str | None = None
    introspection_endpoint: str | None = None
    revocation_endpoint: str | None = None
    user_access_brand_bundle: str | None = None
    user_access_brand_identifier: BrandIdentifier | None = None
    associated_endpoints: tuple[AssociatedEndpoint, ...] | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] | None = None
    grant_types_supported: tuple[str, ...] | None = None
    response_types_supported: tuple[str, ...] | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    scopes_supported: tuple[str, ...] | None = None
    capabilities: tuple[str, ...] | None = None
    capability_sets: tuple[str, ...] = ()
    launch_modes: tuple[str, ...] = ()
    client_types: tuple[str, ...] = ()
    pkce_s256: bool | None = None
    scopes_v1: bool | None = None
    scopes_v2: bool | None = None
    source: Literal["well-known", "oauth-uris"] = "well-known"
    problems: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def lacks_system_scopes(self) -> bool:
        """Whether scopes for data are listed and none of them is a backend service's."""
        listed = self.scopes_supported or ()
        return bool(self.scopes_v1 or self.scopes_v2) and not any(scope.startswith("system/") for scope in listed)


class OpenIdFacts(Model):
    """An OpenID Provider's metadata (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str | None = None
    jwks_uri: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] | None = None
    subject_types_supported: tuple[str, ...] | None = None
    response_types_supported: tuple[str, ...] | None = None
    problems: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class BrandFacts(Model):
    """A bundle of user-access brands, seen from the base whose SMART configuration names it.

    :ivar others: entries that hold neither an Organization nor an Endpoint.
    :ivar endpoints_here: whether an endpoint has the base's address; ``brands_here``: organisations that reference one
        that has, ``names_here`` their names, at most ten.
    :ivar matching: organisations with the identifier that the configuration names; none where it names none.
    """

    type: str | None = None
    timestamp: bool = False
    organizations: int = 0
    endpoints: int = 0
    others: int = 0
    endpoints_here: bool = False
    brands_here: int = 0
    names_here: tuple[str, ...] = ()
    matching: int | None = None
    problems: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class JwksFacts(Model):
    """A JWK Set (RFC 7517): how many keys, whether each is usable, and whether a private member leaked."""

    valid: bool
    keys: int = 0
    kids: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    smallest_rsa_bits: int | None = None
    private_members: bool = False
    problems: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class Certificate(Model):
    """One certificate of the chain that a server presented.

    :ivar names: at most ten subject alternative names; ``subject`` and ``issuer`` are common names.
    :ivar not_before: ISO 8601, UTC, as ``not_after``.
    :ivar days_left: whole days from the probe to the expiry, rounded down: negative from the moment of expiry.
    :ivar days_valid: whole days of its life, from ``not_before`` to ``not_after``; none in older observations.
    :ivar key: ``RSA 2048``, ``EC secp256r1``, ``Ed25519``; ``key_bits`` is the modulus or the curve's size.
    :ivar signature: the hash of its signature (``sha256``); none when the algorithm has no separate one.
    :ivar authority: it may sign other certificates (basic constraints).
    :ivar names_its_issuer: it says where its issuer's certificate is to be had (authority information access).
    """

    subject: str
    issuer: str
    names: tuple[str, ...] = ()
    not_before: str
    not_after: str
    days_left: int
    days_valid: int | None = None
    self_signed: bool
    key: str
    key_bits: int | None = None
    signature: str | None = None
    authority: bool = False
    names_its_issuer: bool = False

    @property
    def ends_soon(self) -> bool:
        """Whether it ought to have been renewed: less than a month is left, and less than a third of its life.

        A judgement: a month alone would speak of most of the life of a public certificate, which shrinks to 47 days,
        and a third alone of years of an authority's.
        """
        third = self.days_valid is None or self.days_left * 3 < self.days_valid
        return self.days_left < 30 and third


TlsVersion = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
#: ``refused`` is the server's own answer; what this machine could not try is ``cannot_tell``.
TlsOffer = Literal["offered", "refused", "cannot_tell"]


class TlsFacts(Model):
    """The base's TLS.

    :ivar verified: the certificate was accepted here; none when no handshake came far enough to tell.
    :ivar error: the probe's word when not: ``expired`` ``not_yet_valid`` ``hostname_mismatch`` ``self_signed``
        ``untrusted_issuer`` ``not_tls`` ``client_certificate`` ``version`` ``other``.
    :ivar cause: whose matter that is: the server's own, this machine's or its network's (trust store, middlebox), or
        more than one explanation fits.
    :ivar chain: as presented, the server's own certificate first; empty when it was not looked at.
    :ivar versions: each TLS version that was tried.
    """

    verified: bool | None = None
    error: str | None = None
    message: str | None = None
    cause: Literal["server", "here", "cannot_tell"] | None = None
    cause_note: str | None = None
    chain: tuple[Certificate, ...] = ()
    versions: dict[TlsVersion, TlsOffer] = {}
    negotiated: str | None = None

    @property
    def leaf(self) -> Certificate | None:
        """The server's own certificate."""
        return self.chain[0] if self.chain else None


class CorsFacts(Model):
    """Which cross-origin requests are allowed for ``origin``; none where it was not asked or cannot be told."""

    origin: str
    smart: bool | None = None
    metadata: bool | None = None
    token: bool | None = None
    fhir_api: bool | None = None
    authorize: bool | None = None


class UdapFacts(Model):
    """UDAP metadata (UDAP Security, Required UDAP Metadata): fields as published, ``None`` = absent.

    :ivar signed: ``signed_metadata`` is a JWT whose header and claims could be read; nothing was verified.
    :ivar signed_problems: what its form, dates or endpoints do not fit.
    """

    udap_versions_supported: tuple[str, ...] | None = None
    udap_profiles_supported: tuple[str, ...] | None = None
    udap_authorization_extensions_supported: tuple[str, ...] | None = None
    udap_authorization_extensions_required: tuple[str, ...] | None = None
    udap_certifications_supported: tuple[str, ...] | None = None
    udap_certifications_required: tuple[str, ...] | None = None
    grant_types_supported: tuple[str, ...] | None = None
    scopes_supported: tuple[str, ...] | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    registration_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] | None = None
    registration_endpoint_jwt_signing_alg_values_supported: tuple[str, ...] | None = None
    signed: bool | None = None
    signed_problems: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


ExportLevel = Literal["system", "patient", "group"]


class BulkFacts(Model):
    """Bulk data export as the statement declares it; it is never invoked (Bulk Data Access 2.0.0).

    :ivar exports: levels at which an export operation is declared.
    :ivar undefined: some are declared by name only, without a definition.
    :ivar redefined: some have a definition that is not the guide's.
    :ivar instantiates: the statement instantiates the guide's own.
    """

    exports: tuple[ExportLevel, ...] = ()
    undefined: bool = False
    redefined: bool = False
    instantiates: bool = False


class AccessFacts(Model):
    """How the base guards itself, as far as discovery shows.

    :ivar open_discovery: statement or SMART configuration was given without a token.
    :ivar challenges: schemes of the ``WWW-Authenticate`` headers that were met.
    :ivar hsts: a ``Strict-Transport-Security`` header came with an https answer.
    :ivar endpoint_hosts: hosts of the authorization and token endpoints.
    :ivar anonymous_read: whether a read without a token is refused; active probes only.
    """

    https: bool
    open_discovery: bool | None = None
    challenges: tuple[str, ...] = ()
    hsts: bool | None = None
    endpoint_hosts: tuple[str, ...] = ()
    anonymous_read: Literal["refused", "allowed"] | None = None


class Facts(Model):
    """Facts by family. A family that was not observed is ``None``, never an empty value."""

    capability: CapabilityFacts | None = None
    smart: SmartFacts | None = None
    openid: OpenIdFacts | None = None
    jwks: JwksFacts | None = None
    brands: BrandFacts | None = None
    tls: TlsFacts | None = None
    cors: CorsFacts | None = None
    udap: UdapFacts | None = None
    bulk: BulkFacts | None = None
    us_core: UsCoreFacts | None = None
    certification: CertificationFacts | None = None
    security: AccessFacts | None = None
    data: DataFacts | None = None
