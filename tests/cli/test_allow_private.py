"""What may be in a private network: an address that is typed, and what ``--allow-private`` names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interlock.model.errors import InterlockError
from interlock.model.observation import Target
from interlock.usecases.probe import named_origins
from probe.probe_documents import smart, statement
from probe.probe_loopback import Loopback, as_json, redirect


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A FHIR server on this machine whose keys lie on another port of it."""
    ours, keys = Loopback(), Loopback()
    keys.routes["/keys"] = as_json({"keys": []})
    ours.keys = keys  # type: ignore[attr-defined]
    ours.serve(as_json(statement()), as_json(smart(jwks_uri=f"{keys.origin}/keys")))
    yield ours
    ours.close()
    keys.close()


def keys_of(server: Loopback) -> Loopback:
    keys: Loopback = server.keys  # type: ignore[attr-defined]
    return keys


def test_what_is_typed_is_asked_and_not_where_it_leads(command: Any, server: Loopback) -> None:
    result = command("probe", server.base, "-f", "json", "--quick")
    assert result.code == 0 and result.json()["outcome"] == "observed"
    assert keys_of(server).requests == []
    refused = next(request for request in result.json()["requests"] if request["purpose"] == "jwks")
    assert refused["failure"] == "refused"


@pytest.mark.parametrize("form", ["{host}:{port}", "{host}"])
def test_a_neighbour_is_allowed_by_name(command: Any, server: Loopback, form: str) -> None:
    keys = keys_of(server)
    name = form.format(host="127.0.0.1", port=keys.port)
    command("probe", server.base, "-f", "json", "--quick", "--allow-private", "10.9.9.9", "--allow-private", name)
    # A host without its port stands for the usual ports and for those of what is probed, so not for this one.
    assert len(keys.requests) == (1 if ":" in name else 0)


def test_a_redirect_to_a_neighbour(command: Any, server: Loopback) -> None:
    keys = keys_of(server)
    keys.routes["/metadata"] = as_json(statement())
    server.routes["/fhir/metadata"] = redirect(f"{keys.origin}/metadata")
    command("probe", server.base, "-f", "json", "--quick")
    assert keys.requests == []
    result = command("probe", server.base, "-f", "json", "--quick", "--allow-private", f"127.0.0.1:{keys.port}").json()
    assert keys.asked("/metadata") and result["outcome"] == "observed"


def test_the_products_own_service_is_typed_too(command: Any, server: Loopback) -> None:
    """``--cds-services`` names an address as much as a base URL does."""
    keys = keys_of(server)
    keys.routes["/cds-services"] = as_json({"services": []})
    command("probe", server.base, "--cds-services", keys.origin, "--quick")
    assert keys.asked("/cds-services")


def test_an_organisation_that_was_added_is_probed(command: Any, server: Loopback, tmp_path: Path) -> None:
    command("init", tmp_path / "w")
    assert command("org", "add", "here", "--url", server.base, "-w", tmp_path / "w").code == 0
    result = command("probe", "--org", "here", "-w", tmp_path / "w", "-f", "json", "--quick")
    assert result.code == 0 and result.json()["outcome"] == "observed"


@pytest.mark.parametrize(
    ("arguments", "observed"),
    [
        ([], False),
        (["10.0.0.0/8"], False),
        (["127.0.0.1:1"], False),
        (["localhost"], False),
        (["127.0.0.1"], True),
        (["10.0.0.0/8", "127.0.0.0/8"], True),
        (["127.0.0.1/32"], True),
    ],
)
def test_what_a_file_names(
    command: Any, server: Loopback, tmp_path: Path, arguments: list[str], observed: bool
) -> None:
    (tmp_path / "list.txt").write_text(f"{server.base}\n")
    allowed = [text for name in arguments for text in ("--allow-private", name)]
    done = command("fleet", tmp_path / "list.txt", *allowed)
    assert done.code == (0 if observed else 3)
    assert bool(server.requests) is observed
    assert observed or "--allow-private" in done.err


@pytest.mark.parametrize(
    "name", ["", "a b", "10.0.0.0/99", "10.0.0.0/x", "user:pw@host", "host:port", "::1", "h:99999"]
)
def test_what_names_nothing_is_said(command: Any, server: Loopback, name: str) -> None:
    done = command("probe", server.base, "--allow-private", name)
    assert done.code == 2 and "HOST:PORT" in done.err and "pw" not in done.err
    assert server.requests == []


def test_the_origins_that_names_stand_for() -> None:
    targets = [
        Target(base_url="http://10.1.2.3:8080/fhir", org="acme"),
        Target(base_url="https://10.1.9.9/fhir", org="beta"),
        Target(base_url="https://ehr.internal:8443/fhir", org="gamma"),
        Target(base_url="https://[fd12::5]/fhir"),
    ]

    def named(*names: str) -> set[tuple[str, str, int]]:
        return set(named_origins(names, targets))

    assert named() == set()
    assert named("acme") == {("http", "10.1.2.3", 8080)}
    assert named("10.1.0.0/16") == {("http", "10.1.2.3", 8080), ("https", "10.1.9.9", 443)}
    assert named("fd12::/16") == {("https", "fd12::5", 443)}
    assert named("Auth.Internal:9443") == {("http", "auth.internal", 9443), ("https", "auth.internal", 9443)}
    usual = {("http", "ehr.internal", 80), ("https", "ehr.internal", 443)}
    assert named("ehr.internal") == {*usual, ("https", "ehr.internal", 8443)}
    assert named("[fd12::5]") == {("http", "fd12::5", 80), ("https", "fd12::5", 443)}
    with pytest.raises(InterlockError, match="is no network"):
        named("10.0.0.0/33")
