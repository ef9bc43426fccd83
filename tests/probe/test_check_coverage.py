"""What has to be checked, phrase by phrase, and the checks that do it; and that no document upsets any of them."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from probe_judging import documents, judged

from interlock.model.base import CheckOutcome
from interlock.model.facts import Facts
from interlock.probe.assemble import base_facts
from interlock.probe.checks.registry import list_checks
from tiers import rounds

#: The domain's list (NET, CAP, SMART, OIDC and JWKS, CORS, UDAP, BULK, CDS), in its own words, → checks.
PHRASES: dict[str, tuple[str, ...]] = {
    "DNS, TCP, handshake and HTTP as separate failures": ("NET-001", "NET-002", "NET-009", "NET-004"),
    "https only": ("NET-005",),
    "certificate expiry and days left": ("NET-010",),
    "hostname": ("NET-011",),
    "self-signed": ("NET-012",),
    "incomplete chain": ("NET-013",),
    "key size": ("NET-014",),
    "signature algorithm": ("NET-015",),
    "each TLS version offered": ("NET-016", "NET-017", "NET-018"),
    "redirects (other host, downgrade, loop)": ("NET-006", "NET-019"),
    "status families": ("NET-008", "NET-020", "NET-024"),
    "Retry-After": ("NET-021",),
    "total deadline": ("NET-022",),
    "latency": ("NET-007",),
    "size": ("NET-023",),
    "trust-store problem here told apart from an expired certificate there": ("NET-003",),
    "answers without a token": ("CAP-001", "CAP-002"),
    "JSON negotiated, content type, charset": ("CAP-003", "CAP-004", "CAP-005", "CAP-041"),
    "the elements that its release requires and the cpb invariants": (
        "CAP-007",
        "CAP-014",
        *(f"CAP-{20 + number:03d}" for number in (0, 1, 2, 3, 7, 9, 12, 14, 15, 16)),
    ),
    "software": ("CAP-011",),
    "implementation.url against the base": ("CAP-010", "CAP-046"),
    "release family": ("CAP-006",),
    "rest.mode = server": ("CAP-008", "CAP-014"),
    "duplicate resources or parameters": ("CAP-015", "CAP-029", "CAP-032"),
    "per-resource interactions": ("CAP-008",),
    "search parameters": ("CAP-016",),
    "supportedProfile with |version": ("CAP-017",),
    "instantiates": ("CAP-018",),
    "security services": ("CAP-012",),
    "staleness": ("CAP-019", "CAP-042", "CAP-043", "CAP-045"),
    "against the workflow contract": tuple(f"CAP-{number:03d}" for number in range(50, 56)),
    "a 200 that is not the document": ("CAP-044", "SMART-021"),
    "200, JSON, media type": ("SMART-001", "SMART-002", "SMART-003"),
    "required fields and types": ("SMART-005", "SMART-006", "SMART-022"),
    "every URL absolute, https, on a public host": ("SMART-008", "SMART-009", "SMART-010", "SMART-023", "SMART-024"),
    "S256 offered and plain not": ("SMART-004",),
    "grant types that fit the launch modes": ("SMART-011", "SMART-019"),
    "issuer and jwks_uri when sso-openid-connect": ("SMART-007",),
    "capability sets": ("SMART-012", "SMART-018", "SMART-026", "SMART-027"),
    "capabilities that contradict scopes": ("SMART-013",),
    "v1/v2 scope syntax": ("SMART-025",),
    "scopes the contract needs": ("SMART-055",),
    "auth path of each launch mode against the contract": ("SMART-050", "SMART-051", "SMART-052"),
    "context and client of the contract": ("SMART-053", "SMART-054", "SMART-056"),
    "signing algorithms": ("SMART-014",),
    "introspection, revocation, management": ("SMART-020",),
    "agreement with the statement's oauth-uris": ("SMART-015", "SMART-017", "SMART-028"),
    "fallback to oauth-uris": ("SMART-016",),
    "discovery from issuer, exact issuer match": ("OIDC-001", "OIDC-002", "OIDC-003", "OIDC-007", "OIDC-009"),
    "OIDC required fields, RS256": ("OIDC-004", "OIDC-005", "OIDC-006", "OIDC-008"),
    "keys parse, kid, kty/alg": ("JWKS-001", "JWKS-004", "JWKS-005", "JWKS-006", "JWKS-007"),
    "2048 bits or more": ("JWKS-003",),
    "no private members": ("JWKS-002",),
    "CORS: discovery for any origin": ("CORS-001", "CORS-002", "CORS-006"),
    "CORS: token endpoint and FHIR API for the registered origin": ("CORS-003", "CORS-004", "CORS-005"),
    "UDAP": tuple(f"UDAP-{number:03d}" for number in range(1, 8)),
    "BULK: $export as declared, never invoked": tuple(f"BULK-{number:03d}" for number in range(1, 5)),
    "CDS: the product's own /cds-services": tuple(f"CDS-{number:03d}" for number in range(1, 5)),
}
_FAMILIES = ("NET", "CAP", "SMART", "OIDC", "JWKS", "CORS", "UDAP", "BULK", "CDS")


def test_every_phrase_has_its_checks() -> None:
    named = {check_id for ids in PHRASES.values() for check_id in ids}
    assert sorted(named - {spec.id for spec in list_checks()}) == []


@cache
def recorded(servers: Path) -> list[tuple[str, Any]]:
    return [
        (path.name, pruned(json.loads(path.read_bytes())))
        for path in sorted(servers.glob("*/*.json"))
        if path.name in {"metadata.json", "smart-configuration.json"}
    ]


def pruned(value: Any) -> Any:
    """Lists cut to three entries, so that a mutation is likely to be read."""
    if isinstance(value, list):
        return [pruned(entry) for entry in value[:3]]
    return {key: pruned(entry) for key, entry in value.items()} if isinstance(value, dict) else value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("\ud800" * 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=rounds(40, 120), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mutation_of_a_recording_upsets_a_check(servers: Path, data: st.DataObject) -> None:
    kind, document = copy.deepcopy(data.draw(st.sampled_from(recorded(servers))))
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(document, data)
    other = (
        {"metadata": document} if kind == "metadata.json" else {"smart": document, "udap": document, "jwks": document}
    )
    checks = judged(documents(**other))
    assert [check for check in checks.values() if check.outcome is CheckOutcome.ERROR] == []
    assert max(len(check.message) for check in checks.values()) < 1500
    for check in checks.values():
        check.model_dump_json()


def mutate(at: Any, data: st.DataObject) -> None:
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(at[key], dict | list) and data.draw(st.integers(0, 3)):
            at = at[key]
            continue
        at[key] = data.draw(JSON)
        return


def test_what_is_kept_of_a_huge_statement_is_bounded() -> None:
    parameters = [{"name": f"p{number}"} for number in range(5_000)]
    statement = {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "format": ["json"] * 5_000,
        "rest": [
            {
                "mode": "server",
                "resource": [
                    {"type": f"T{number}", "searchParam": parameters if number < 3 else []} for number in range(3_000)
                ],
            }
        ]
        * 2,
    }
    facts = base_facts(documents(metadata=statement, smart={"capabilities": [f"c{n}" for n in range(50_000)]}), "")
    assert facts.capability is not None and facts.smart is not None
    assert len(facts.capability.resources) == 1_000
    assert len(facts.capability.resources["T0"].search_params) == 1_000
    assert len(facts.capability.problems) <= 51 and len(facts.capability.repeated) <= 50
    assert len(facts.smart.capabilities or ()) == 5_000
    Facts.model_validate(facts.model_dump())


@pytest.mark.parametrize("family", _FAMILIES)
def test_each_family_has_checks(family: str) -> None:
    assert [spec for spec in list_checks() if spec.family == family]
