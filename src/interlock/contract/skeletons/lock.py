"""``contract.lock.json``: the resolved contract itself, which programs read in the place of ``contract.yaml``."""

from __future__ import annotations

from collections.abc import Mapping

from interlock.documents.visible import to_json
from interlock.model.resolved import ResolvedContract

LOCK = "contract.lock.json"


def lock(resolved: ResolvedContract) -> Mapping[str, str]:
    """Canonical JSON: keys in order, what nothing is said of left out."""
    return {LOCK: to_json(resolved.model_dump(mode="json", exclude_none=True), sort_keys=True)}
