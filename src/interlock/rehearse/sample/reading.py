"""What the sample application reads of a patient, and how it shows it."""

from __future__ import annotations

from typing import Any

from interlock.rehearse.sample.asking import Asking
from interlock.rehearse.sample.parts import MAX_PAGES, Session, TroubleError


class Reading(Asking):
    """The patient's records."""

    async def observations(self, session: Session) -> tuple[list[str], str]:
        """The patient's observations as lines, and what has to be said about them."""
        if not permitted(session.scope, "Observation"):
            return [], "The EHR does not permit it."
        path = f"Observation?patient={session.patient}"
        lines: list[str] = []
        for _ in range(MAX_PAGES):
            try:
                bundle = await self.read(session, path)
            except TroubleError as trouble:
                return lines, f"{trouble} This list is incomplete."
            for entry in bundle.get("entry") or []:
                line = shown(entry.get("resource"), session.patient)
                lines += [line] if line else []
            following = next(
                (link.get("url", "") for link in bundle.get("link") or [] if link.get("relation") == "next"), ""
            )
            if not following:
                return lines, ""
            if not following.startswith(f"{session.hospital.iss}/"):
                return lines, "More was offered at another address, which was not asked. This list is incomplete."
            path = following.removeprefix(f"{session.hospital.iss}/")
        return lines, "There is more. This list is incomplete."


def permitted(scope: str, kind: str) -> bool:
    """Whether the granted scopes let this type be read."""
    return any(
        text.startswith((f"patient/{kind}.", "patient/*.", f"user/{kind}.", "user/*.")) for text in scope.split()
    )


def shown(resource: Any, patient: str) -> str:
    """An observation as a line; empty for what is no observation of this patient, or was entered in error."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "Observation":
        return ""
    if resource.get("subject", {}).get("reference") != f"Patient/{patient}":
        return ""
    if resource.get("status") in ("entered-in-error", "cancelled"):
        return ""
    value = resource.get("valueQuantity") or {}
    return (
        f"{resource.get('code', {}).get('text', 'no name')}: {value.get('value', 'no value')} {value.get('unit', '')}"
    )


def named(patient: dict[str, Any]) -> str:
    """A patient's name."""
    name = (patient.get("name") or [{}])[0]
    return f"{' '.join(name.get('given') or [])} {name.get('family', '')}".strip() or "no name"
