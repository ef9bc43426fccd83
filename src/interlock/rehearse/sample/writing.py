"""What the sample application writes: a note, as a draft that somebody signs in the EHR, and its withdrawal."""

from __future__ import annotations

import base64
import html
import json
import secrets
import time
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.responses import Response

from interlock.rehearse.sample.asking import Asking
from interlock.rehearse.sample.parts import RefusedError, Session, TroubleError, page

_NOTES = "https://sample.example/notes"
_SOFTWARE = {"name": "Sample application", "type": "manufacturer-name"}
_MOST_LETTERS = 5_000


class Writing(Asking):
    """Notes."""

    async def save(self, session: Session, told: dict[str, str]) -> Response:
        """Save a note in the chart that the form was made for; what was not saved stays as a draft."""
        if told.get("chart") != session.chart:
            raise RefusedError("Another patient was opened since. Nothing was saved.", 409)
        if "patient/DocumentReference.cru" not in session.scope.split():
            raise RefusedError("The EHR does not permit notes. Nothing was saved.", 403, security=False)
        if not session.encounter:
            raise RefusedError("The EHR did not say which visit this is about. Nothing was saved.", 409, security=False)
        session.draft = told.get("text", "")[:_MOST_LETTERS]
        session.draft_id = session.draft_id or secrets.token_hex(16)
        condition = {"If-None-Exist": f"identifier={_NOTES}|{session.draft_id}"}
        try:
            kept = await self.send(session, "POST", "DocumentReference", draft(session), condition)
        except TroubleError as trouble:
            words = f"{html.escape(str(trouble))} Nothing is known to be saved. Your text is kept:"
            return page("Not saved", f"<p>{words}</p>{form(session)}", 502)
        session.note, session.draft, session.draft_id = f"DocumentReference/{kept['id']}", "", ""
        body = f"<p>Somebody has to sign it in the EHR.</p>{button(session, 'withdraw', 'Withdraw it')}"
        return page("Saved as a draft", body)

    async def withdraw(self, session: Session, told: dict[str, str]) -> Response:
        """Mark the note that was saved last as entered in error, as it is in the EHR by now."""
        if told.get("chart") != session.chart or not session.note:
            raise RefusedError("There is no note to withdraw.", 409)
        try:
            current = await self.read(session, session.note)
            condition = {"If-Match": f'W/"{current.get("meta", {}).get("versionId")}"'}
            await self.send(session, "PUT", session.note, current | {"status": "entered-in-error"}, condition)
        except TroubleError as trouble:
            return page("Not withdrawn", f"<p>{html.escape(str(trouble))} The note is still there.</p>", 502)
        session.note = ""
        return page("Withdrawn", "<p>The note is marked as entered in error.</p>")

    async def send(
        self, session: Session, method: str, path: str, resource: dict[str, Any], condition: dict[str, str]
    ) -> dict[str, Any]:
        """Write a resource under a condition, and what the hospital has then.

        An answer that was lost is asked for once more: under the condition nothing happens twice.
        """
        if session.expires <= time.time():
            await self.renew(session, session.token)
        headers = {
            "Authorization": f"Bearer {session.token}",
            "Content-Type": "application/fhir+json",
            "Prefer": "return=representation",
            "X-Request-Id": secrets.token_hex(8),
        }
        address, body = f"{session.hospital.iss}/{path}", json.dumps(resource)
        for last in (False, True):
            try:
                answer = await self.http.request(method, address, content=body, headers=headers | condition)
                break
            except httpx.HTTPError as error:
                if last:
                    raise TroubleError("The EHR gave no answer.") from error
        self.note(address, answer)
        if answer.status_code in (409, 412):
            raise TroubleError("Somebody has changed it in the EHR since. Please look at it there.")
        if answer.status_code not in (200, 201):
            raise TroubleError(f"The EHR did not take it ({answer.status_code}).")
        try:
            kept = answer.json()
        except ValueError as error:
            raise TroubleError("The EHR gave no answer that can be read.") from error
        if not isinstance(kept, dict) or not kept.get("id"):
            raise TroubleError("The EHR did not say what it has kept.")
        return kept


def draft(session: Session) -> dict[str, Any]:
    """A note that nobody has signed, made by software."""
    encounter = {"encounter": [{"reference": f"Encounter/{session.encounter}"}]}
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "AIAST"}
    device = {"resourceType": "Device", "id": "software", "deviceName": [_SOFTWARE], "version": [{"value": "1"}]}
    text = base64.b64encode(session.draft.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "meta": {"security": [label]},
        "contained": [device],
        "identifier": [{"system": _NOTES, "value": session.draft_id}],
        "status": "current",
        "docStatus": "preliminary",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}], "text": "Progress note"},
        "subject": {"reference": f"Patient/{session.patient}"},
        "author": [{"reference": "#software"}],
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "content": [{"attachment": {"contentType": "text/plain", "data": text, "title": "Note"}}],
        **({"context": encounter} if session.encounter else {}),
    }


def form(session: Session) -> str:
    """The form for a note of this patient, with what was not saved yet."""
    text = f'<textarea name="text">{html.escape(session.draft)}</textarea>'
    return button(session, "notes", "Save", text)


def button(session: Session, what: str, words: str, fields: str = "") -> str:
    """A form that says of which chart it is."""
    address, chart = f"/{session.hospital.id}/{what}", f'<input type="hidden" name="chart" value="{session.chart}">'
    return f'<form method="post" action="{address}">{chart}{fields}<button>{words}</button></form>'
