"""Options that ``interlock probe`` and ``interlock fleet`` share, and the settings that they make."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from interlock.usecases.probe import ProbeSettings

FailOn = Annotated[
    Literal["critical", "high", "medium", "low"] | None,
    typer.Option("--fail-on", help="End with 1 when a check of this severity or a worse one failed."),
]
Out = Annotated[
    Path | None,
    typer.Option("--output", "--out", "-o", help="Write the result to a file instead of stdout.", metavar="FILE"),
]
Timeout = Annotated[
    float, typer.Option("--timeout", "--deadline", min=0.1, max=600, help="Seconds for one target, all in all.")
]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, max=2000, help="Targets at a time.")]
PerHost = Annotated[int, typer.Option("--per-host", min=1, max=2000, help="Requests to one host at a time.")]
Rate = Annotated[
    float | None, typer.Option("--rate", min=0.01, help="Requests a second to one host; no limit if absent.")
]
AllowPrivate = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-private",
        help="What may be in a private network: an organisation's id, HOST, HOST:PORT or a network; can be repeated.",
        metavar="NAME",
    ),
]
CaBundle = Annotated[
    Path | None,
    typer.Option(
        "--ca-bundle", help="Trust these CA certificates too (PEM file, or a folder of them).", metavar="PATH"
    ),
]
ClientCert = Annotated[
    Path | None, typer.Option("--client-cert", help="Client certificate for mutual TLS (PEM).", metavar="FILE")
]
ClientKey = Annotated[
    Path | None,
    typer.Option(
        "--client-key",
        help="Its key, when in a file of its own; a password comes from INTERLOCK_CLIENT_KEY_PASSWORD.",
        metavar="FILE",
    ),
]
Proxy = Annotated[
    str | None,
    typer.Option("--proxy", help="http://HOST:PORT instead of the environment's proxy.", metavar="URL"),
]
UserAgent = Annotated[
    str | None,
    typer.Option(
        "--user-agent", envvar="INTERLOCK_USER_AGENT", help="Who is asking, as servers see it.", metavar="TEXT"
    ),
]
Thorough = Annotated[
    bool,
    typer.Option(
        "--thorough/--quick", help="Also look at TLS versions, UDAP and a deeper base; or only at the documents."
    ),
]
BrowserOrigin = Annotated[
    str | None,
    typer.Option(
        "--origin", help="Origin of a browser client, to check CORS, like https://app.example.", metavar="URL"
    ),
]
Active = Annotated[
    bool, typer.Option("--active", help="Allow more than GET: CORS preflights and safe refusals; nothing is created.")
]

Vantage = Annotated[
    str | None,
    typer.Option(
        "--vantage", help="The place that it is seen from: workers of that label, or what to call this.", metavar="NAME"
    ),
]

Strict = Annotated[
    bool,
    typer.Option("--strict", help="Read the statement with a strict reader too: what is not valid FHIR, and where."),
]

Details = Annotated[
    bool, typer.Option("--details", help="On the card, the whole inventory too: every fact, finding and reason.")
]

_PASSWORD = "INTERLOCK_CLIENT_KEY_PASSWORD"  # noqa: S105  # the name of a variable


def settings_of(
    *,
    timeout: float,
    concurrency: int,
    per_host: int,
    rate: float | None,
    ca_bundle: Path | None,
    client_cert: Path | None,
    client_key: Path | None,
    proxy: str | None,
    user_agent: str | None,
    thorough: bool,
    browser_origin: str | None = None,
    cds_services: str | None = None,
    active: bool = False,
    strict: bool = False,
    vantage: str | None = None,
) -> ProbeSettings:
    """The settings that the options stand for.

    :raises DocumentError: a file that is named does not exist.
    """
    from interlock.model.errors import DocumentError, Location
    from interlock.usecases.probe import (
        USER_AGENT,
        ProbeSettings,
        bare_targets,
        client_certificate,
        private_origins_of,
    )

    for file in (ca_bundle, client_cert, client_key):
        if file is not None and not file.exists():
            raise DocumentError("no such file", location=Location(file=str(file)))
    return ProbeSettings(
        deadline_s=timeout,
        concurrency=concurrency,
        per_host=per_host,
        rate=rate,
        user_agent=user_agent or USER_AGENT,
        ca_bundle=ca_bundle,
        client_certificate=client_certificate(client_cert, client_key, os.environ.get(_PASSWORD)),
        proxy=proxy,
        thorough=thorough,
        origin=browser_origin,
        cds_services=cds_services,
        private_origins=private_origins_of(bare_targets([cds_services] if cds_services else [])),
        active=active,
        strict=strict,
        vantage=vantage,
    )
