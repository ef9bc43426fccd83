"""What the workflow contract says against the kind of product that the settings name."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.model.base import ProductKind
from interlock.model.contract import WorkflowContract

#: How sessions never start with a product of this kind.
_NEVER_STARTED: dict[ProductKind, dict[str, str]] = {
    ProductKind.BACKEND_SERVICE: {"ehr": "a launch from the chart", "standalone": "a launch from outside"},
    ProductKind.STAFF_APP: {"ehr": "a launch from the chart"},
}


def denied_by(contract: WorkflowContract, kind: ProductKind) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What the contract says that the product does, and no product of this kind does: where it stands, and what."""
    for number, mode in enumerate(contract.launch.modes):
        if mode in _NEVER_STARTED.get(kind, {}):
            yield ("launch", "modes", number), _NEVER_STARTED[kind][mode]
    if contract.launch.browser and kind is ProductKind.BACKEND_SERVICE:
        yield ("launch", "browser"), "a browser that calls the FHIR server"
