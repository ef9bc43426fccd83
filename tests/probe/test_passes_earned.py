"""No check passes on less than it declares, and what it declares is all that its pass rests on."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from probe_documents import brand_bundle, smart, statement
from probe_judging import BASE, answered, documents, failed, read

from interlock.contract.match import match_contract
from interlock.fhir.tables import smart as smart_tables
from interlock.fhir.tables import us_core
from interlock.model.base import CheckOutcome
from interlock.model.contract import ClinicalEvent, Launch, Need, WorkflowContract
from interlock.model.drift import Drift
from interlock.model.facts import Certificate, Facts, TlsFacts
from interlock.model.observation import Check, Observation, Target
from interlock.model.organization import Organization
from interlock.model.sample import DataFacts, InputSample, IntrospectionFacts, RefreshFacts, TokenFacts
from interlock.probe.assemble import base_facts, with_advertised
from interlock.probe.checks.base import CheckInput, CheckSpec, check
from interlock.probe.checks.registry import list_checks, run_checks
from interlock.probe.checks.results import passed
from interlock.probe.transport.exchange import Exchange, Purpose
from us_core_statements import whole_statement

pytestmark = pytest.mark.fast

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ORIGIN = "https://app.example.org"
IDP = "https://auth.example.org"
US_CORE = "http://hl7.org/fhir/us/core"
MODULUS = "w" + "A" * 341 + "E"


def _jwt(**claims: Any) -> str:
    parts = ({"alg": "RS256", "x5c": ["MII="]}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2ln"])


STATEMENT = statement(
    instantiates=[f"{US_CORE}/CapabilityStatement/us-core-server|7.0.0"],
    implementation={"description": "An example", "url": BASE},
    rest=[
        {
            "mode": "server",
            "security": {"cors": True, "service": [{"coding": [{"code": "SMART-on-FHIR"}]}]},
            "resource": [
                {
                    "type": kind,
                    "interaction": [{"code": "read"}, {"code": "search-type"}],
                    "searchParam": [{"name": "_id", "type": "token"}],
                    "supportedProfile": [f"{US_CORE}/StructureDefinition/us-core-patient|7.0.0"],
                    "operation": [
                        {
                            "name": f"{kind.lower()}-export",
                            "definition": f"http://hl7.org/fhir/uv/bulkdata/OperationDefinition/{kind.lower()}-export",
                        }
                    ],
                }
                for kind in ("Patient", "Group")
            ],
        }
    ],
)
STATEMENT["rest"][0]["security"]["extension"] = [
    {
        "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
        "extension": [{"url": "token", "valueUri": f"{IDP}/token"}],
    }
]
SMART = smart(
    issuer=IDP,
    jwks_uri=f"{IDP}/keys",
    introspection_endpoint=f"{IDP}/introspect",
    management_endpoint=f"{IDP}/manage",
    revocation_endpoint=f"{IDP}/revoke",
    response_types_supported=["code"],
    capabilities=[*smart()["capabilities"], "sso-openid-connect", "context-standalone-encounter"],
    scopes_supported=[
        "launch",
        "launch/patient",
        "launch/encounter",
        "openid",
        "fhirUser",
        "patient/*.rs",
        "system/*.rs",
    ],
)
OPENID = {
    "issuer": IDP,
    "authorization_endpoint": f"{IDP}/authorize",
    "token_endpoint": f"{IDP}/token",
    "jwks_uri": f"{IDP}/keys",
    "response_types_supported": ["code"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
    "authorization_response_iss_parameter_supported": True,
}
UDAP = {
    "udap_versions_supported": ["1"],
    "udap_profiles_supported": ["udap_dcr", "udap_authn", "udap_authz"],
    "udap_authorization_extensions_supported": [],
    "udap_certifications_supported": [],
    "grant_types_supported": ["client_credentials"],
    "token_endpoint": f"{IDP}/token",
    "registration_endpoint": f"{IDP}/register",
    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
    "scopes_supported": ["system/*.rs"],
    "registration_endpoint_jwt_signing_alg_values_supported": ["RS256"],
    "signed_metadata": _jwt(iss=BASE, sub=BASE, iat=NOW.timestamp(), exp=NOW.timestamp() + 3600, jti="1"),
}
TLS = TlsFacts(
    verified=True,
    chain=(
        Certificate(
            subject="ehr.example.org",
            issuer="CA",
            names=("ehr.example.org",),
            not_before="2026-01-01T00:00:00+00:00",
            not_after="2027-11-01T00:00:00+00:00",
            days_left=300,
            self_signed=False,
            key="RSA 2048",
            key_bits=2048,
            signature="sha256",
        ),
    ),
    versions={"TLSv1": "refused", "TLSv1.1": "refused", "TLSv1.2": "offered", "TLSv1.3": "offered"},
)
CONTRACT = WorkflowContract(
    version="1",
    title="Example",
    launch=Launch(
        modes=("ehr", "standalone", "backend"),
        context=("patient", "encounter"),
        client="confidential-asymmetric",
        browser=True,
    ),
    clinical_event=ClinicalEvent(trigger="A result", actor="A nurse", setting="A ward", states=("final",)),
    inputs=(
        Need(
            resource="Patient",
            interactions=("read",),
            search_parameters=("_id",),
            operations=("$patient-export",),
            profile=f"{US_CORE}/StructureDefinition/us-core-patient",
        ),
    ),
)
DATA = DataFacts(
    method="private_key_jwt",
    token=TokenFacts(outcome="issued", lifetime_s=300, scope_stated=True, no_store=True, refresh_issued=False),
    refresh=RefreshFacts(outcome="issued", lifetime_s=300, scope_stated=True, no_store=True, given=True, replaced=True),
    introspection=IntrospectionFacts(
        outcome="answered", active=True, scope_stated=True, expiry_stated=True, client="ours"
    ),
    inputs=(
        InputSample(
            resource="Patient",
            outcome="sampled",
            status=200,
            count=3,
            fields={"birthDate": 3},
            systems={"http://loinc.org": 3},
            terminology=("http://loinc.org",),
        ),
        InputSample(
            resource="Observation",
            outcome="sampled",
            status=200,
            filters=("patient",),
            seen=3,
            page=3,
            next_links=("here",),
            count=3,
            statuses={"final": 3},
        ),
    ),
)
DRIFT = Drift(base_url=BASE, before=NOW - timedelta(days=1), after=NOW)


@dataclass(frozen=True)
class Seen:
    """An observation from which things can be taken away."""

    exchanges: dict[Purpose, Exchange]
    base: str = BASE
    tls: TlsFacts | None = TLS
    data: DataFacts | None = DATA
    drift: Drift | None = DRIFT
    contract: WorkflowContract | None = CONTRACT
    active: bool = True
    strict: bool = True
    origin: str | None = ORIGIN
    without: frozenset[str] = field(default_factory=frozenset)

    def facts(self) -> Facts:
        facts = with_advertised(
            base_facts(self.exchanges, self.base, self.tls, self.origin, NOW), self.exchanges, self.base
        )
        return facts.model_copy(update={"tls": self.tls, "data": self.data})

    def checks(self) -> dict[str, Check]:
        facts = self.facts()
        fit = None
        if self.contract is not None:
            observed = Observation(
                target=Target(base_url=BASE), started=NOW, elapsed_ms=1, outcome="observed", facts=facts
            )
            organization = Organization(id="a", name="A", fhir_base_url=BASE)
            fit = match_contract(self.contract, organization, observed)
        given = CheckInput(
            self.base,
            facts,
            self.exchanges,
            self.contract,
            fit,
            active=self.active,
            strict=self.strict,
            drift=self.drift,
            now=NOW,
        )
        return {one.id: one for one in run_checks(given)}

    def dropping(self, *purposes: str) -> Seen:
        kept = {purpose: exchange for purpose, exchange in self.exchanges.items() if purpose not in purposes}
        return replace(self, exchanges=kept)


def _seen() -> Iterator[Seen]:
    headers = {"etag": '"1"', "strict-transport-security": "max-age=1"}
    crossed = {"access-control-allow-origin": "*", "access-control-allow-headers": "Authorization"}
    exchanges = documents(
        openid=OPENID, udap=UDAP, jwks={"keys": [{"kty": "RSA", "n": MODULUS, "e": "AQAB", "kid": "a"}]}
    )
    asked = {"headers": headers, "accept": "application/fhir+json", "url": f"{BASE}/metadata"}
    exchanges["metadata"] = read("metadata", 200, "application/fhir+json", json.dumps(STATEMENT).encode(), **asked)
    exchanges["smart"] = answered("smart", SMART)
    exchanges["cds"] = answered(
        "cds",
        {"services": [{"hook": "patient-view", "id": "a", "description": "A"}]},
        url="https://a.example/cds-services",
    )
    for purpose, document in (("cors-metadata", STATEMENT), ("cors-smart", SMART)):
        exchanges[purpose] = answered(purpose, document, headers=crossed)
    for purpose in ("cors-token", "cors-fhir"):
        exchanges[purpose] = read(purpose, 204, "", b"", headers=crossed)
    exchanges["cors-authorize"] = read("cors-authorize", 204, "", b"")
    exchanges["token-negative"] = replace(
        read("token-negative", 400, "application/json", b"{}", url=f"{IDP}/token"),
        reading="oauth_error",
        detail="unsupported_grant_type",
    )
    exchanges["refresh"] = replace(read("refresh", 200, "application/json", b"{}"), reading="answered")
    bearer = {"www-authenticate": 'Bearer realm="a"'}
    exchanges["anonymous-read"] = read("anonymous-read", 401, "application/json", b"{}", headers=bearer)
    exchanges["anonymous-count"] = read("anonymous-count", 401, "application/json", b"{}", headers=bearer)
    yield Seen(exchanges)
    # R4B, whose repetitions are judged by another check; a server that asks to wait, and says how long.
    later = {**exchanges, "metadata": answered("metadata", STATEMENT | {"fhirVersion": "4.3.0"})}
    later["udap"] = read("udap", 503, "text/plain", b"later", headers={"retry-after": "5"})
    slow = read("smart", 503, "text/plain", b"later", headers={"retry-after": "5"})
    yield Seen(later | {"smart": slow})
    # All that US Core 8.0.0 and certification ask for.
    scopes = [f"patient/{one.scope}" for one in us_core("8.0.0").scopes if one.level == "granular"]
    listed = SMART | {"capabilities": sorted(smart_tables().capability_codes()), "scopes_supported": scopes}
    listed |= {
        "user_access_brand_bundle": f"{BASE}/brands",
        "user_access_brand_identifier": {"value": "https://example.org"},
        "associated_endpoints": [{"url": f"{BASE}/images", "capabilities": []}],
    }
    exchanges["brands"] = answered("brands", brand_bundle(BASE))
    yield Seen(
        exchanges | {"metadata": answered("metadata", whole_statement("8.0.0")), "smart": answered("smart", listed)}
    )


@cache
def passes() -> dict[str, tuple[Seen, Check]]:
    """Every check that passes in one of the observations, with that observation."""
    found: dict[str, tuple[Seen, Check]] = {}
    for seen in _seen():
        for name, result in seen.checks().items():
            if result.outcome is CheckOutcome.PASS:
                found.setdefault(name, (seen, result))
    return found


def _unanswered(seen: Seen) -> Seen:
    at_base: tuple[Purpose, ...] = ("metadata", "smart", "smart-root")
    silent = {purpose: failed(purpose, "connect", "no answer") for purpose in at_base if purpose in seen.exchanges}
    others: dict[Purpose, Exchange] = {}
    return replace(seen, exchanges=others | silent)


TAKE_AWAY: dict[str, Callable[[Seen], Seen]] = {
    "base": lambda seen: replace(seen, base=""),
    "request": lambda seen: replace(seen, exchanges={}),
    "answer": _unanswered,
    "endpoints": lambda seen: seen.dropping("metadata", "smart"),
    "tls": lambda seen: replace(seen, tls=None),
    "chain": lambda seen: replace(seen, tls=TLS.model_copy(update={"chain": ()})),
    "versions": lambda seen: replace(seen, tls=TLS.model_copy(update={"versions": {}})),
    "anonymous": lambda seen: seen.dropping("anonymous-read", "anonymous-count"),
    "data": lambda seen: replace(seen, data=None),
    "sample": lambda seen: replace(seen, data=None),
    "origin": lambda seen: replace(seen, origin=None),
    "drift": lambda seen: replace(seen, drift=None),
    "contract": lambda seen: replace(seen, contract=None),
    "strict": lambda seen: replace(seen, strict=False),
    "active": lambda seen: replace(seen, active=False),
}
#: What stands for more than one request, and those requests.
SEVERAL = {
    "endpoints": {"metadata", "smart"},
    "anonymous": {"anonymous-read", "anonymous-count"},
    "contract": {"metadata", "smart"},
}


#: Checks without a document, by the observation (which is one of those of :func:`passes`) and what was taken away.
_WITHOUT: dict[tuple[int, str], dict[str, Check]] = {}


def without(seen: Seen, name: str) -> dict[str, Check]:
    """All checks of an observation after something was taken away from it; most share it with others."""
    key = (id(seen), name)
    if key not in _WITHOUT:
        _WITHOUT[key] = (TAKE_AWAY[name](seen) if name in TAKE_AWAY else seen.dropping(name)).checks()
    return _WITHOUT[key]


def declared(spec: CheckSpec) -> tuple[str, ...]:
    return (*([spec.needs] if spec.needs else []), *spec.rests_on)


@pytest.mark.parametrize("spec", list_checks(), ids=lambda spec: spec.id)
def test_no_check_passes_on_less_than_it_declares(spec: CheckSpec) -> None:
    assert spec.id in passes(), "no observation here lets this check pass; add what it needs"
    seen, _ = passes()[spec.id]
    for what in declared(spec):
        result = without(seen, what)[spec.id]
        assert result.outcome is not CheckOutcome.PASS, f"passes without {what}: {result.message}"
        assert result.outcome is not CheckOutcome.ERROR, result.message


def test_what_a_pass_rests_on_is_declared() -> None:
    """Taking away a document that a check does not declare changes nothing about its pass."""
    for purpose in next(_seen()).exchanges:
        for spec in list_checks():
            seen, before = passes()[spec.id]
            names = {name for what in declared(spec) for name in SEVERAL.get(what, {what})}
            if spec.family == "NET" or purpose in names or purpose not in seen.exchanges:
                continue
            after = without(seen, purpose)[spec.id]
            assert (after.outcome, after.message) == (before.outcome, before.message), (spec.id, purpose)


def test_every_check_declares_what_its_pass_rests_on() -> None:
    assert [spec.id for spec in list_checks() if not declared(spec)] == []
    with pytest.raises(ValueError, match="rests on"):
        check("NET-997", "A title", list_checks()[0].severity)(lambda probed: passed(""))
