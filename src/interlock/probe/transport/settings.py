"""How a probe behaves, and the events that it reports while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from interlock import __version__
from interlock.model.errors import InterlockError
from interlock.model.facts import FhirRelease
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.probe.transport.addresses import Origin
from interlock.probe.transport.credentials import Credentials

if TYPE_CHECKING:
    from interlock.model.contract import Need

USER_AGENT = f"interlock/{__version__} (EHR integration readiness probe; reads public discovery documents)"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate that identifies this client to a server that asks for one, in PEM files.

    :ivar certificate: the certificate, with any intermediates; may hold the key too.
    :ivar key: the private key, when it is in a file of its own.
    :ivar password: of the encrypted key; never shown.
    :ivar origins: where it may be presented; none for every base, because the user typed them all.
    """

    certificate: Path
    key: Path | None = None
    password: str | None = field(default=None, repr=False)
    origins: frozenset[Origin] | None = None


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """The sample to take at one organisation.

    :ivar credentials: none when there are none; ``reason`` then says why.
    :ivar needs: the contract's inputs to sample.
    :ivar release: the release of FHIR that the contract is written in.
    """

    credentials: Credentials | None
    needs: tuple[Need, ...]
    reason: str = ""
    release: FhirRelease = "R4"


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """Limits of a probe. Times are seconds, sizes bytes after decompression.

    :ivar deadline_s: for all requests of a target together, counted from its first request.
    :ivar connect_timeout_s: for the TCP connection and the TLS handshake of a request.
    :ivar max_bytes: of a body; a larger body is not read.
    :ivar concurrency: targets at a time.
    :ivar per_host: requests to a host at a time, whichever targets they belong to.
    :ivar rate: requests to a host that may start in a second, evenly spaced; none for no limit.
    :ivar private_origins: origins that may be in a private network or on this machine; every other must be public.
    :ivar retries: how often a 429 or 503 is tried again, if the wait that it asks for fits into the deadline.
    :ivar ca_bundle: a PEM file or a directory of CA certificates to trust besides the system's and certifi's.
    :ivar client_certificate: presented to the base's own host when it asks, and to no other.
    :ivar proxy: ``http://host:port`` for every request but those to loopback, instead of the environment's
        (``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``).
    :ivar thorough: also look at things besides the two documents: the certificate and the TLS versions of the host,
        the UDAP metadata, a base a path segment deeper. Off, a well-behaved server gets two requests.
    :ivar origin: a browser client's registered origin; given, discovery is asked once more with it (CORS).
    :ivar cds_services: base URL of the product's own CDS Hooks service, when its discovery is to be checked.
    :ivar active: the user allows requests beyond GET: CORS preflights and safe negatives.
    :ivar strict: read the statement with a strict reader too, which takes as long as a second.
    :ivar vantage: the name of the place that this is, which observations then say.
    :ivar samples: organisation id → the sample to take there. Never shown, never pickled.
    :raises InterlockError: a limit is not positive, or the user agent is no header value.
    """

    deadline_s: float = 20.0
    connect_timeout_s: float = 5.0
    max_bytes: int = 8 * 1024 * 1024
    concurrency: int = 16
    per_host: int = 4
    rate: float | None = None
    private_origins: frozenset[Origin] = frozenset()
    user_agent: str = USER_AGENT
    retries: int = 1
    ca_bundle: Path | None = None
    client_certificate: ClientCertificate | None = None
    proxy: str | None = field(default=None, repr=False)
    thorough: bool = False
    origin: str | None = None
    cds_services: str | None = None
    active: bool = False
    strict: bool = False
    vantage: str | None = None
    samples: Mapping[str, SamplePlan] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("deadline_s", "connect_timeout_s", "max_bytes", "concurrency", "per_host"):
            if not getattr(self, name) > 0:
                raise InterlockError(f"{name} must be greater than zero, not {getattr(self, name)}")
        if self.rate is not None and not self.rate > 0:
            raise InterlockError(f"rate must be greater than zero, not {self.rate}")
        if self.retries < 0:
            raise InterlockError(f"retries must not be negative, not {self.retries}")
        if not self.user_agent.isascii() or not self.user_agent.isprintable() or not self.user_agent.strip():
            raise InterlockError("the user agent must be printable ASCII text")


@dataclass(frozen=True, slots=True)
class ProbeEvent:
    """A step in the probe of a target, for whoever shows progress.

    :ivar kind: ``started``; ``request`` with ``record`` set; ``finished`` with ``observation`` and ``bodies`` set.
    :ivar detail: a short sentence for a progress line.
    :ivar bodies: sha256 → the JSON documents that the observation rests on, byte for byte, for later replay.
    """

    target: Target
    kind: Literal["started", "request", "finished"]
    detail: str = ""
    record: RequestRecord | None = None
    observation: Observation | None = None
    bodies: Mapping[str, bytes] = field(default_factory=dict)


OnEvent = Callable[[ProbeEvent], None]
