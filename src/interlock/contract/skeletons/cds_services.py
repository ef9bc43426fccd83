"""``cds-services.json``: the services that the contract's CDS Hooks channels need, as discovery gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock.contract.skeletons.base import of_contract
from interlock.documents.visible import to_json
from interlock.model.resolved import ResolvedContract
from interlock.model.text import slug


def cds_services(resolved: ResolvedContract) -> Mapping[str, str]:
    """The answer of ``GET /cds-services`` (CDS Hooks 2.0, discovery); no file without such a channel."""
    services: list[dict[str, Any]] = []
    contract = resolved.contract
    for channel in contract.channels:
        if channel.kind != "cds-hooks" or channel.hook is None:
            continue
        name = slug(f"{resolved.product} {channel.hook}")
        while any(service["id"] == name for service in services):
            name += "-2"
        about = f" about {channel.resource}" if channel.resource else ""
        late = f" Answers within {channel.latency_seconds:g} s." if channel.latency_seconds else " How soon: open."
        service: dict[str, Any] = {
            "hook": channel.hook,
            "id": name,
            "title": contract.title,
            "description": f"{resolved.product}{about}.{late} Known: {of_contract(resolved)}.",
        }
        prefetch = dict(query.partition("=")[::2] for query in channel.prefetch)
        if prefetch:
            service["prefetch"] = prefetch
        services.append(service)
    return {"cds-services.json": to_json({"services": services})} if services else {}
