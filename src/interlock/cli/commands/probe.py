"""``interlock probe``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from interlock.cli import probe_options as options
from interlock.cli.options import WorkspaceOption
from interlock.cli.output import say
from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock.model.observation import Observation, Target
    from interlock.workspace.store import Workspace


def probe(
    urls: Annotated[
        list[str] | None, typer.Argument(help="FHIR base URLs; no workspace is needed.", metavar="URL")
    ] = None,
    org: Annotated[
        str | None, typer.Option("--org", help="One organisation of the workspace, by its id.", metavar="ID")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every organisation of the workspace.")] = False,
    output: Annotated[
        Literal["table", "mail", "json", "ndjson", "sarif", "junit"] | None,
        typer.Option(
            "--format",
            "-f",
            help="To read (table), the questions to paste into a mail, JSON, JSON lines as they come, or for a build "
            "server (SARIF, JUnit).",
        ),
    ] = None,
    details: options.Details = False,
    out: options.Out = None,
    fail_on: options.FailOn = None,
    min_stage: Annotated[
        Literal["design", "sandbox", "pilot", "production"] | None,
        typer.Option("--min-stage", help="End with 1 when a probed organisation has not reached this stage."),
    ] = None,
    timeout: options.Timeout = 20.0,
    concurrency: options.Concurrency = 16,
    per_host: options.PerHost = 4,
    rate: options.Rate = None,
    allow_private: options.AllowPrivate = None,
    ca_bundle: options.CaBundle = None,
    client_cert: options.ClientCert = None,
    client_key: options.ClientKey = None,
    proxy: options.Proxy = None,
    user_agent: options.UserAgent = None,
    thorough: options.Thorough = True,
    browser_origin: options.BrowserOrigin = None,
    cds_services: Annotated[
        str | None,
        typer.Option("--cds-services", help="The product's own CDS Hooks base URL, to check it.", metavar="URL"),
    ] = None,
    active: options.Active = False,
    strict: options.Strict = False,
    vantage: options.Vantage = None,
    sample: Annotated[
        bool,
        typer.Option(
            "--sample",
            help="Sample what the contract reads, with the organisation's credentials; only counts are kept.",
        ),
    ] = False,
    trust_credentials: Annotated[
        list[str] | None,
        typer.Option(
            "--trust-credentials",
            help="For this run, an organisation's credentials may go to this host; variables not named "
            "INTERLOCK_CRED_… are named too. May be repeated.",
            metavar="ORG=HOST[,VARIABLE…]",
        ),
    ] = None,
    fail_on_drift: Annotated[
        bool,
        typer.Option(
            "--fail-on-drift",
            help="End with 1 when something that the contract uses changed since the last observation.",
        ),
    ] = False,
    folder: WorkspaceOption = None,
) -> None:
    """Look at FHIR endpoints: what they declare, how they authorise, what is off."""
    if sum((bool(urls), org is not None, everything)) != 1:
        remedy = "one of: a URL, --org ID, --all; a whole directory: interlock fleet FILE"
        raise InterlockError("say what to probe", remedy=remedy)
    settings = options.settings_of(
        timeout=timeout,
        concurrency=concurrency,
        per_host=per_host,
        rate=rate,
        ca_bundle=ca_bundle,
        client_cert=client_cert,
        client_key=client_key,
        proxy=proxy,
        user_agent=user_agent,
        thorough=thorough,
        browser_origin=browser_origin,
        cds_services=cds_services,
        active=active,
        strict=strict,
        vantage=vantage,
    )
    _only(
        sample or client_cert is not None or not trust_credentials,
        "--trust-credentials is about credentials",
        "use it with --sample or --client-cert",
    )
    _only(
        not (sample or fail_on_drift) or org is not None or everything,
        "--sample and --fail-on-drift are about organisations of a workspace",
        "use --org or --all",
    )
    _only(
        out is None or output not in {None, "table"}, "a table is for reading", "choose another --format for --output"
    )
    targets, workspace = _targets(urls or [], org, folder)
    _only(
        min_stage is None or workspace is not None,
        "--min-stage is about organisations of a workspace",
        "use --org or --all",
    )
    from interlock.cli.probe_results import report, thresholds, watch
    from interlock.usecases.probe import named_origins, private_origins_of

    settings = replace(settings, private_origins=settings.private_origins | named_origins(allow_private or (), targets))
    comparer = None
    if workspace is None:
        settings = replace(settings, private_origins=settings.private_origins | private_origins_of(targets))
    else:
        from interlock.cli.cards import show_drifts
        from interlock.usecases.observations import Comparer, check_drift
        from interlock.usecases.trust import trusted_settings

        settings = trusted_settings(settings, workspace, targets, trust_credentials or [], sample=sample)
        for plan in settings.samples.values():
            if plan.credentials is None:
                say(f"Probed without credentials: {plan.reason}")
        comparer = Comparer(workspace, [target.org for target in targets])
        _only(
            comparer.contract is not None or not fail_on_drift,
            "--fail-on-drift needs a contract.yaml to rank by",
            "write one, or leave it out",
        )
    streamed = out if output == "ndjson" else None
    observations = watch(targets, settings, comparer, streamed, stream=output == "ndjson")
    report(observations, output or "table", out, workspace, details=details)
    if comparer is not None:
        _tell_private(observations)
        show_drifts(comparer.drifts, table=output in {None, "table"}, ranked=fail_on_drift)
    thresholds(observations, workspace, fail_on, min_stage)
    if comparer is not None and fail_on_drift:
        check_drift(list(comparer.drifts.values()))


def _only(holds: bool, message: str, remedy: str) -> None:
    if not holds:
        raise InterlockError(message, remedy=remedy)


def _targets(urls: list[str], org: str | None, folder: Path | None) -> tuple[tuple[Target, ...], Workspace | None]:
    from interlock.usecases.probe import bare_targets, targets_of

    if urls:
        return bare_targets(urls), None
    from interlock.usecases.load import load_inputs
    from interlock.usecases.opening import open_workspace

    workspace = open_workspace(folder)
    inputs = load_inputs(workspace, org)
    chosen = [known for known in inputs.organizations if org in (None, known.id)]
    targets = targets_of(chosen)
    if not targets:
        names = words.listed([org.id for org in chosen]) or "the workspace"
        raise InterlockError(
            f"no FHIR base URL is known for {names}", remedy="interlock org edit ID --url URL, or org add"
        )
    return targets, workspace


def _tell_private(observations: Sequence[Observation]) -> None:
    """How organisations are contacted whose base lies in a private network, where some were not."""
    refused = [
        observation.target.org
        for observation in observations
        if observation.target.org is not None
        and any(record.purpose == "metadata" and record.failure == "refused" for record in observation.requests)
    ]
    if refused:
        names = plain(words.listed(refused), 400)
        say(f"Not contacted: {names}. To look at it and allow it: interlock trust, or --allow-private ORG")
