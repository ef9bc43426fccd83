"""Rehearsals of the team's own product: the catalogue of checks."""

from __future__ import annotations

from interlock.content.rehearsals import REHEARSAL, load_catalogue
from interlock.documents.names import did_you_mean
from interlock.documents.resources import data_dir
from interlock.model.errors import InterlockError
from interlock.model.rehearsal import RehearsalCheck


def catalogue() -> tuple[RehearsalCheck, ...]:
    """Every check that there is, families in order, built or not."""
    return load_catalogue(data_dir("rulesets") / REHEARSAL)


def rehearsal_check(check_id: str) -> RehearsalCheck:
    """One check by its id, in letters of any case, ``RH-`` or not.

    :raises InterlockError: there is no such check.
    """
    known = {check.id: check for check in catalogue()}
    wanted = f"RH-{check_id.upper().removeprefix('RH-')}"
    if wanted not in known:
        hint = did_you_mean(wanted, known)
        message = f"there is no rehearsal check {check_id!r}{hint}"
        raise InterlockError(message, remedy="interlock rehearse --list names them all")
    return known[wanted]
