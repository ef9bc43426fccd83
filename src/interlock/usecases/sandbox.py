"""Serving the embedded simulated organisations until interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from interlock.model.errors import InterlockError
from interlock.sandbox.clients import Client
from interlock.sandbox.exchange import LAUNCH_PATH
from interlock.sandbox.faults import FAULTS, require_known
from interlock.sandbox.oauth import OAuthError
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.registration import check_launch, check_redirect
from interlock.sandbox.server import SandboxServer, serve_forever


def fault_names() -> Mapping[str, str]:
    """Every fault by name, with its description."""
    return {name: fault.description for name, fault in sorted(FAULTS.items())}


@dataclass(frozen=True, slots=True)
class Application:
    """An application that is developed against the simulated organisations: a public client of all of them."""

    client_id: str
    redirect_uris: tuple[str, ...]
    launch_uri: str | None = None


def serve(
    names: Sequence[str] | None,
    port: int,
    on_ready: Callable[[Mapping[str, str]], None],
    seconds: float | None = None,
    on_line: Callable[[str], None] | None = None,
    application: Application | None = None,
) -> None:
    """Serve the named organisations (all by default) until interrupted, or for ``seconds``.

    A name may carry faults: ``riverside+slow``. ``on_ready`` receives name → FHIR base URL, ``on_line``
    what happens at an organisation, in words: every sign-in, every refusal.

    :raises InterlockError: an unknown organisation or fault, an address of the application that cannot be registered,
        or the port is taken.
    """
    client = _client(application) if application is not None else None
    known = {org.id: org for org in load_organizations(people=True)}
    wanted = [name.split("+") for name in (names or known)]
    for org, *faults in wanted:
        if org not in known:
            raise InterlockError(
                f"the sandbox has no organisation {org!r}", remedy=f"organisations: {', '.join(known)}"
            )
        require_known(faults)
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set) if seconds is not None else None

    def ready(server: SandboxServer) -> None:
        if client is not None:
            for organization in server.organizations:
                server.register(organization.id, client)
        if on_line is not None:
            server.log.listeners.append(lambda line: on_line(f"{line.organization}: {line.words}"))
        on_ready({"+".join(name): server.base_url(*name) for name in wanted})
        if on_line is not None and application is not None and application.launch_uri is not None:
            for organization in server.organizations:
                if "launch-ehr" in (organization.smart or {}).get("capabilities", ()):
                    page = f"{server.base_url(organization.id)}/{LAUNCH_PATH}"
                    on_line(f"Open it from a chart: {page}?{urlencode({'client': application.client_id})}")
        if timer is not None:
            timer.start()

    try:
        serve_forever([known[org] for org in dict.fromkeys(name[0] for name in wanted)], port, ready, stop)
    finally:
        if timer is not None:
            timer.cancel()


def _client(application: Application) -> Client:
    try:
        for address in application.redirect_uris:
            check_redirect(address)
        if application.launch_uri is not None:
            check_launch(application.launch_uri)
    except OAuthError as refusal:
        raise InterlockError(refusal.description, remedy="give the address as your application sends it") from refusal
    launch_uris = (application.launch_uri,) if application.launch_uri else ()
    return Client(id=application.client_id, redirect_uris=application.redirect_uris, launch_uris=launch_uris)
