"""User-access brands: fetched where the address may be followed, and held against the base that names them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from probe_documents import STATEMENT, brand_bundle, smart
from probe_judging import BASE, answered, judged
from probe_loopback import Loopback, as_json

from interlock.model.observation import Check, Observation, Target
from interlock.probe.transport.settings import ProbeSettings
from typed_targets import probe_sync

pytestmark = pytest.mark.fast

NAMED = {"user_access_brand_bundle": f"{BASE}/brands", "user_access_brand_identifier": {"value": "https://example.org"}}


def results(bundle: Any, **configuration: Any) -> dict[str, Check]:
    exchanges = {
        "metadata": answered("metadata", STATEMENT),
        "smart": answered("smart", smart(**(NAMED | configuration))),
        "brands": answered("brands", bundle),
    }
    checks = judged(exchanges)  # type: ignore[arg-type]
    return {name: one for name, one in checks.items() if name.startswith("BRAND")}


def with_second(base: str = BASE) -> dict[str, Any]:
    bundle = brand_bundle(base)
    second = copy.deepcopy(bundle["entry"][0])
    second["resource"] |= {"id": "b", "name": "Another", "endpoint": []}
    bundle["entry"].append(second)
    return bundle


def test_a_bundle_as_the_guide_has_it_passes() -> None:
    outcomes = {name: one.outcome.value for name, one in results(brand_bundle(BASE)).items()}
    assert outcomes == {f"BRAND-00{n}": "pass" for n in range(1, 5)} | {"BRAND-005": "not_applicable"}
    assert "Example Hospital" in results(brand_bundle(BASE))["BRAND-003"].message


@pytest.mark.parametrize(
    ("name", "outcome", "bundle", "configuration", "said"),
    [
        ("BRAND-001", "fail", None, {}, "404"),
        ("BRAND-002", "fail", brand_bundle(BASE, type="searchset"), {}, "“searchset”"),
        ("BRAND-002", "fail", brand_bundle(BASE, timestamp=None), {}, "no timestamp"),
        (
            "BRAND-002",
            "fail",
            brand_bundle(BASE, entry=[{"resource": {"resourceType": "Patient"}}, {}]),
            {},
            "2 entries",
        ),
        ("BRAND-003", "warn", brand_bundle("https://other.example.org/fhir"), {}, "another one"),
        ("BRAND-003", "fail", brand_bundle(BASE, entry=brand_bundle(BASE)["entry"][1:]), {}, "no organization"),
        ("BRAND-004", "fail", with_second(), {}, "of 2 organizations"),
        ("BRAND-004", "fail", with_second(), {"user_access_brand_identifier": None}, "no user_access_brand_identifier"),
        ("BRAND-004", "pass", brand_bundle(BASE), {"user_access_brand_identifier": None}, "no second"),
        ("BRAND-004", "fail", brand_bundle(BASE), {"user_access_brand_identifier": {"system": "x"}}, "no value"),
        (
            "BRAND-004",
            "fail",
            brand_bundle(BASE),
            {"user_access_brand_identifier": {"value": "y"}},
            "of 0 organizations",
        ),
        ("BRAND-005", "pass", None, {"associated_endpoints": [{"url": f"{BASE}/b", "capabilities": ["x"]}]}, "1 assoc"),
        ("BRAND-005", "warn", None, {"associated_endpoints": [{"url": "/b"}]}, "1 without an absolute url and 1"),
        ("BRAND-005", "not_observed", None, {"associated_endpoints": ["x"]}, "none that could be read"),
        ("BRAND-003", "not_applicable", None, {"user_access_brand_bundle": None}, "names no brands"),
    ],
)
def test_each_fault_is_told(name: str, outcome: str, bundle: Any, configuration: dict[str, Any], said: str) -> None:
    result = results(bundle, **configuration)[name]
    assert (result.outcome.value, said in result.message) == (outcome, True), result.message


@pytest.mark.parametrize("bad", [5, [], {"entry": 5}, {"entry": [5, {"resource": {"resourceType": "Endpoint"}}]}])
def test_whatever_the_bundle_holds_is_read(bad: Any) -> None:
    assert "error" not in {one.outcome.value for one in results(bad).values()}


def asked(loopback: Loopback, address: str, bundle: Any = None, **settings: Any) -> Observation:
    """A thorough probe of a server whose configuration names a bundle at an address."""
    document = smart() | {"user_access_brand_bundle": address}
    document.pop("token_endpoint", None)
    loopback.serve(as_json(STATEMENT), as_json(document))
    loopback.routes["/brands"] = as_json(bundle if bundle is not None else brand_bundle(loopback.base))
    return probe_sync([Target(base_url=loopback.base)], ProbeSettings(**{"thorough": True} | settings))[0]


def test_a_thorough_probe_reads_the_bundle_and_a_quick_one_leaves_it(loopback: Loopback) -> None:
    seen = asked(loopback, f"{loopback.origin}/brands")
    assert seen.facts.brands is not None and seen.facts.brands.names_here == ("Example Hospital",)
    quick = asked(loopback, f"{loopback.origin}/brands", thorough=False)
    assert quick.facts.brands is None and "brands" not in {record.purpose for record in quick.requests}


@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/brands", "http://other.example.org/brands", "https://u:p@example.org/brands", "{x}"],
)
def test_a_bundle_elsewhere_is_followed_only_as_the_guard_allows(loopback: Loopback, address: str) -> None:
    seen = asked(loopback, address)
    record = next(one for one in seen.requests if one.purpose == "brands")
    assert (record.failure, record.status) == ("refused", None) and seen.facts.brands is None
    result = next(one for one in seen.checks if one.id == "BRAND-001")
    assert result.outcome.value == "not_observed" and "u:p" not in seen.model_dump_json()


def test_another_resource_is_no_bundle(loopback: Loopback) -> None:
    seen = asked(loopback, f"{loopback.origin}/brands", {"resourceType": "Patient", "id": "secret-name"})
    assert seen.facts.brands is None
    result = next(one for one in seen.checks if one.id == "BRAND-001")
    assert result.outcome.value == "fail" and "type Patient" in result.message
