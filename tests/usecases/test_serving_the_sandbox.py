"""Serving the simulated organisations for an application that is developed against them."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from interlock.model.errors import InterlockError
from interlock.usecases.sandbox import Application, serve

pytestmark = pytest.mark.fast

CALLBACK = "http://127.0.0.1:9/callback"


def test_an_application_signs_in_where_it_is_served_and_the_narration_says_so() -> None:
    told: list[str] = []
    locations: list[str] = []

    def ready(urls: Mapping[str, str]) -> None:
        query = {
            "response_type": "code",
            "client_id": "my-app",
            "redirect_uri": CALLBACK,
            "scope": "launch/patient patient/Patient.rs",
            "state": "s",
            "aud": urls["riverside"],
            "code_challenge": "c" * 43,
            "code_challenge_method": "S256",
        }
        with httpx.Client(trust_env=False) as http:
            answer = http.get(f"{urls['riverside']}/oauth2/authorize", params=query)
            locations.append(answer.headers["location"])

    application = Application("my-app", (CALLBACK,), "http://127.0.0.1:9/launch")
    serve(["riverside", "lakeshore"], 0, ready, 0, told.append, application)
    assert locations[0].startswith(f"{CALLBACK}?code=")
    assert told[-1].startswith("Open it from a chart: http://127.0.0.1:")
    assert told[-1].endswith("/riverside/fhir/ehr/launch?client=my-app"), "Lakeshore has no EHR launch"
    assert any(line.startswith("riverside: my-app was given a code: clinician signed in") for line in told)


@pytest.mark.parametrize(
    ("redirect", "launch", "problem"),
    [
        ("javascript:alert(1)", None, "must be https, or http on loopback"),
        ("http://app.example/callback", None, "must be https, or http on loopback"),
        (CALLBACK, "ftp://app.example", "must be an http or https address"),
        (CALLBACK, "http://[::1", "is no address"),
    ],
)
def test_an_address_that_cannot_be_registered_is_said(redirect: str, launch: str | None, problem: str) -> None:
    with pytest.raises(InterlockError, match=problem):
        serve(None, 0, lambda _: None, 0, application=Application("my-app", (redirect,), launch))
