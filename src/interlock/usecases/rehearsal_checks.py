"""The catalogue of what a rehearsal looks at, and the checks of it that somebody names."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.content.rehearsals import REHEARSAL, load_catalogue
from interlock.documents.names import did_you_mean
from interlock.documents.resources import data_dir
from interlock.model.errors import InterlockError
from interlock.model.rehearsal import LETTERS, RehearsalCheck
from interlock.rehearse.run import BUILT


def catalogue() -> tuple[RehearsalCheck, ...]:
    """Every check, families in order."""
    return load_catalogue(data_dir("rulesets") / REHEARSAL)


def needs_scripts(check: RehearsalCheck) -> bool:
    """Whether a check is looked at only where Chromium drives the product."""
    return BUILT[check.id].scripts


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


def chosen_checks(only: Sequence[str]) -> frozenset[str]:
    """Ids of the checks that are named, one by one or by their family; nothing named is nothing left out.

    :raises InterlockError: there is no such check or family.
    """
    chosen: set[str] = set()
    for name in only:
        family = next((family for family in LETTERS if name.lower() in (family, LETTERS[family].lower())), None)
        checks = [check for check in catalogue() if check.family == family] if family else [rehearsal_check(name)]
        chosen |= {check.id for check in checks}
    return frozenset(chosen)
