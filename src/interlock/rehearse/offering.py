"""What every hospital of a rehearsal offers: both launches, all kinds of clients, all reads, and safe writes."""

from __future__ import annotations

from functools import cache
from typing import Any

from interlock.rehearse.records import records
from interlock.sandbox.organizations import SimulatedOrganization, load_organizations

#: Types that products write; every hospital of a rehearsal keeps them, and all others that it has.
_WRITTEN = (
    "Binary", "CarePlan", "ClinicalImpression", "Communication", "Composition", "Condition", "DetectedIssue", "Device",
    "DiagnosticReport", "DocumentReference", "Flag", "List", "Observation", "Provenance", "QuestionnaireResponse",
    "RiskAssessment", "ServiceRequest", "Task",
)  # fmt: skip


def hospital(org: str) -> SimulatedOrganization:
    """A hospital that offers everything: both launches, all kinds of clients, sign-in by OpenID Connect, all reads."""
    base = _documents()
    return base.model_copy(
        update={"id": org, "name": f"Simulated hospital {org}", "resources": records(org), "registered_origins": ()}
    )


@cache
def _documents() -> SimulatedOrganization:
    """The shipped hospital with the widest offer, with the types of the one with most of them."""
    shipped = {organization.id: organization for organization in load_organizations()}
    base, wider = shipped["summerfield"], shipped["riverside"]
    metadata, smart = dict(base.metadata or {}), dict(base.smart or {})
    rest = dict(metadata["rest"][0])
    known = {entry["type"]: entry for entry in [*(wider.metadata or {})["rest"][0]["resource"], *rest["resource"]]}
    entries = [_writable(known.get(name, {"type": name})) for name in dict.fromkeys((*known, *_WRITTEN))]
    metadata["rest"] = [{**rest, "resource": entries}]
    names = [entry["type"] for entry in entries]
    scopes = [f"{level}/{name}.cruds" for level in ("patient", "user", "system") for name in names]
    smart["scopes_supported"] = list(dict.fromkeys([*smart["scopes_supported"], *scopes]))
    return base.model_copy(update={"metadata": metadata, "smart": smart})


def _writable(entry: dict[str, Any]) -> dict[str, Any]:
    """A type's declaration with everything that a product needs to write it safely, and not more than it must use."""
    named = ("create", "read", "update", "search-type", "vread")
    parameters = {parameter["name"]: parameter for parameter in entry.get("searchParam", [])}
    parameters |= {name: {"name": name, "type": "token"} for name in ("_id", "identifier") if name not in parameters}
    return entry | {
        "interaction": [{"code": code} for code in named],
        "versioning": "versioned",
        "conditionalCreate": True,
        "searchParam": list(parameters.values()),
    }
