"""How a probe behaves, and what it reports while it runs."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from interlock import __version__
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, RequestRecord, Target

USER_AGENT = f"interlock/{__version__} (EHR integration readiness probe; reads public discovery documents)"


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """Limits of a probe. Times are seconds, sizes bytes after decompression.

    :ivar deadline_s: for all requests of one target together, counted from its first request.
    :ivar connect_timeout_s: for the TCP connection and the TLS handshake of one request.
    :ivar max_bytes: of one body; a larger one is not read.
    :ivar concurrency: targets at a time.
    :ivar per_host: requests to one host at a time.
    :ivar allow_private: follow advertised addresses and redirects into private networks even from a public server.
    :ivar verify: certificates to trust: an SSL context, a file or directory of CA certificates, or none for the
        system's and certifi's.
    :ivar retries: how often a 429 or 503 is tried again, if what it asks to wait fits into the deadline.
    :ivar trust_env: honour ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``; loopback never goes through a proxy.
    :raises InterlockError: a limit is not positive, or the user agent is no header value.
    """

    deadline_s: float = 20.0
    connect_timeout_s: float = 5.0
    max_bytes: int = 8 * 1024 * 1024
    concurrency: int = 16
    per_host: int = 4
    allow_private: bool = False
    user_agent: str = USER_AGENT
    verify: ssl.SSLContext | str | Path | None = None
    retries: int = 1
    trust_env: bool = True

    def __post_init__(self) -> None:
        for name in ("deadline_s", "connect_timeout_s", "max_bytes", "concurrency", "per_host"):
            if not getattr(self, name) > 0:
                raise InterlockError(f"{name} must be greater than zero, not {getattr(self, name)}")
        if self.retries < 0:
            raise InterlockError(f"retries must not be negative, not {self.retries}")
        if not self.user_agent.isascii() or not self.user_agent.isprintable() or not self.user_agent.strip():
            raise InterlockError("the user agent must be printable ASCII text")


@dataclass(frozen=True, slots=True)
class ProbeEvent:
    """Something happened to a target.

    :ivar kind: ``started``; ``request`` with ``record`` set; ``finished`` with ``observation`` and ``bodies`` set.
    :ivar detail: one short sentence for a progress line.
    :ivar bodies: sha256 → the JSON documents that the observation rests on, byte for byte, for later replay.
    """

    target: Target
    kind: Literal["started", "request", "finished"]
    detail: str = ""
    record: RequestRecord | None = None
    observation: Observation | None = None
    bodies: Mapping[str, bytes] = field(default_factory=dict)


OnEvent = Callable[[ProbeEvent], None]
