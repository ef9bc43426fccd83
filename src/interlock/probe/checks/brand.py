"""BRAND: the user-access brands that a SMART configuration names, and the endpoints that share its authorization."""

from __future__ import annotations

from interlock.fhir.smart import is_absolute
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.facts import BrandFacts
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    NeedError,
    Result,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

_BUNDLE = cite("SM-BRAND", "brand-bundle-profile", "Brand bundle")
_METADATA = cite("SM-CONF", "metadata", "Metadata")


def _brands(probed: CheckInput) -> BrandFacts:
    """The bundle that the configuration names.

    :raises NeedError: it names none, or the bundle was not seen.
    """
    if probed.smart.user_access_brand_bundle is None:
        raise NeedError(not_applicable("the SMART configuration names no brands", probed.at("smart")))
    if probed.facts.brands is None:
        raise NeedError(not_observed(probed.why_unseen("brands"), probed.at("brands")))
    return probed.facts.brands


@check(
    "BRAND-001",
    "The bundle of brands can be read",
    Severity.LOW,
    _METADATA,
    _BUNDLE,
    rows=("FLD-11", "BRD-01"),
    needs="smart",
    rests_on=("brands",),
    at="brands",
    level="SHALL",
)
def readable(probed: CheckInput) -> Result:
    """Asked by a thorough probe only: the bundle of a vendor's whole market may be large."""
    if probed.smart.user_access_brand_bundle is not None and (why := probed.broken("brands")):
        return failed(f"user_access_brand_bundle is named, but {why}")
    facts = _brands(probed)
    organizations = words.count(facts.organizations, "organization")
    return passed(f"It holds {organizations} and {words.count(facts.endpoints, 'endpoint')}")


@check(
    "BRAND-002",
    "The bundle of brands has the form that SMART gives it",
    Severity.LOW,
    _BUNDLE,
    rows=("BRD-01",),
    needs="smart",
    rests_on=("brands",),
    at="brands",
    level="SHALL",
)
def form(probed: CheckInput) -> Result:
    """A collection with its time, of organizations and endpoints."""
    facts = _brands(probed)
    wrong = []
    if facts.type != "collection":
        wrong.append(f"its type is {quoted(facts.type, 40) if facts.type else 'missing'}, not collection")
    if not facts.timestamp:
        wrong.append("it has no timestamp")
    if facts.others:
        wrong.append(f"{words.count(facts.others, 'entry', 'entries')} of it hold neither Organization nor Endpoint")
    if wrong:
        return failed(f"Of the bundle of brands, {words.listed(wrong)}")
    if facts.limits:
        return not_observed(f"this program read a part only: {facts.limits[0]}", probed.at("brands"))
    return passed("It is a collection with its time, of organizations and endpoints")


@check(
    "BRAND-003",
    "This base is in its own bundle, under a brand",
    Severity.MEDIUM,
    cite("SM-BRAND", "conformance-overview", "Conformance overview"),
    rows=("BRD-02",),
    needs="smart",
    rests_on=("brands",),
    at="brands",
    level="SHALL",
)
def covers(probed: CheckInput) -> Result:
    """Otherwise a patient's application finds the organization and not its data."""
    facts = _brands(probed)
    if facts.brands_here:
        return passed(f"Under {words.count(facts.brands_here, 'brand')}: {quoted_list(facts.names_here, 3)}")
    if facts.limits:
        return not_observed(f"this program read a part only: {facts.limits[0]}", probed.at("brands"))
    if facts.endpoints_here:
        return failed("The bundle has an endpoint at this base, and no organization references it")
    return warned("No endpoint of the bundle has this base's address; it may stand there under another one")


@check(
    "BRAND-004",
    "The brand's identifier leads to one brand of the bundle",
    Severity.LOW,
    _METADATA,
    rows=("FLD-12", "BRD-04"),
    needs="smart",
    rests_on=("brands",),
    at="smart#/user_access_brand_identifier",
    level="SHALL",
)
def identifier(probed: CheckInput) -> Result:
    """SHALL be there when the bundle has several brands, and match exactly one."""
    facts, named = _brands(probed), probed.smart.user_access_brand_identifier
    if named is None:
        if facts.organizations > 1:
            return failed(
                f"The bundle holds {facts.organizations:,} organizations, and no user_access_brand_identifier says "
                "which is meant"
            )
        return passed("The bundle holds no second organization, so none has to be named")
    if named.value is None:
        return failed("user_access_brand_identifier has no value")
    if facts.matching != 1 and facts.limits:
        return not_observed(f"this program read a part only: {facts.limits[0]}", probed.at("brands"))
    if facts.matching != 1:
        number = words.count(facts.matching or 0, "organization")
        return failed(
            f"{quoted(named.value, 80)} is the identifier of {number} in the bundle, and has to be that of one"
        )
    return passed("It is the identifier of exactly one organization in the bundle")


@check(
    "BRAND-005",
    "Associated endpoints have an address and capabilities",
    Severity.LOW,
    _METADATA,
    rows=("FLD-10",),
    needs="smart",
    at="smart#/associated_endpoints",
)
def associated(probed: CheckInput) -> Result:
    """An experimental field; the endpoints themselves are other servers, and are not asked."""
    endpoints = probed.smart.associated_endpoints
    if endpoints is None:
        return not_applicable("no associated endpoints are listed", probed.at("smart"))
    if not endpoints:
        return not_observed("associated_endpoints lists none that could be read", probed.at("smart"))
    homeless = sum(endpoint.url is None or not is_absolute(endpoint.url) for endpoint in endpoints)
    silent = sum(endpoint.capabilities is None for endpoint in endpoints)
    if homeless or silent:
        return warned(
            f"Of {words.count(len(endpoints), 'associated endpoint')}, {homeless} without an absolute url and {silent} "
            "without a list of capabilities"
        )
    return passed(f"{words.count(len(endpoints), 'associated endpoint')} with address and capabilities")
