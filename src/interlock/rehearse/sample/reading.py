"""What the sample application reads of a patient, and how it shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from interlock.rehearse.sample.asking import Asking
from interlock.rehearse.sample.parts import MAX_PAGES, Session, TroubleError

#: How old a value may be.
OLDEST = timedelta(hours=4)
#: What has to be recorded of a patient, and how it is called.
OF_PATIENTS = {"identifier": "An identifier", "birthDate": "The birth date", "gender": "The sex"}


class Reading(Asking):
    """The patient's records, and the name of whoever reads them."""

    async def user(self, session: Session) -> str:
        """Who is signed in, by the hospital's record of them; empty where it does not say."""
        address = str(session.claims.get("fhirUser", ""))
        known = (session.hospital.id, str(session.claims.get("sub")))
        if known not in self.users and address.startswith(f"{session.hospital.iss}/Practitioner/"):
            try:
                self.users[known] = named(await self.read(session, address.removeprefix(f"{session.hospital.iss}/")))
            except TroubleError:
                return ""
        return self.users.get(known, "")

    async def observations(self, session: Session) -> tuple[list[str], str]:
        """The patient's observations as lines, and what has to be said about them."""
        if not permitted(session.scope, "Observation"):
            return [], "The EHR does not permit it."
        path = f"Observation?patient={session.patient}"
        lines: list[str] = []
        known: set[str] = set()
        for _ in range(MAX_PAGES):
            try:
                bundle = await self.read(session, path)
            except TroubleError as trouble:
                return lines, f"{trouble} This list is incomplete."
            for entry in bundle.get("entry") or []:
                resource = entry.get("resource")
                line = "" if known & names_of(resource) else shown(resource, session.patient)
                known |= names_of(resource)
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


def names_of(resource: Any) -> set[str]:
    """What a record is known by: its id, and the identifiers that it keeps under another one."""
    if not isinstance(resource, dict):
        return set()
    named = resource.get("identifier") or []
    return {f"id {resource.get('id')}", *(f"{one.get('system')}|{one.get('value')}" for one in named)}


def shown(resource: Any, patient: str) -> str:
    """An observation as a line; empty for what is no observation of this patient, or was entered in error."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "Observation":
        return ""
    if resource.get("subject", {}).get("reference") != f"Patient/{patient}":
        return ""
    if resource.get("status") in ("entered-in-error", "cancelled"):
        return ""
    code = resource.get("code") or {}
    mapped = any(coding.get("system") == "http://loinc.org" for coding in code.get("coding") or [])
    why = "" if resource.get("status") else "its status is not recorded"
    why = why or old(resource.get("effectiveDateTime"))
    text = f"not used: {why}" if why else amount(resource)
    return f"{code.get('text', 'no name')}: {text}{'' if mapped else ' (its code is not known here)'}"


def amount(resource: dict[str, Any]) -> str:
    """A value with its comparator and its unit, or why there is none."""
    value = resource.get("valueQuantity") or {}
    if "value" not in value:
        absent = ((resource.get("dataAbsentReason") or {}).get("coding") or [{}])[0].get("code", "none was given")
        return f"no value is recorded, reason: {absent}"
    if not value.get("unit"):
        return "not used: a unit is not recorded"
    return f"{value.get('comparator', '')}{value['value']} {value['unit']}"


def old(time: Any) -> str:
    """Why a value does not count because of its time; empty when it does."""
    if not time:
        return "its time is not recorded"
    try:
        taken = datetime.fromisoformat(str(time))
    except ValueError:
        return "its time cannot be read"
    if taken.tzinfo is None:
        return "its time has no zone"
    return "it is older than four hours" if datetime.now(UTC) - taken > OLDEST else ""


def replaced(patient: dict[str, Any]) -> bool:
    """Whether another record took the place of a patient's (FHIR R4, link type)."""
    return any(link.get("type") == "replaced-by" for link in patient.get("link") or [])


def named(person: dict[str, Any]) -> str:
    """A person's name."""
    name = (person.get("name") or [{}])[0]
    return f"{' '.join(name.get('given') or [])} {name.get('family', '')}".strip() or "no name"
