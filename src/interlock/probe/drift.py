"""Differences between two observations of an organisation. Pure.

Only facts that both observations hold are compared. A fact that the later observation lacks is named, and nothing is
concluded from that: it is no removal. Each document is compared with its own earlier self; whether documents of
different dates agree is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from interlock.model.base import CheckOutcome
from interlock.model.drift import ChangeDirection, ChangeKind, DriftChange
from interlock.model.facts import CapabilityFacts, Facts, JwksFacts, ResourceFacts, SmartFacts, TlsFacts
from interlock.model.observation import Observation
from interlock.model.sample import DataFacts
from interlock.model.text import plain
from interlock.probe.checks.registry import list_checks
from interlock.probe.transport.addresses import is_loopback_host, split

MAX_VALUE = 200

_DECIDED = {CheckOutcome.PASS: 0, CheckOutcome.WARN: 1, CheckOutcome.FAIL: 2}
_SMART_LISTS: tuple[tuple[str, ChangeKind], ...] = (
    ("scopes_supported", "scope"),
    ("capabilities", "capability"),
    ("grant_types_supported", "grant_type"),
    ("token_endpoint_auth_methods_supported", "auth_method"),
    ("token_endpoint_auth_signing_alg_values_supported", "signing_algorithm"),
    ("code_challenge_methods_supported", "pkce"),
)
_SMART_ADDRESSES = (
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
    "management_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "jwks_uri",
)


def changes_between(before: Observation, after: Observation) -> tuple[tuple[DriftChange, ...], tuple[str, ...]]:
    """Every change, not ranked yet, and notes on the facts that only one observation holds."""
    notes: list[str] = []
    earlier, later = before.facts, after.facts
    changes = [
        *_value("base_url", "base URL", *(_comparable(each.target.base_url) for each in (before, after))),
        *_capability(earlier.capability, later.capability, notes),
        *_smart(before, after, notes),
        *_keys(earlier.jwks, later.jwks, notes),
        *_tls(earlier.tls, later.tls),
        *_others(earlier, later),
        *_data(earlier.data, later.data, notes),
        *_checks(before, after),
    ]
    return tuple(changes), tuple(notes)


def _change(
    kind: ChangeKind,
    direction: ChangeDirection,
    name: str,
    subject: str | None = None,
    before: object = None,
    after: object = None,
) -> DriftChange:
    """One change, its texts bounded."""
    values = [None if value is None else plain(value, MAX_VALUE) for value in (before, after)]
    return DriftChange(
        kind=kind,
        direction=direction,
        name=plain(name, MAX_VALUE),
        subject=subject,
        before=values[0],
        after=values[1],
    )


def _value(kind: ChangeKind, name: str, before: object, after: object) -> Iterator[DriftChange]:
    """The change of a value that may be absent."""
    if before != after:
        yield _change(
            kind, "added" if before is None else "removed" if after is None else "changed", name, None, before, after
        )


def _better(
    kind: ChangeKind, name: str, was_good: bool, is_good: bool, subject: str | None = None, *values: object
) -> Iterator[DriftChange]:
    """The change of something that is for the better or the worse."""
    if was_good != is_good:
        yield _change(kind, "better" if is_good else "worse", name, subject, *values)


def _list(
    kind: ChangeKind, before: Iterable[str], after: Iterable[str], subject: str | None = None
) -> Iterator[DriftChange]:
    earlier, later = dict.fromkeys(before), dict.fromkeys(after)
    yield from (_change(kind, "removed", name, subject) for name in earlier if name not in later)
    yield from (_change(kind, "added", name, subject) for name in later if name not in earlier)


def _whole_list(
    kind: ChangeKind, field: str, before: tuple[str, ...] | None, after: tuple[str, ...] | None
) -> Iterator[DriftChange]:
    """A list that may not be published at all: then nothing is known of its entries."""
    if before is None or after is None:
        counts = (f"{len(entries)} entries" if entries is not None else None for entries in (before, after))
        return _value("document", field, *counts)
    return _list(kind, before, after)


def _note_unobserved(name: str, before: object | None, after: object | None, notes: list[str]) -> None:
    """Note facts that only one of the two observations holds."""
    if before is not None or after is not None:
        notes.append(f"{name}: not observed the {'second' if after is None else 'first'} time")


def _comparable(url: str) -> str:
    """An address as it is compared: without a port on this machine, which the sandbox chooses anew each time."""
    parts = split(url)
    on_this_machine = parts is not None and is_loopback_host(parts.hostname or "")
    return f"loopback{parts.path}" if parts is not None and on_this_machine else url.rstrip("/")


def _capability(
    before: CapabilityFacts | None, after: CapabilityFacts | None, notes: list[str]
) -> Iterator[DriftChange]:
    if before is None or after is None:
        _note_unobserved("capability statement", before, after, notes)
        return
    yield from _value("fhir_release", "FHIR release", before.fhir_release, after.fhir_release)
    yield from _value("fhir_version", "fhirVersion", before.fhir_version, after.fhir_version)
    for key in sorted({*before.software, *after.software}):
        yield from _value("software", f"software {key}", before.software.get(key), after.software.get(key))
    yield from _list("system_interaction", before.system_interactions, after.system_interactions)
    yield from _list("operation", before.operations, after.operations)
    if before.subsetted or after.subsetted or not before.resources or not after.resources:
        if before.resources != after.resources:
            notes.append("resources: one of the two statements is a summary or lists none")
        return
    for name in dict.fromkeys([*before.resources, *after.resources]):
        earlier, later = before.resources.get(name), after.resources.get(name)
        if earlier is None or later is None:
            yield _change("resource", "added" if earlier is None else "removed", name, name)
        else:
            yield from _resource(name, earlier, later, notes)


def _resource(name: str, before: ResourceFacts, after: ResourceFacts, notes: list[str]) -> Iterator[DriftChange]:
    if bool(before.interactions) == bool(after.interactions):
        yield from _list("interaction", before.interactions, after.interactions, name)
    else:
        notes.append(f"interactions of {plain(name, 60)}: one of the two statements lists none")
    yield from _list("search_parameter", before.search_params, after.search_params, name)
    yield from _list("profile", before.profiles, after.profiles, name)
    yield from _list("operation", before.operations, after.operations, name)


def _smart(before: Observation, after: Observation, notes: list[str]) -> Iterator[DriftChange]:
    earlier, later = before.facts.smart, after.facts.smart
    sides: tuple[tuple[SmartFacts | None, Observation, ChangeDirection], ...]
    sides = ((earlier, after, "removed"), (later, before, "added"))
    for published, other, direction in sides:
        if published is not None and published.source == "well-known" and _is_absent(other):
            yield _change("document", direction, "SMART configuration")
            yield from (_change("launch_mode", direction, mode) for mode in published.launch_modes)
            return
    if earlier is None or later is None:
        _note_unobserved("SMART configuration", earlier, later, notes)
        return
    old_base, new_base = before.target.base_url, after.target.base_url
    for field in (*_SMART_ADDRESSES, "issuer"):
        old, new = _relative(getattr(earlier, field), old_base), _relative(getattr(later, field), new_base)
        yield from _value("issuer" if field == "issuer" else "endpoint", field, old, new)
    if earlier.source == later.source == "well-known":
        yield from _list("launch_mode", earlier.launch_modes, later.launch_modes)
        yield from _list("client_type", earlier.client_types, later.client_types)
        for field, kind in _SMART_LISTS:
            yield from _whole_list(kind, field, getattr(earlier, field), getattr(later, field))


def _relative(address: str | None, base: str) -> str | None:
    """An address below the base as ``{base}/…``: when the base moves, that is one change and not ten."""
    if address is None:
        return None
    root = base.rstrip("/")
    below = address == root or address.startswith(root + "/")
    return "{base}" + address.removeprefix(root) if below else _comparable(address)


def _is_absent(observation: Observation) -> bool:
    """Whether the observation shows that there is no SMART configuration."""
    smart = observation.facts.smart
    published = smart is not None and smart.source == "well-known"
    return not published and any(
        check.id == "SMART-001" and check.outcome is CheckOutcome.FAIL for check in observation.checks
    )


def _keys(before: JwksFacts | None, after: JwksFacts | None, notes: list[str]) -> Iterator[DriftChange]:
    if before is None or after is None:
        _note_unobserved("JWK Set", before, after, notes)
        return
    yield from _list("keys", before.kids, after.kids)
    yield from _better("keys", "usable keys", before.valid, after.valid)


def _tls(before: TlsFacts | None, after: TlsFacts | None) -> Iterator[DriftChange]:
    """Changes of the certificate and the versions; a renewed certificate is no worsening, a rejected certificate is."""
    if before is None or after is None:
        return
    if before.verified is not None and after.verified is not None:
        errors = (before.error or "yes", after.error or "yes")
        yield from _better("tls", "certificate accepted", before.verified, after.verified, None, *errors)
    for version in sorted(before.versions.keys() & after.versions.keys()):
        offers = {before.versions[version], after.versions[version]}
        if offers == {"offered", "refused"}:
            yield _change("tls", "added" if after.versions[version] == "offered" else "removed", version)
    if before.leaf is not None and after.leaf is not None:
        for field, name in (("issuer", "issuer"), ("not_after", "end"), ("key", "key")):
            yield from _value("certificate", name, getattr(before.leaf, field), getattr(after.leaf, field))


def _others(before: Facts, after: Facts) -> Iterator[DriftChange]:
    if before.cors is not None and after.cors is not None and before.cors.origin == after.cors.origin:
        for name in ("smart", "metadata", "token", "fhir_api", "authorize"):
            allowed, allows = getattr(before.cors, name), getattr(after.cors, name)
            if allowed is not None and allows is not None:
                yield from _better("cors", name, allowed, allows)
    if before.bulk is not None and after.bulk is not None:
        yield from _list("export", before.bulk.exports, after.bulk.exports)
    if before.security is not None and after.security is not None:
        was, now = before.security.anonymous_read, after.security.anonymous_read
        if was is not None and now is not None:
            refusals = (was == "refused", now == "refused")
            yield from _better("anonymous_read", "read without a token", *refusals, None, was, now)


def _data(before: DataFacts | None, after: DataFacts | None, notes: list[str]) -> Iterator[DriftChange]:
    """Resources that credentials open or not any more, and fields that all sampled resources lost or gained."""
    if before is None or after is None:
        return
    earlier = {sample.name: sample for sample in before.inputs}
    readable = {"sampled": True, "empty": True, "refused": False}
    for now in after.inputs:
        was = earlier.get(now.name)
        if was is None:
            continue
        could, can = readable.get(was.outcome), readable.get(now.outcome)
        if could is None or can is None:
            notes.append(f"sample of {now.name}: not seen both times")
        else:
            yield from _better("data", f"reading {now.name}", could, can, now.resource, was.outcome, now.outcome)
        if was.outcome == now.outcome == "sampled":
            for path in was.fields.keys() & now.fields.keys():
                had, has = was.fields[path], now.fields[path]
                shares = (f"in {had} of {was.valid}", f"in {has} of {now.valid}")
                yield from _better("data", f"{now.name}.{path}", bool(had), bool(has), now.resource, *shares)


def _checks(before: Observation, after: Observation) -> Iterator[DriftChange]:
    """Checks that were decided both times and came out differently; the checks of this very comparison are left out."""
    contract_checks = {spec.id for spec in list_checks() if spec.needs == "contract"}
    outcomes = {check.id: check.outcome for check in before.checks if not check.id.startswith("DRIFT-")}
    for check in after.checks:
        earlier = outcomes.get(check.id)
        if earlier not in _DECIDED or check.outcome not in _DECIDED or earlier == check.outcome:
            continue
        direction: ChangeDirection = "worse" if _DECIDED[check.outcome] > _DECIDED[earlier] else "better"
        subject = "contract" if check.id in contract_checks else None
        yield _change("check", direction, check.id, subject, earlier.value, f"{check.outcome.value}: {check.message}")
