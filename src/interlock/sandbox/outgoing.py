"""Requests that a simulated hospital makes itself: to listeners on this computer, and to nobody else."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from interlock.sandbox.replies import RefusalError

SECONDS = 5.0
MAX_ANSWER = 1_048_576


def require_loopback(url: str) -> str:
    """The address itself, when it is one of this computer.

    :raises RefusalError: 422, it is not, or it is no address: a simulation writes to nobody.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # a port that is none raises
        inside = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside, parts = False, urlsplit("")
    if not inside or parts.scheme not in ("http", "https") or parts.username is not None:
        raise RefusalError(
            422, "business-rule", f"{url[:200]} is no address on this computer: a simulation calls nobody else"
        )
    return url
