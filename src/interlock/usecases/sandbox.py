"""Serving the embedded simulated organisations until interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from interlock.model.errors import InterlockError
from interlock.sandbox.faults import FAULTS, require_known
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.server import SandboxServer, serve_forever


def fault_names() -> Mapping[str, str]:
    """Every fault by name, with its description."""
    return {name: fault.description for name, fault in sorted(FAULTS.items())}


def serve(
    names: Sequence[str] | None,
    port: int,
    on_ready: Callable[[Mapping[str, str]], None],
    seconds: float | None = None,
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Serve the named organisations (all by default) until interrupted, or for ``seconds``.

    A name may carry faults: ``riverside+slow``. ``on_ready`` receives name → FHIR base URL, ``on_line``
    what happens at an organisation, in words: every sign-in, every refusal.

    :raises InterlockError: an unknown organisation or fault, or the port is taken.
    """
    known = {org.id: org for org in load_organizations()}
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
        if on_line is not None:
            server.log.listeners.append(lambda line: on_line(f"{line.organization}: {line.words}"))
        on_ready({"+".join(name): server.base_url(*name) for name in wanted})
        if timer is not None:
            timer.start()

    try:
        serve_forever([known[org] for org in dict.fromkeys(name[0] for name in wanted)], port, ready, stop)
    finally:
        if timer is not None:
            timer.cancel()
