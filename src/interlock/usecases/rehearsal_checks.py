"""The catalogue of what a rehearsal looks at, and the checks of it that somebody names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from interlock.content.rehearsals import REHEARSAL, load_catalogue
from interlock.documents.names import did_you_mean
from interlock.documents.resources import data_dir
from interlock.model.errors import InterlockError
from interlock.model.rehearsal import LETTERS, RehearsalCheck
from interlock.model.words import listed
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
    wanted = _id_of(check_id)
    if wanted not in known:
        raise _unknown([check_id], known)
    return known[wanted]


def _id_of(name: str) -> str:
    return f"RH-{name.upper().removeprefix('RH-')}"


def _unknown(names: Sequence[str], known: Iterable[str]) -> InterlockError:
    hint = did_you_mean(_id_of(names[0]), known) if len(names) == 1 else ""
    message = f"there is no rehearsal check {listed(list(map(repr, names)), last='or')}{hint}"
    return InterlockError(message, remedy="interlock rehearse --list names them all")


def chosen_checks(only: Sequence[str]) -> frozenset[str]:
    """Ids of the checks that are named, by id or family, with commas or spaces between; all where nothing is named.

    :raises InterlockError: there is no such check or family.
    """
    checks = catalogue()
    known = [check.id for check in checks]
    families = {name: family for family, letter in LETTERS.items() for name in (family, letter.lower())}
    names = [name for given in only for name in re.split(r"[,\s]+", given) if name]
    if unknown := [name for name in names if name.lower() not in families and _id_of(name) not in known]:
        raise _unknown(unknown, known)
    chosen = {families.get(name.lower(), _id_of(name)) for name in names}
    return frozenset(check.id for check in checks if chosen & {check.id, check.family})
