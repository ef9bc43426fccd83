"""The contract's settings at one organisation: what it says for itself, what is missing, and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

from interlock.documents.names import did_you_mean
from interlock.model.contract import SettingMatch, SurfaceSetting, WorkflowContract
from interlock.model.organization import Organization
from interlock.model.text import plain
from interlock.model.words import SETTING_TYPE

#: How long a value may be in words, and in what is said of a wrong one.
_MAX_VALUE, _MAX_WRONG = 200, 40
#: For how many unknown names a close one is looked for, and among how many settings.
_MAX_CLOSE, _MAX_KNOWN = 20, 500


def match_settings(contract: WorkflowContract, org: Organization) -> tuple[SettingMatch, ...]:
    """Every setting in the contract's order, then what the organisation's file sets and the contract does not have."""
    if not contract.organization_surface:
        return ()
    return (*(_setting(setting, org) for setting in contract.organization_surface), *_unknown(contract, org))


def _setting(setting: SurfaceSetting, org: Organization) -> SettingMatch:
    value, default = org.overrides.get(setting.name), setting.default
    note = None
    if value is None or (isinstance(value, str) and not value.strip()):
        outcome = "missing" if default is None else "defaulted" if setting.needs_value else "default"
    elif not setting.needs_value and value != default:
        outcome, note = "universal", f"the contract says {_shown(default, _MAX_WRONG)}"
    elif setting.takes(value):
        outcome = "own"
    else:
        outcome = "mistyped"
        note = f"{SETTING_TYPE[setting.type]} is expected, and {_shown(value, _MAX_WRONG)} is there"
    return SettingMatch.model_validate(
        {
            "name": setting.name,
            "outcome": outcome,
            "needed": setting.needs_value,
            "value": _shown(value, _MAX_VALUE) if outcome in {"own", "mistyped", "universal"} else None,
            "default": None if default is None else _shown(default, _MAX_VALUE),
            "note": note,
        }
    )


def _unknown(contract: WorkflowContract, org: Organization) -> Iterator[SettingMatch]:
    known = dict.fromkeys(setting.name for setting in contract.organization_surface)
    unknown = [name for name in org.overrides if name not in known]
    for index, name in enumerate(unknown):
        close = did_you_mean(name, list(known)[:_MAX_KNOWN]) if index < _MAX_CLOSE else ""
        yield SettingMatch(
            name=plain(name, 64),
            outcome="unknown",
            value=_shown(org.overrides[name], _MAX_VALUE),
            note=close.removeprefix("; ") or None,
        )


def _shown(value: object, limit: int) -> str:
    """A value as a file has it, so that "6" and 6 differ, on one bounded line."""
    return plain(json.dumps(value, ensure_ascii=False), limit)
