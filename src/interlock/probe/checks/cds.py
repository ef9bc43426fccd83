"""CDS: the product's own CDS Hooks discovery. The product serves it and the EHR calls it: no EHR is asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from interlock.fhir.tolerant import objects_of
from interlock.model import words
from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    NeedError,
    Result,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.addresses import is_loopback_host, origin

_DISCOVERY = cite("CDSH", "discovery")
_MAX_VISITED = 20_000


@check(
    "CDS-001",
    "The product's CDS service publishes its services",
    Severity.HIGH,
    _DISCOVERY,
    rows=("CDH-01", "CDH-04"),
    rests_on=("cds",),
    at="cds",
    level="SHALL",
)
def published(probed: CheckInput) -> Result:
    """A service may demand the EHR's JWT for discovery too: then nothing can be seen from here."""
    if probed.is_absent("cds"):
        return failed("Nothing is published at /cds-services; the EHR cannot find a service")
    probed.require("cds")
    return passed("The services are published")


@check(
    "CDS-002",
    "Each service has its required fields",
    Severity.HIGH,
    _DISCOVERY,
    rows=("CDH-02",),
    needs="cds",
    at="cds#/services",
    level="SHALL",
)
def fields(probed: CheckInput) -> Result:
    """hook, id and description SHALL be there; one id may stand for several hooks."""
    document = probed.document("cds")
    if not isinstance(document.get("services"), list):
        return failed("services is no list")
    services = objects_of(document, "services")
    if not services:
        return warned("The list of services is empty")
    for position, service in enumerate(services):
        missing = [name for name in ("hook", "id", "description") if not isinstance(service.get(name), str)]
        if missing:
            return failed(
                f"Service {position + 1} lacks {words.listed(missing)}", probed.at("cds", f"/services/{position}")
            )
    hooks = quoted_list(dict.fromkeys(service["hook"] for service in services))
    return passed(f"{words.count(len(services), 'service')} for {hooks}")


@check(
    "CDS-003",
    "The CDS service uses https",
    Severity.CRITICAL,
    cite("CDSH", "security-and-safety"),
    rows=("TLS-06",),
    rests_on=("cds",),
    at="cds",
    level="SHALL",
)
def https(probed: CheckInput) -> Result:
    """The EHR sends patient data with every call."""
    exchange = probed.exchanges.get("cds")
    if exchange is None:
        raise NeedError(not_applicable("no CDS service of the product was named"))
    address = origin(exchange.asked)
    if address is None:
        return not_observed("its address could not be used")
    if address.scheme == "https":
        return passed("The service's address is https")
    return (
        not_applicable("the service runs on this machine")
        if is_loopback_host(address.host)
        else failed("The service's address is plain http")
    )


@check(
    "CDS-004",
    "Nothing in the discovery is empty or null",
    Severity.LOW,
    cite("CDSH", "use-of-json"),
    rows=("CDH-03",),
    needs="cds",
    at="cds",
    level="SHALL",
)
def nothing_empty(probed: CheckInput) -> Result:
    """Optional values are left out, not sent as null or empty."""
    for pointer in _empty(probed.document("cds")):
        if pointer != "/services":
            return failed("A value is null or empty; it is to be left out", probed.at("cds", pointer))
    return passed("Nothing is null or empty")


def _empty(document: Any) -> Iterator[str]:
    """Pointers of empty values, breadth first, within a bound."""
    queue: list[tuple[str, Any]] = [("", document)]
    for pointer, value in queue:
        if value is None or value in ("", [], {}):
            yield pointer
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        if len(queue) < _MAX_VISITED:
            queue += [(f"{pointer}/{_escaped(key)}", child) for key, child in children]


def _escaped(key: object) -> str:
    return str(key)[:200].replace("~", "~0").replace("/", "~1")
