"""How the sample application registers itself at a hospital that gave it no client id (RFC 7591)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx

from interlock.rehearse.sample.asking import Asking
from interlock.rehearse.sample.parts import SCOPE, Hospital, RefusedError


class Registering(Asking):
    """The registration, made once while the application runs."""

    async def registered(self, hospital: Hospital, discovered: dict[str, Any]) -> Hospital:
        """The hospital as it knows this application."""
        async with self.lock:
            known = self.hospitals[hospital.id]
            if not known.client_id:
                known = self.hospitals[hospital.id] = await self.register(known, discovered)
            return known

    async def register(self, hospital: Hospital, discovered: dict[str, Any]) -> Hospital:
        """Tell the hospital of this application, and take what it gives."""
        address, key = str(discovered.get("registration_endpoint", "")), self.key_of(hospital)
        metadata: dict[str, Any] = {
            "client_name": "Sample application",
            "redirect_uris": [hospital.redirect_uri],
            "token_endpoint_auth_method": hospital.method,
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": f"launch launch/patient {SCOPE}",
        }
        if key is not None:
            metadata["jwks"] = {"keys": [key.as_dict(private=False)]}
        if not address.startswith(f"{hospital.iss}/"):
            raise RefusedError("The EHR takes no registration. Please tell whoever runs this application.", 502)
        try:
            answer = await self.http.post(address, json=metadata)
            given = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise RefusedError("The EHR gave no answer to a registration.", 502) from error
        if answer.status_code != 201 or not isinstance(given, dict) or not isinstance(given.get("client_id"), str):
            raise RefusedError("The EHR refused a registration.", 502)
        return replace(hospital, client_id=given["client_id"], secret=str(given.get("client_secret", "")))
