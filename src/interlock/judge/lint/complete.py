"""A workflow contract in which everything is decided, for proofs that must not stumble over an undecided contract."""

from __future__ import annotations

from interlock.model.contract import Failures, WorkflowContract
from interlock.model.contract_parts import Safeguards

_DECIDED = "decided"

#: Every field filled in, every launch mode in use, and only resources written that servers accept.
COMPLETE_CONTRACT = WorkflowContract.model_validate(
    {
        "schema": 2,
        "version": "1",
        "title": "Complete",
        "fhir_release": "R4",
        "clinical_event": {
            "trigger": _DECIDED,
            "actor": _DECIDED,
            "setting": _DECIDED,
            "states": [_DECIDED],
            "action": _DECIDED,
        },
        "launch": {
            "modes": ["ehr", "standalone", "backend"],
            "context": ["patient", "encounter", "user"],
            "client": "confidential-asymmetric",
            "browser": True,
        },
        "inputs": [
            {
                "resource": resource,
                "purpose": _DECIDED,
                "profile": f"http://hl7.org/fhir/StructureDefinition/{resource}",
                "interactions": ["read", "search"],
                "search_parameters": ["patient"] if resource != "Patient" else ["_id"],
                "required_fields": ["status" if resource != "Patient" else "birthDate"],
                "terminology": ["http://loinc.org"],
                "surface": surface,
                "when_missing": _DECIDED,
            }
            for resource, surface in (
                ("Patient", "universal"),
                ("Encounter", "per_organization"),
                ("Observation", "universal"),
            )
        ],
        "outputs": [
            {
                "resource": resource,
                "purpose": _DECIDED,
                "profile": f"http://hl7.org/fhir/StructureDefinition/{resource}",
                "interactions": ["create", "update"],
                "required_fields": ["status"],
                "terminology": ["http://loinc.org"],
                "when_missing": _DECIDED,
                "status_flow": [{"state": _DECIDED, "moved_by": _DECIDED, "to": [_DECIDED]}],
                "writing": {"if_none_exist": "identifier=1", "if_match": True, "provenance": True},
            }
            for resource in ("Observation", "DocumentReference")
        ],
        "output_is_wrong": dict.fromkeys(("detect", "correct", "withdraw", "notify", "audit"), _DECIDED),
        "failures": dict.fromkeys(Failures.model_fields, _DECIDED),
        "review": {
            "required": True,
            "role": _DECIDED,
            "timeout": _DECIDED,
            "on_refusal": _DECIDED,
            "states": [{"state": _DECIDED, "within": _DECIDED, "then": _DECIDED}],
        },
        "channels": [
            {"kind": "poll", "resource": "Observation", "delivery": "at-least-once", "latency_seconds": 60.0},
        ],
        "clients": [
            {
                "name": mode,
                "mode": mode,
                "environment": "production",
                "launch_url": "https://app.example.org/launch",
                "redirect_uris": ["https://app.example.org/callback"],
                "jwks_url": "https://app.example.org/jwks.json",
                "contacts": [_DECIDED],
            }
            for mode in ("ehr", "standalone", "backend")
        ],
        "session": {"length": _DECIDED, "refresh": "offline"},
        "safeguards": dict.fromkeys(Safeguards.model_fields, _DECIDED),
        "organization_surface": [
            {"name": name, "surface": surface, "type": "list", "default": [_DECIDED], "description": _DECIDED}
            for name, surface in (
                ("look_back", "universal"),
                ("models_enabled", "per_organization"),
                ("workflow_steps", "per_organization"),
            )
        ],
        "endpoints": [{"path": "/app", "audience": _DECIDED, "carries_phi": True, "authentication": _DECIDED}],
        "test_path": [
            {"behaviour": f"behaviour {where}", "where": where, "why": _DECIDED, "runs_per_week": 1.0}
            for where in ("simulate", "simulate", "simulate", "sandbox", "live")
        ],
    }
)
#: ``settings`` of an organisation that says what it has to.
COMPLETE_SETTINGS = {
    "missing": [],
    "defaulted": [],
    "mistyped": [],
    "unknown": [],
    "universal": [],
    "needed": 1,
    "own": 1,
}
