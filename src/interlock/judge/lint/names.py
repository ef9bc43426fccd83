"""Whether a dotted name that a condition or a message reads can ever be there."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from interlock.documents.names import did_you_mean
from interlock.model.base import Scope
from interlock.model.contract import WorkflowContract
from interlock.model.observation import Facts
from interlock.model.pattern import Site

_EVERYWHERE = frozenset({"responses", "value", "contract", "fleet"})
#: The top-level names of each scope.
IN_SCOPE: Mapping[str, frozenset[str]] = {
    Scope.PRODUCT: _EVERYWHERE,
    "fleet": _EVERYWHERE | {"anywhere", "everywhere"},
    Scope.VENDOR: _EVERYWHERE | {"vendor", "organizations"},
    Scope.ORG: _EVERYWHERE | {"probe", "checks", "fit", "compared", "contradictions", "org", "site"},
}
FIT = {
    "missing": list,
    "undeclared": list,
    "missing_optional": list,
    "launch_missing": list,
    "scopes_missing": list,
    "not_observed": int,
    "supported": int,
    "release_matches": bool,
}
ORG = {"id": str, "name": str, "vendor": str, "environment": str, "has_url": bool}
FLEET = {"organizations": int, "observed": int, "releases": list, "vendors": list, "shared_base_urls": bool}
_FLAT: dict[str, dict[str, type]] = {"fit": FIT, "org": ORG, "fleet": FLEET}
_MODELS: dict[str, type[BaseModel]] = {"contract": WorkflowContract, "probe": Facts, "site": Site}
#: Names that are known of every organisation, and of all of them, whatever was answered or observed.
ALWAYS_KNOWN = frozenset(
    {
        *("org", "fleet", "vendor", "organizations", "anywhere", "everywhere"),
        *("site.observed", "site.overrides", "site.same", "site.across", "site.vendor_group"),
    }
)
_LEFT_OUT = "probe.capability.resources"


def unknown_field(name: str) -> str | None:
    """Why a name can never be there, or none. Answers and checks are not this module's business."""
    root, *path = name.split(".")
    if not path:
        return None
    if root in _FLAT:
        return _in_fields(root, path, list(_FLAT[root]))
    if root in {"vendor", "organizations", "compared", "contradictions"}:
        return f"{root} has no fields"
    if root not in _MODELS:
        return None
    if name == _LEFT_OUT or name.startswith(_LEFT_OUT + "."):
        return f"{_LEFT_OUT} is not handed to conditions; read fit.missing"
    return _in_model(root, path, _MODELS[root])


def _in_fields(root: str, path: list[str], fields: list[str]) -> str | None:
    if path[0] not in fields:
        return f"{root} has no {path[0]!r}{_close(path[0], fields)}"
    return f"{root}.{path[0]} has no fields" if len(path) > 1 else None


def _in_model(at: str, path: list[str], model: type[BaseModel]) -> str | None:
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    head, *rest = path
    if head not in fields:
        return f"{at} has no {head!r}{_close(head, list(fields))}"
    here = f"{at}.{head}"
    if not rest:
        return None
    inner = _without_none(fields[head])
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return _in_model(here, rest, inner)
    return None if typing.get_origin(inner) is dict else f"{here} has no fields"


def _without_none(annotation: Any) -> Any:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        parts = [part for part in typing.get_args(annotation) if part is not type(None)]
        return parts[0] if len(parts) == 1 else annotation
    return annotation


def _close(name: str, known: list[str]) -> str:
    return did_you_mean(name, known) or f"; it has {', '.join(sorted(known))}"
