"""The way in that documents show for each launch mode: possible, not offered, or nobody can tell, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interlock.fhir import smart as smart_facts
from interlock.fhir.auth_path import auth_paths
from interlock.model.auth_path import AuthPath, Mode
from interlock.model.facts import SmartFacts

pytestmark = pytest.mark.fast

FULL: dict[str, object] = {
    "authorization_endpoint": "https://auth.example.org/authorize",
    "token_endpoint": "https://auth.example.org/token",
    "grant_types_supported": ["authorization_code", "client_credentials"],
    "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
    "token_endpoint_auth_signing_alg_values_supported": ["RS384"],
    "code_challenge_methods_supported": ["S256"],
    "capabilities": [
        "launch-ehr",
        "launch-standalone",
        "client-public",
        "client-confidential-asymmetric",
        "context-ehr-patient",
        "context-ehr-encounter",
        "permission-v2",
    ],
    "scopes_supported": ["launch", "openid", "patient/Patient.rs", "system/*.rs"],
}


def path(mode: Mode, **changes: object) -> AuthPath:
    document = {name: value for name, value in (FULL | changes).items() if value is not None}
    paths = auth_paths(smart_facts.parse(document, "https://ehr.example.org/fhir"))
    return next(one for one in paths if one.mode == mode)


def test_everything_said() -> None:
    ehr = path("ehr")
    assert ehr.state == "possible"
    assert ehr.summary() == (
        "EHR launch: declared, scopes v2, PKCE S256, public, private_key_jwt, client_secret_basic, "
        "context patient and encounter"
    )
    assert ehr.algorithms == ("RS384",) and ehr.open_questions == ()
    assert path("standalone").context == ()
    assert path("backend").summary() == "Backend service: declared, scopes v2, private_key_jwt"
    assert path("backend").pkce is None


def capabilities(*dropped: str) -> list[str]:
    listed = FULL["capabilities"]
    assert isinstance(listed, list)
    return [name for name in listed if name not in dropped]


@pytest.mark.parametrize(
    ("mode", "changes", "state", "word"),
    [
        ("ehr", {"capabilities": capabilities("launch-ehr")}, "not_offered", "launch-ehr is not among"),
        ("ehr", {"capabilities": None}, "cannot_tell", "capabilities are not listed"),
        ("ehr", {"authorization_endpoint": None}, "cannot_tell", "without authorization_endpoint"),
        ("standalone", {"token_endpoint": None}, "cannot_tell", "without token_endpoint"),
        ("ehr", {"grant_types_supported": ["client_credentials"]}, "cannot_tell", "authorization_code"),
        ("ehr", {"grant_types_supported": None}, "possible", ""),
        ("backend", {"grant_types_supported": None}, "cannot_tell", "grant types are not listed"),
        ("backend", {"grant_types_supported": ["authorization_code"]}, "not_offered", "client_credentials"),
        ("backend", {"token_endpoint": None}, "cannot_tell", "token_endpoint"),
        (
            "backend",
            {
                "capabilities": capabilities("client-confidential-asymmetric"),
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            },
            "not_offered",
            "signs with a key",
        ),
        (
            "backend",
            {
                "capabilities": capabilities("client-confidential-asymmetric"),
                "token_endpoint_auth_methods_supported": None,
            },
            "cannot_tell",
            "signs with a key",
        ),
        ("backend", {"token_endpoint_auth_methods_supported": None}, "possible", ""),
    ],
)
def test_states(mode: Mode, changes: dict[str, object], state: str, word: str) -> None:
    found = path(mode, **changes)
    assert found.state == state
    assert word in found.summary()


@pytest.mark.parametrize(
    ("methods", "pkce"),
    [(None, "undeclared"), (["S256", "plain"], "S256 beside plain"), (["plain"], "without S256"), ([], "without S256")],
)
def test_pkce(methods: list[str] | None, pkce: str) -> None:
    found = path("ehr", code_challenge_methods_supported=methods)
    assert found.pkce == pkce
    assert any("PKCE" in question for question in found.open_questions) == (methods is None)


def test_what_is_left_open_is_asked() -> None:
    asked = path("ehr", scopes_supported=["patient/*.read"]).open_questions
    assert asked == ("which scope syntax works: permission-v2 is claimed, v1 scopes are listed",)
    assert path("ehr", scopes_supported=None).scopes == ()
    backend = path("backend", scopes_supported=["patient/*.rs"], token_endpoint_auth_signing_alg_values_supported=None)
    assert backend.open_questions == ("which system/ scopes are granted: none are listed",)
    none = path("ehr", scopes_supported=["openid", "launch"])
    assert none.open_questions == ("which scope syntax works: permission-v2 is claimed, no resource scope is listed",)
    assert "no resource scope listed" in none.summary()


def test_not_seen_is_not_absent() -> None:
    unseen = auth_paths(None, why="the connection was refused")
    absent = auth_paths(None, absent=True)
    fallback = auth_paths(SmartFacts(source="oauth-uris", token_endpoint="https://a.example/token"))
    for paths in (unseen, absent, fallback):
        assert [one.mode for one in paths] == ["ehr", "standalone", "backend"]
        assert {one.state for one in paths} == {"cannot_tell"}
    assert "refused" in unseen[0].reason and "publishes no" in absent[0].reason and "oauth-uris" in fallback[0].reason


@pytest.mark.parametrize(
    ("server", "states"),
    [
        ("epic-r4", ["possible", "possible", "possible"]),
        ("tsys-sandbox", ["possible", "not_offered", "cannot_tell"]),
        ("meditech-r4", ["possible", "possible", "possible"]),
    ],
)
def test_recorded_servers(servers: Path, server: str, states: list[str]) -> None:
    document = json.loads((servers / server / "smart-configuration.json").read_bytes())
    paths = auth_paths(smart_facts.parse(document, "https://ehr.example/fhir"))
    assert [one.state for one in paths] == states, [one.summary() for one in paths]


def test_a_backend_service_without_a_system_scope_is_unclear_and_no_more() -> None:
    assert path("backend").brief() == "Backend service: declared"
    without = path("backend", scopes_supported=["launch", "patient/Patient.rs"])
    assert without.state == "possible", "a list of scopes need not be complete"
    assert without.brief() == "Backend service: unclear (no system/ scope is listed)"
    assert path("ehr", scopes_supported=["launch"]).brief() == "EHR launch: declared"
