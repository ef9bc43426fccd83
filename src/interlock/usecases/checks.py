"""The probe's checks as a list, and the auth paths that an observation shows."""

from __future__ import annotations

from typing import Literal

from interlock.documents.names import did_you_mean
from interlock.fhir.auth_path import auth_paths
from interlock.model.auth_path import AuthPath
from interlock.model.base import Model, Reference, Severity
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation
from interlock.probe.checks.registry import list_checks


class CheckEntry(Model):
    """One check as it is published.

    :ivar level: the strongest word of its sources; ``judgement`` when they leave it open, ``contract`` for what the
        user's own workflow contract needs.
    :ivar rows: rows of ``docs/requirements.md`` that it rests on.
    :ivar needs: what has to be there before it can look: a document, the certificate chain, a contract, ``active``.
    :ivar about: one sentence more about what it does and does not say.
    """

    id: str
    family: str
    title: str
    severity: Severity
    level: Literal["SHALL", "SHOULD", "MAY", "contract", "judgement"]
    rows: tuple[str, ...] = ()
    needs: str | None = None
    references: tuple[Reference, ...] = ()
    about: str = ""


class CheckList(Model):
    """All checks, families in order, by number within one."""

    schema_version: Literal["1"] = "1"
    checks: tuple[CheckEntry, ...]


def check_list() -> CheckList:
    """Every check that a probe runs."""
    return CheckList(
        checks=tuple(
            CheckEntry(
                id=spec.id,
                family=spec.family,
                title=spec.title,
                severity=spec.severity,
                level=spec.level,
                rows=spec.rows,
                needs=spec.needs,
                references=spec.references,
                about=" ".join((spec.run.__doc__ or "").split()),
            )
            for spec in list_checks()
        )
    )


def check_named(check_id: str) -> CheckEntry:
    """One check by its id, in letters of any case.

    :raises InterlockError: there is no such check.
    """
    entries = {entry.id: entry for entry in check_list().checks}
    wanted = check_id.upper()
    if wanted not in entries:
        hint = did_you_mean(wanted, entries)
        raise InterlockError(f"there is no check {check_id!r}{hint}", remedy="interlock checks lists them")
    return entries[wanted]


def needed_for(entry: CheckEntry) -> str:
    """What has to be there before a check can look; empty when that is nothing."""
    return _NEEDS.get(entry.needs, entry.needs) if entry.needs else ""


def auth_paths_of(observation: Observation) -> tuple[AuthPath, ...]:
    """The auth path of each launch mode, as far as the observation shows it."""
    asked = [record for record in observation.requests if record.purpose == "smart"]
    why = (asked[-1].detail or asked[-1].failure or "") if asked else ""
    return auth_paths(observation.facts.smart, absent=observation.smart_absent, why=why)


_NEEDS = {
    "metadata": "the capability statement",
    "smart": "the SMART configuration",
    "openid": "the OpenID discovery document",
    "jwks": "the JWK Set",
    "udap": "the UDAP metadata (a thorough probe asks for them)",
    "cds": "the product's CDS service (named by the user)",
    "chain": "the certificate chain (a thorough probe looks at it)",
    "versions": "the TLS versions (a thorough probe tries them)",
    "contract": "a workflow contract",
    "active": "an active probe",
    "sample": "a sample (--sample, with credentials)",
    "origin": "the origin of a client in a browser (--origin)",
    "drift": "an earlier observation",
    "strict": "a request for it (--strict)",
}
