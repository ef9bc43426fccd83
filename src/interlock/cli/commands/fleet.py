"""``interlock fleet``."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from interlock.cli import probe_options as options
from interlock.cli.output import console, make_grid, save, say
from interlock.documents.visible import to_json
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.errors import InterlockError, NothingObservedError
from interlock.model.fleet import FleetSummary
from interlock.model.text import plain
from interlock.usecases.fleet import DirectoryTargets, FleetProgress, Scheduler, directory_targets, probe_fleet
from interlock.usecases.probe import check_summary, named_origins

_TERMINAL_EVERY_S = 0.2
_LOG_EVERY_S = 10.0
_SHOWN = 8


def fleet(
    source: Annotated[
        str, typer.Argument(help="A directory: a FHIR bundle, CSV or list of base URLs; - for stdin.", metavar="FILE")
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Only organisations named so; * and ? allowed.", metavar="TEXT")
    ] = None,
    vendor: Annotated[str | None, typer.Option("--vendor", help="Only endpoints of this vendor.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many endpoints.")] = None,
    out: options.Out = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="With --output: go on where an earlier run stopped.")
    ] = False,
    summary: Annotated[
        Path | None, typer.Option("--summary", help="Also write the summary as JSON.", metavar="FILE")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes that share the work (extra: fleet).")
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler", help="A Dask scheduler whose workers do the work (extra: fleet).", metavar="tls://…"
        ),
    ] = None,
    tls_ca: Annotated[
        Path | None,
        typer.Option("--tls-ca", help="With --scheduler: the authority of its certificate and ours.", metavar="FILE"),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="With --scheduler: our certificate (PEM).", metavar="FILE")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", help="With --scheduler: its key.", metavar="FILE")
    ] = None,
    vantage: options.Vantage = None,
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
        vantage=vantage,
    )
    if resume and out is None:
        raise InterlockError("--resume goes on with a file", remedy="name it: --output FILE.ndjson --resume")
    chosen = _workers(workers, scheduler, tls_ca, tls_cert, tls_key)
    if scheduler is not None and (client_cert or client_key or proxy or ca_bundle):
        raise InterlockError(
            "no credentials and no file of this machine are sent to a worker",
            remedy="set INTERLOCK_CLIENT_CERT, INTERLOCK_CLIENT_KEY, INTERLOCK_PROXY or INTERLOCK_CA_BUNDLE there",
        )
    listed = directory_targets(None if source == "-" else Path(source), name, vendor, limit)
    targets = listed.targets
    if not targets:
        raise InterlockError("the file lists no usable base URL", remedy="interlock org import FILE --dry-run says why")
    _tell(listed, limited=limit is not None, picked=bool(name or vendor))
    allowed = named_origins(allow_private or (), targets)
    settings = replace(settings, private_origins=settings.private_origins | allowed)
    line = _Line()
    ended = probe_fleet(
        targets, settings, on_line=_write, on_progress=line.show, out=out, resume=resume, workers=chosen
    )
    line.clear()
    show_summary(ended)
    if summary is not None:
        save(summary, to_json(ended.model_dump(mode="json")))
    if ended.interrupted:
        raise KeyboardInterrupt
    _check(ended)
    if fail_on is not None:
        check_summary(ended, Severity(fail_on))


def _tell(listed: DirectoryTargets, *, limited: bool, picked: bool) -> None:
    """Who is looked at, and what in the file is not."""
    organizations = words.count(listed.organizations, "organisation")
    verb = words.agree(listed.organizations, *(("fits", "fit") if picked else ("is listed", "are listed")))
    names = f" ({words.listed(listed.names, 3)})" if picked and listed.names else ""
    bases = words.count(len(listed.targets), "base URL")
    limit = " (--limit)" if limited else ""
    say(f"{organizations} {verb}{names}; {bases} {words.agree(len(listed.targets), 'is', 'are')} probed{limit}.")
    for note in listed.notes:
        say(f"Note: {note}.")
    if listed.dropped:
        addresses = words.count(listed.dropped, "listed address", "listed addresses")
        say(f"{addresses} cannot be used; interlock org import FILE --dry-run says why")


def _workers(
    workers: int, scheduler: str | None, authority: Path | None, certificate: Path | None, key: Path | None
) -> int | Scheduler:
    """How many processes of this machine, or the scheduler."""
    if scheduler is None:
        if authority or certificate or key:
            raise InterlockError("--tls-ca, --tls-cert and --tls-key are about a scheduler", remedy="name --scheduler")
        return workers
    if workers != 1:
        raise InterlockError("--workers is about this machine, --scheduler about others", remedy="use one of the two")
    if authority is None or certificate is None or key is None:
        raise InterlockError(
            "a scheduler is used only when both sides show a certificate",
            remedy="give --tls-ca, --tls-cert and --tls-key; docs/fleets.md says why, and how to make them",
        )
    return Scheduler(scheduler, authority, certificate, key)


def _check(summary: FleetSummary) -> None:
    """Nothing seen at all is no success.

    :raises NothingObservedError: not one target was observed, even in part.
    """
    if summary.done and set(summary.outcomes) == {"not_observed"}:
        reasons = ", ".join(f"{name} {count:,}" for name, count in list(summary.reasons.items())[:5])
        remedy = "check the file and the network"
        if "refused" in summary.reasons:
            remedy = "what a file names in a private network is probed with --allow-private HOST or NETWORK"
        raise NothingObservedError(f"nothing could be observed: {reasons}", remedy=remedy)


def _write(line: bytes) -> None:
    try:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise SystemExit from None  # whoever reads has seen enough; the exit code is made in interlock.cli.main


class _Line:
    """One line of progress: rewritten in place on a terminal, now and then a new one elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._every = _TERMINAL_EVERY_S if self._terminal else _LOG_EVERY_S
        self._next = time.monotonic() + (0 if self._terminal else self._every)

    def show(self, progress: FleetProgress) -> None:
        """Show how far it is, when it is time."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._every
        text = progress_text(progress)
        sys.stderr.write(f"\r\x1b[2K{text[: console(stderr=True).width - 1]}" if self._terminal else f"{text}\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def progress_text(progress: FleetProgress) -> str:
    """Done, rate, time left and outcomes in at most 80 characters for any directory."""
    parts = [f"{progress.done:,} of {progress.total:,}"]
    if progress.fresh and progress.elapsed_s > 0:
        rate = progress.fresh / progress.elapsed_s
        parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        parts.append(f"{_duration((progress.total - progress.done) / rate)} left")
    observed, partly, unseen = (progress.outcomes.get(name, 0) for name in ("observed", "partial", "not_observed"))
    parts.append(f"{observed:,} observed, {partly:,} partly, {unseen:,} not")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def show_summary(summary: FleetSummary) -> None:
    """The counts on stderr."""
    out = console(stderr=True)
    fresh = summary.done - summary.resumed
    of_all = f"{summary.done:,} of " if summary.interrupted else ""
    head = of_all + words.count(summary.targets if summary.interrupted else summary.done, "target")
    rate = (
        f", {fresh / summary.elapsed_s:,.0f} a second" if summary.elapsed_s > 0.5 and fresh > summary.elapsed_s else ""
    )
    earlier = f"; {summary.resumed:,} from earlier runs" if summary.resumed else ""
    stopped = "interrupted after" if summary.interrupted else "in"
    out.print(Text.assemble((head, "bold"), f" {stopped} {_duration(summary.elapsed_s)}{rate}{earlier}"))
    counted = {
        "Outcome": {words.OBSERVED[name].phrase: number for name, number in summary.outcomes.items()},
        "Why not": summary.reasons,
        "Vendor": summary.vendors,
        "FHIR": summary.releases,
        "SMART sets": summary.capability_sets,
    }
    rows = [(label, _counted(counts)) for label, counts in counted.items() if counts]
    if summary.errors:
        rows.append(("Errors", f"{words.count(summary.errors, 'target')}: mistakes of this program, see NET-000 there"))
    out.print(make_grid(rows))
    if summary.failed_checks:
        checks = [
            (f"{failed.count:,}", words.SEVERITY[failed.severity].phrase, failed.id, failed.title)
            for failed in summary.failed_checks[: _SHOWN + 4]
        ]
        out.print(Text("\nFailed checks, and at how many targets", "bold"))
        out.print(make_grid(checks, [{"justify": "right"}, {"style": "dim"}, {}]))
        if len(summary.failed_checks) > _SHOWN + 4:
            out.print(Text(f"and {len(summary.failed_checks) - _SHOWN - 4} more checks", "dim"))


def _counted(counts: dict[str, int]) -> str:
    shown = [f"{plain(name, 50)} {count:,}" for name, count in list(counts.items())[:_SHOWN]]
    more = f" · {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else ""
    return " · ".join(shown) + more
