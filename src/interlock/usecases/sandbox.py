"""Serving the embedded simulated organisations until interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from interlock.model.errors import InterlockError
from interlock.sandbox.faults import FAULTS
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.server import SandboxServer


def fault_names() -> Mapping[str, str]:
    """Every fault by name, with its description."""
    return {name: fault.description for name, fault in sorted(FAULTS.items())}


def serve(
    names: Sequence[str] | None, port: int, on_ready: Callable[[Mapping[str, str]], None], seconds: float | None = None
) -> None:
    """Serve the named organisations (all by default) until interrupted, or for ``seconds``.

    A name may carry faults: ``riverside+slow``. ``on_ready`` receives name → FHIR base URL.

    :raises InterlockError: an unknown organisation or fault, or the port is taken.
    """
    known = {org.id: org for org in load_organizations()}
    wanted = list(names or known)
    for name in wanted:
        org, *faults = name.split("+")
        if org not in known:
            raise InterlockError(
                f"the sandbox has no organisation {org!r}", remedy=f"organisations: {', '.join(known)}"
            )
        for fault in faults:
            if fault not in FAULTS:
                raise InterlockError(
                    f"there is no fault {fault!r}", remedy="interlock sandbox --list-faults shows them"
                )
    with SandboxServer(tuple(known[name.split("+")[0]] for name in dict.fromkeys(wanted)), port=port) as server:
        on_ready({name: server.base_url(name.split("+")[0], *name.split("+")[1:]) for name in wanted})
        deadline = time.monotonic() + seconds if seconds is not None else None
        while deadline is None or time.monotonic() < deadline:
            time.sleep(0.2)
