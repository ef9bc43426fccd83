"""``interlock fleet``."""

from __future__ import annotations

from typing import Annotated

import typer

from interlock.cli import probe_options as options


def fleet(
    source: Annotated[
        str, typer.Argument(help="A directory: a FHIR bundle, CSV or list of base URLs; - for stdin.", metavar="FILE")
    ],
    name: options.Name = None,
    vendor: options.Vendor = None,
    limit: options.Limit = None,
    out: options.Out = None,
    resume: options.Resume = False,
    summary: options.Summary = None,
    workers: options.Workers = 1,
    fail_on: options.FailOn = None,
    timeout: options.Timeout = 20.0,
    concurrency: options.Concurrency = 64,
    per_host: options.PerHost = 4,
    rate: options.Rate = None,
    allow_private: options.AllowPrivate = None,
    ca_bundle: options.CaBundle = None,
    client_cert: options.ClientCert = None,
    client_key: options.ClientKey = None,
    proxy: options.Proxy = None,
    user_agent: options.UserAgent = None,
    thorough: options.Thorough = False,
    browser_origin: options.BrowserOrigin = None,
    active: options.Active = False,
) -> None:
    """Look at every endpoint of a directory; what was seen is written as lines of JSON, counts at the end."""
    from interlock.cli.fleet import check, run

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
        active=active,
    )
    ended = run(
        source,
        settings,
        allow_private=allow_private or (),
        name=name,
        vendor=vendor,
        limit=limit,
        out=out,
        resume=resume,
        workers=workers,
        summary_file=summary,
    )
    if ended.summary.interrupted:
        raise KeyboardInterrupt
    check(ended.summary)
    if fail_on is not None:
        from interlock.model.base import Severity
        from interlock.usecases.probe_outputs import check_worst

        check_worst(ended.worst_failed, Severity(fail_on))
