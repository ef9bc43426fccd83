"""How FHIR is asked: what the reads of the polite sign-ins say, how often they are made, and what they are about."""

from __future__ import annotations

from interlock.rehearse.checks.base import check, each
from interlock.rehearse.hospitals import Asked
from interlock.rehearse.stage import Row, Stage, Visit


@check("F01", polite=True)
def token_in_header(stage: Stage) -> list[Row]:
    """How the token travelled in the polite reads (RFC 6750 section 2)."""

    def problem(visit: Visit) -> tuple[str, list[Asked]]:
        reads = visit.of("resource")
        if not reads:
            return "", []
        tokens = {one.token for one in reads if one.token}
        loose = [one for one in reads if "access_token" in one.query or tokens & set(one.query.values())]
        if loose:
            return "the access token stands in an address", loose
        kept = [one for one in reads if "cookie" in one.headers]
        return ("cookies were sent to the hospital" if kept else ""), kept or reads

    return each(stage, problem, "in the Authorization header alone")


@check("F03", polite=True)
def polite_headers(stage: Stage) -> list[Row]:
    """What the polite reads say of themselves."""

    def problem(visit: Visit) -> tuple[str, list[Asked]]:
        reads = visit.of("resource")
        vague = [one for one in reads if "json" not in one.headers.get("accept", "")]
        unnamed = [one for one in reads if not one.headers.get("user-agent")]
        if vague:
            return f"it accepts {vague[0].headers.get('accept', 'nothing')!r}, and FHIR has a type of its own", vague
        return ("it names no program" if unnamed else ""), unnamed or reads

    return each(stage, problem, "the format and the program are named")
