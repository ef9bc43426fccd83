"""Differences between two observations of an organisation. Pure.

Only facts that both observations hold are compared. A fact that the later observation lacks is named, and nothing is
concluded from that: it is no removal. Each document is compared with its own earlier self; whether documents of
different dates agree is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from interlock.model.base import CheckOutcome
from interlock.model.drift import ChangeDirection, ChangeKind, DriftChange
from interlock.model.observation import CapabilityFacts, Facts, JwksFacts, Observation, ResourceFacts, TlsFacts
from interlock.model.sample import DataFacts
from interlock.model.text import plain
from interlock.probe.checks.registry import list_checks
from interlock.probe.transport.addresses import is_loopback_host

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
_RESOURCE_LISTS: tuple[tuple[str, ChangeKind], ...] = (
    ("interactions", "interaction"),
    ("search_params", "search_parameter"),
    ("profiles", "profile"),
    ("operations", "operation"),
)


def changes_between(before: Observation, after: Observation) -> tuple[tuple[DriftChange, ...], tuple[str, ...]]:
    """Every change, not ranked yet, and notes on the facts that only one observation holds."""
    notes: list[str] = []
    changes = [
        *_value("base_url", "base URL", *(_comparable(each.target.base_url) for each in (before, after))),
        *_capability(before.facts.capability, after.facts.capability, notes),
        *_smart(before, after, notes),
        *_keys(before.facts.jwks, after.facts.jwks, notes),
        *_tls(before.facts.tls, after.facts.tls),
        *_others(before.facts, after.facts),
        *_data(before.facts.data, after.facts.data, notes),
        *_checks(before, after),
    ]
    return tuple(changes), tuple(notes)


def _change(
    kind: ChangeKind, direction: ChangeDirection, name: str, subject: str | None = None, *values: object
) -> DriftChange:
    before, after = [None if value is None else plain(value, MAX_VALUE) for value in (*values, None, None)[:2]]
    return DriftChange(
        kind=kind, direction=direction, name=plain(name, MAX_VALUE), subject=subject, before=before, after=after
    )


def _value(kind: ChangeKind, name: str, before: object, after: object) -> Iterator[DriftChange]:
    """The change of a value that may be absent."""
    if before == after:
        return
    direction: ChangeDirection = "added" if before is None else "removed" if after is None else "changed"
    yield _change(kind, direction, name, None, before, after)


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
        yield from _value("document", field, *counts)
        return
    yield from _list(kind, before, after)


def _note_unobserved(name: str, before: object | None, after: object | None, notes: list[str]) -> None:
    """Note facts that only one of the two observations holds."""
    if before is not None:
        notes.append(f"{name}: not observed the second time")
    elif after is not None:
        notes.append(f"{name}: not observed the first time")


def _comparable(url: str) -> str:
    """An address as it is compared: without a port on this machine, which the sandbox chooses anew each time."""
    try:
        parts = urlsplit(url)
        if parts.hostname and is_loopback_host(parts.hostname):
            return f"loopback{parts.path}"
    except ValueError:
        pass
    return url.rstrip("/")


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
    for field, kind in _RESOURCE_LISTS:
        earlier, later = getattr(before, field), getattr(after, field)
        if kind == "interaction" and bool(earlier) != bool(later):
            notes.append(f"interactions of {plain(name, 60)}: one of the two statements lists none")
            continue
        yield from _list(kind, earlier, later, name)


def _smart(before: Observation, after: Observation, notes: list[str]) -> Iterator[DriftChange]:
    earlier, later = before.facts.smart, after.facts.smart
    if earlier is not None and earlier.source == "well-known" and _is_absent(after):
        yield _change("document", "removed", "SMART configuration")
        yield from _list("launch_mode", earlier.launch_modes, ())
        return
    if later is not None and later.source == "well-known" and _is_absent(before):
        yield _change("document", "added", "SMART configuration")
        yield from _list("launch_mode", (), later.launch_modes)
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
    if address == root or address.startswith(root + "/"):
        return "{base}" + address.removeprefix(root)
    return _comparable(address)


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
    if before.valid != after.valid:
        yield _change("keys", "better" if after.valid else "worse", "usable keys", None)


def _tls(before: TlsFacts | None, after: TlsFacts | None) -> Iterator[DriftChange]:
    """Changes of the certificate and the versions; a renewed certificate is no worsening, a rejected certificate is."""
    if before is None or after is None:
        return
    if before.verified is not None and after.verified is not None and before.verified != after.verified:
        direction: ChangeDirection = "better" if after.verified else "worse"
        yield _change("tls", direction, "certificate accepted", None, before.error or "yes", after.error or "yes")
    for version in sorted(before.versions.keys() & after.versions.keys()):
        earlier, later = before.versions[version], after.versions[version]
        if earlier != later and "cannot_tell" not in {earlier, later}:
            yield _change("tls", "added" if later == "offered" else "removed", version)
    old, new = before.leaf, after.leaf
    if old is not None and new is not None:
        yield from _value("certificate", "issuer", old.issuer, new.issuer)
        yield from _value("certificate", "end", old.not_after, new.not_after)
        yield from _value("certificate", "key", old.key, new.key)


def _others(before: Facts, after: Facts) -> Iterator[DriftChange]:
    if before.cors is not None and after.cors is not None and before.cors.origin == after.cors.origin:
        for name in ("smart", "metadata", "token", "fhir_api", "authorize"):
            allowed, allows = getattr(before.cors, name), getattr(after.cors, name)
            if allowed is not None and allows is not None and allowed != allows:
                yield _change("cors", "better" if allows else "worse", name)
    if before.bulk is not None and after.bulk is not None:
        yield from _list("export", before.bulk.exports, after.bulk.exports)
    if before.security is not None and after.security is not None:
        was, now = before.security.anonymous_read, after.security.anonymous_read
        if was is not None and now is not None and was != now:
            direction: ChangeDirection = "better" if now == "refused" else "worse"
            yield _change("anonymous_read", direction, "read without a token", None, was, now)


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
        if could is not None and can is not None and could != can:
            yield _change(
                "data", "better" if can else "worse", f"reading {now.name}", now.resource, was.outcome, now.outcome
            )
        elif could is None or can is None:
            notes.append(f"sample of {now.name}: not seen both times")
        if was.outcome == now.outcome == "sampled":
            for path in was.fields.keys() & now.fields.keys():
                had, has = was.fields[path], now.fields[path]
                if bool(had) != bool(has):
                    yield _change(
                        "data",
                        "worse" if had else "better",
                        f"{now.name}.{path}",
                        now.resource,
                        f"in {had} of {was.count}",
                        f"in {has} of {now.count}",
                    )


def _checks(before: Observation, after: Observation) -> Iterator[DriftChange]:
    """Checks that were decided both times and came out differently; the checks of this very comparison are left out."""
    contract_checks = {spec.id for spec in list_checks() if spec.needs == "contract"}
    outcomes: Mapping[str, CheckOutcome] = {check.id: check.outcome for check in before.checks}
    for check in after.checks:
        earlier = outcomes.get(check.id)
        if earlier not in _DECIDED or check.outcome not in _DECIDED or earlier == check.outcome:
            continue
        if check.id.startswith("DRIFT-"):
            continue
        direction: ChangeDirection = "worse" if _DECIDED[check.outcome] > _DECIDED[earlier] else "better"
        subject = "contract" if check.id in contract_checks else None
        yield _change("check", direction, check.id, subject, earlier.value, f"{check.outcome.value}: {check.message}")
