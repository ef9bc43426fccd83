"""Serving the embedded simulated organisations until interrupted."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.sandbox.clients import Client
from interlock.sandbox.exchange import LAUNCH_PATH
from interlock.sandbox.faults import FAULTS, for_grants, require_known
from interlock.sandbox.oauth import OAuthError
from interlock.sandbox.observed import Played, play
from interlock.sandbox.organizations import SimulatedOrganization, load_organizations
from interlock.sandbox.registration import check_launch, check_redirect
from interlock.sandbox.server import Apart, SandboxServer, serve_forever
from interlock.sandbox.tape import TapeFile
from interlock.workspace.history import latest_observation, load_bodies
from interlock.workspace.store import Workspace


def fault_names() -> Mapping[str, str]:
    """Every fault by name, with its description."""
    return {name: fault.description for name, fault in sorted(FAULTS.items())}


def observed_hospital(workspace: Workspace, org: str) -> Played:
    """An organisation of the workspace as its latest observation shows it, and what of it cannot be played.

    :raises InterlockError: no such organisation, it was never probed, or its observation has no capability statement.
    """
    known = {entry.id: entry for entry in workspace.read().organizations}
    if org not in known:
        remedy = f"organisations: {', '.join(known) or 'none'}"
        raise InterlockError(f"the workspace has no organisation {org!r}", remedy=remedy)
    observation = latest_observation(workspace, org)
    if observation is None:
        raise InterlockError(f"{org} was never probed", remedy=f"interlock probe --org {org}")
    digests = {request.sha256 for request in observation.requests if request.sha256}
    return play(observation, load_bodies(workspace, sorted(digests)), known[org].name)


@dataclass(frozen=True, slots=True)
class Application:
    """An application that is developed against the simulated organisations: a public client of all of them.

    :ivar faults: what it meets once it has signed in, and nobody else does.
    """

    client_id: str
    redirect_uris: tuple[str, ...]
    launch_uri: str | None = None
    faults: tuple[str, ...] = ()


def serve(
    names: Sequence[str] | None,
    port: int,
    on_ready: Callable[[Mapping[str, str]], None],
    seconds: float | None = None,
    on_line: Callable[[str], None] | None = None,
    application: Application | None = None,
    *,
    apart: Apart | None = None,
    tape: Path | None = None,
    observed: Sequence[SimulatedOrganization] = (),
) -> None:
    """Serve the named organisations (all by default) until interrupted, or for ``seconds``.

    A name may carry faults: ``riverside+slow``. ``on_ready`` receives name → FHIR base URL, ``on_line``
    what happens at an organisation, in words: every sign-in, every refusal.

    :param apart: each organisation at an address or a port of its own.
    :param tape: a new file for every request that arrives, as NDJSON.
    :param observed: organisations that are played as they were observed, instead of the shipped ones.
    :raises InterlockError: an unknown organisation or fault, an address of the application that cannot be registered,
        the port is taken, or the tape cannot be written.
    """
    client = _client(application) if application is not None else None
    known = {org.id: org for org in observed or load_organizations()}
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
        if on_line is not None:
            for organization in server.organizations:
                patients = [
                    resource["id"] for resource in organization.resources if resource["resourceType"] == "Patient"
                ]
                if organization.listen and patients:
                    on_line(f"{organization.id}: its patients are {words.listed(patients, 6)}")
        if on_line is not None and application is not None and application.launch_uri is not None:
            for organization in server.organizations:
                if "launch-ehr" in (organization.smart or {}).get("capabilities", ()):
                    page = f"{server.base_url(organization.id)}/{LAUNCH_PATH}"
                    on_line(f"Open it from a chart: {page}?{urlencode({'client': application.client_id})}")
        if timer is not None:
            timer.start()

    server = SandboxServer([known[org] for org in dict.fromkeys(name[0] for name in wanted)], port=port, apart=apart)
    with contextlib.ExitStack() as done:
        if timer is not None:
            done.callback(timer.cancel)
        if tape is not None:
            file = done.enter_context(contextlib.closing(TapeFile(tape)))
            server.tape.listeners.append(file.write)
        serve_forever(server, ready, stop)


def _client(application: Application) -> Client:
    try:
        for address in application.redirect_uris:
            check_redirect(address)
        if application.launch_uri is not None:
            check_launch(application.launch_uri)
    except OAuthError as refusal:
        raise InterlockError(refusal.description, remedy="give the address as your application sends it") from refusal
    return Client(
        id=application.client_id,
        redirect_uris=application.redirect_uris,
        launch_uris=(application.launch_uri,) if application.launch_uri else (),
        faults=for_grants(application.faults),
    )
