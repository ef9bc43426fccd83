"""Options of ``interlock probe``, named once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Format = Annotated[
    Literal["table", "json", "ndjson", "sarif", "junit"] | None,
    typer.Option(
        "--format", "-f", help="To read (table), JSON, JSON lines as they come, or for a build server (SARIF, JUnit)."
    ),
]
SeverityName = Literal["critical", "high", "medium", "low"]
FailOn = Annotated[
    SeverityName | None,
    typer.Option("--fail-on", help="End with 1 when a check of this severity or a worse one failed."),
]
MinStage = Annotated[
    Literal["design", "sandbox", "pilot", "production"] | None,
    typer.Option("--min-stage", help="End with 1 when a probed organisation has not reached this stage."),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--from", help="Every endpoint of a directory: a FHIR bundle, CSV or list; - for stdin.", metavar="FILE"
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--name", help="With --from: only organisations named so; * and ? allowed.", metavar="TEXT"),
]
Vendor = Annotated[str | None, typer.Option("--vendor", help="With --from: only endpoints of this vendor.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="With --from: at most so many endpoints.")]
Out = Annotated[
    Path | None,
    typer.Option("--output", "--out", "-o", help="Write the result to a file instead of stdout.", metavar="FILE"),
]
Resume = Annotated[bool, typer.Option("--resume", help="With --from and --output: go on where an earlier run stopped.")]
Summary = Annotated[
    Path | None, typer.Option("--summary", help="With --from: also write the summary as JSON.", metavar="FILE")
]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="With --from: processes that share the work.")]
Timeout = Annotated[
    float, typer.Option("--timeout", "--deadline", min=0.1, max=600, help="Seconds for one target, all in all.")
]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", min=1, max=2000, help="Targets at a time (16; with --from 64).")
]
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
    bool | None,
    typer.Option(
        "--thorough/--quick",
        help="Also look at TLS versions, UDAP and a deeper base; or only at the documents. Quick with --from.",
        show_default=False,
    ),
]
BrowserOrigin = Annotated[
    str | None,
    typer.Option(
        "--origin", help="Origin of a browser client, to check CORS, like https://app.example.", metavar="URL"
    ),
]
CdsServices = Annotated[
    str | None, typer.Option("--cds-services", help="The product's own CDS Hooks base URL, to check it.", metavar="URL")
]
Active = Annotated[
    bool, typer.Option("--active", help="Allow more than GET: CORS preflights and safe refusals; nothing is created.")
]
Sample = Annotated[
    bool,
    typer.Option(
        "--sample",
        help="Sample what the contract reads, with the organisation's credentials; only counts are kept.",
    ),
]
FailOnDrift = Annotated[
    bool,
    typer.Option(
        "--fail-on-drift", help="End with 1 when something that the contract uses changed since the last observation."
    ),
]
TrustCredentials = Annotated[
    list[str] | None,
    typer.Option(
        "--trust-credentials",
        help="For this run, an organisation's credentials may go to this host; variables not named INTERLOCK_CRED_… "
        "are named too. May be repeated.",
        metavar="ORG=HOST[,VARIABLE…]",
    ),
]
