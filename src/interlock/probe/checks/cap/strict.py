"""CAP, the whole statement as a strict reader takes it, down to elements that nobody here looks at."""

from __future__ import annotations

from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import Result, not_observed, passed, warned
from interlock.probe.checks.sources import cite
from interlock.probe.transport.content import decode_text, parse_json

#: Places that a finding leads to.
_SHOWN = 5


@check(
    "CAP-047",
    "A strict reader takes the whole statement",
    Severity.LOW,
    cite("R4-CSD"),
    cite("R5"),
    cite("STU3"),
    cite("DSTU2"),
    rows=("REL-03",),
    needs="strict",
    rests_on=("metadata",),
    at="metadata",
    level="SHALL",
)
def strict_reading(probed: CheckInput) -> Result:
    """Many statements in use have small flaws, which this tells and does not blame: a client rarely meets them."""
    from interlock.fhir.validation import validate  # 10 ms of a probe's start that this check alone needs

    probed.require("metadata")
    release = probed.capability.fhir_release
    if release is None:
        return not_observed("the statement does not say which release it is of", probed.at("metadata", "/fhirVersion"))
    exchange = probed.exchanges["metadata"]
    if not exchange.body:
        return not_observed("the statement itself is not at hand")
    text, _ = decode_text(exchange.body, exchange.record.content_type or "")
    validation = validate(parse_json(text), release)
    if validation.unread is not None:
        return not_observed(validation.unread)
    if not validation.problems:
        return passed(validation.sentence())
    pointers = [problem.pointer for problem in validation.problems[:_SHOWN]]
    return warned(validation.sentence(), *probed.at_each("metadata", pointers))
