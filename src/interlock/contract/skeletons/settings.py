"""``settings/ORG.yaml``: the settings of each organisation, and ``settings.schema.json``, which they have to fit.

Every string is in double quotes, so that a reader of YAML 1.1 and one of 1.2 read the same: ``NO``, ``22:30:00``,
``0123``, ``1e3`` and ``~`` are text to both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from interlock.contract.skeletons.base import of_contract
from interlock.documents.visible import to_json, visible_in_quotes, visible_line
from interlock.model.contract import SettingType
from interlock.model.resolved import ResolvedContract, ResolvedOrganization

_PLAIN_KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: Words that YAML 1.1 reads as a boolean or null (YAML 1.1, type library).
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

_TYPES: dict[SettingType, dict[str, Any]] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "string": {"type": "string", "minLength": 1},
    "list": {"type": "array", "items": {"type": "string"}},
    "url": {"type": "string", "format": "uri"},
}


def settings(resolved: ResolvedContract) -> Mapping[str, str]:
    """A file for each organisation, and the schema of all."""
    files = {f"settings/{org.id}.yaml": _file(resolved, org) for org in resolved.organizations}
    return files | {"settings.schema.json": to_json(_schema(resolved))}


def _file(resolved: ResolvedContract, org: ResolvedOrganization) -> str:
    lines = [
        f"Settings of {visible_line(org.name)}, from contract.yaml version {visible_line(resolved.contract.version)}.",
        f"Known: what orgs/{org.id}.yaml says. Assumed: the contract's defaults, marked so. Open: null.",
        "Secrets stay in the environment: the variables' names stand here.",
        *(f"Not taken: {visible_line(name)}, which no setting of the contract is called." for name in org.stray),
    ]
    header = "".join(f"# {line}\n" for line in lines)
    record = {
        "organization": org.id,
        "name": org.name,
        "vendor": org.vendor,
        "environment": org.environment,
        "fhir_base_url": org.fhir_base_url,
        "issuer_allow_list": [org.fhir_base_url] if org.fhir_base_url else [],
        "credentials_from_environment": org.variables(),
        "settings": {setting.name: setting.value for setting in org.settings},
    }
    notes = {
        setting.name: setting.note or ("the contract's default" if setting.origin == "default" else "")
        for setting in org.settings
    }
    return header + visible_in_quotes("".join(_lines(record, notes)))


def _lines(record: Mapping[str, Any], notes: Mapping[str, str], depth: int = 0) -> Iterator[str]:
    """A mapping in block style; what stands in ``notes`` is said beside the value of that name below the top."""
    for key, value in record.items():
        start = "  " * depth + (key if _PLAIN_KEY.fullmatch(key) and key not in _WORDS else _scalar(key)) + ":"
        note = f"  # {visible_line(notes[key])}" if depth and notes.get(key) else ""
        if isinstance(value, Mapping) and value:
            yield f"{start}\n"
            yield from _lines(value, notes, depth + 1)
        elif isinstance(value, list) and value:
            yield f"{start}{note}\n"
            yield from ("  " * (depth + 1) + f"- {_scalar(entry)}\n" for entry in value)
        else:
            yield f"{start} {_scalar(value)}{note}\n"


def _scalar(value: object) -> str:
    """A value as JSON, which YAML reads too; 1.1 takes no exponent without a point and a sign."""
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "e" in text and "." not in text:
        return text.replace("e", ".0e")
    return text


def _schema(resolved: ResolvedContract) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a settings file: every setting that an organisation has to say is required."""
    surface = resolved.contract.organization_surface
    described = {
        setting.name: _TYPES[setting.type] | ({"description": setting.description} if setting.description else {})
        for setting in surface
    }
    text = {"type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Settings of an organisation: {resolved.contract.title}",
        "description": f"Known: {of_contract(resolved)}. Open: nothing but what a file leaves null.",
        "type": "object",
        "properties": {
            "organization": text,
            "name": text,
            "vendor": text,
            "environment": {"enum": ["sandbox", "non-production", "production"]},
            "fhir_base_url": {"type": ["string", "null"], "format": "uri"},
            "issuer_allow_list": {"type": "array", "items": {"type": "string", "format": "uri"}},
            "credentials_from_environment": {"type": "object", "additionalProperties": text},
            "settings": {
                "type": "object",
                "properties": described,
                "required": list(described),
                "additionalProperties": False,
            },
        },
        "required": ["organization", "fhir_base_url", "issuer_allow_list", "settings"],
        "additionalProperties": False,
    }
