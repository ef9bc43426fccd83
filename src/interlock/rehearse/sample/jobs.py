"""What the sample application does without a user: it counts a hospital's records, with a token of its own."""

from __future__ import annotations

import time
from typing import Any

from starlette.responses import Response

from interlock.rehearse.sample.parts import Backend, Hospital, TroubleError, page
from interlock.rehearse.sample.signing_in import SigningIn

_SCOPES = {"Patient": "system/Patient.rs", "Observation": "system/Observation.rs"}


class Jobs(SigningIn):
    """Work for a hospital as a whole, one piece after the other."""

    async def count(self, hospital: Hospital) -> Response:
        """How many patients and observations there are; what could not be counted is named."""
        counted, missing = [], []
        async with self.backends[hospital.id].lock:
            try:
                patients = await self.found(hospital, "Patient")
                counted.append(f"Patient: {len(patients)}")
                each = [await self.found(hospital, "Observation", f"?patient={one['id']}") for one in patients]
                counted.append(f"Observation: {sum(map(len, each))}")
            except TroubleError as trouble:
                missing.append(f"The rest was not counted. {trouble}")
        title = "This report is incomplete" if missing else "All records"
        return page(title, "".join(f"<p>{line}</p>" for line in (*missing, *counted)), 502 if missing else 200)

    async def found(self, hospital: Hospital, kind: str, query: str = "") -> list[dict[str, Any]]:
        """What a search finds; a token that was refused is replaced once."""
        for _ in range(2):
            backend = await self.backend(hospital)
            if _SCOPES[kind] not in backend.scope.split():
                raise TroubleError("The EHR does not permit it.")
            try:
                bundle = await self.document(f"{hospital.iss}/{kind}{query}", backend.token)
                return [entry["resource"] for entry in bundle.get("entry") or []]
            except PermissionError:
                backend.ends = 0
        raise TroubleError("The EHR does not take the token that it gave.")

    async def backend(self, hospital: Hospital) -> Backend:
        """A token of the hospital for its whole life, and no other's (SMART App Launch 2.2, backend services)."""
        backend = self.backends[hospital.id]
        if backend.ends <= time.time():
            address = str((await self.discover(hospital))["token_endpoint"])
            form = {"grant_type": "client_credentials", "scope": " ".join(_SCOPES.values())}
            try:
                answer = await self.token_request(hospital.alone, address, form)
            except TroubleError:
                self.log.say("no token for the job", hospital.id, security=True)
                raise
            lives = answer.get("expires_in")
            backend.ends = time.time() + (lives if isinstance(lives, int | float) and lives > 0 else 300)
            backend.token, backend.scope = answer["access_token"], str(answer.get("scope", form["scope"]))
        return backend
