"""What differs between two observations of one organisation. Pure.

Only what both observations saw is compared. What the later one did not see is named and concluded about in no way: it
is no removal. Each document is compared with its own earlier self; nothing is concluded about whether documents of
different dates agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from interlock.documents.text import plain
from interlock.model.base import CheckOutcome
from interlock.model.drift import ChangeDirection, ChangeKind, DriftChange
from interlock.model.observation import CapabilityFacts, Facts, Observation, ResourceFacts, SmartFacts, TlsFacts
from interlock.model.sample import DataFacts
from interlock.probe.addresses import is_loopback_host
from interlock.probe.checks.registry import list_checks

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
    """Every change, not ranked yet, and what was not compared because one of the two did not see it."""
    notes: list[str] = []
    found = [
        *_base(before, after),
        *_capability(before.facts.capability, after.facts.capability, notes),
        *_smart(before, after, notes),
        *_openid_and_keys(before.facts, after.facts, notes),
        *_tls(before.facts.tls, after.facts.tls),
        *_others(before.facts, after.facts),
        *_data(before.facts.data, after.facts.data, notes),
        *_checks(before, after),
    ]
    return tuple(found), tuple(notes)


def _made(
    kind: ChangeKind, direction: ChangeDirection, name: str, subject: str | None = None, *values: object
) -> DriftChange:
    before, after = [None if value is None else plain(value, MAX_VALUE) for value in (*values, None, None)[:2]]
    return DriftChange(
        kind=kind, direction=direction, name=plain(name, MAX_VALUE), subject=subject, before=before, after=after
    )


def _value(
    kind: ChangeKind, name: str, before: object, after: object, subject: str | None = None
) -> Iterator[DriftChange]:
    """One value that may be absent."""
    if before == after:
        return
    direction: ChangeDirection = "added" if before is None else "removed" if after is None else "changed"
    yield _made(kind, direction, name, subject, before, after)


def _list(
    kind: ChangeKind, before: Iterable[str], after: Iterable[str], subject: str | None = None
) -> Iterator[DriftChange]:
    one, two = dict.fromkeys(before), dict.fromkeys(after)
    yield from (_made(kind, "removed", name, subject) for name in one if name not in two)
    yield from (_made(kind, "added", name, subject) for name in two if name not in one)


def _whole_list(
    kind: ChangeKind, field: str, before: tuple[str, ...] | None, after: tuple[str, ...] | None
) -> Iterator[DriftChange]:
    """A list that may not be published at all: then nothing is known of its entries."""
    if before is None or after is None:
        counts = [f"{len(one)} entries" if one is not None else None for one in (before, after)]
        yield from _value("document", field, counts[0], counts[1])
        return
    yield from _list(kind, before, after)


def _seen(name: str, before: object | None, after: object | None, notes: list[str]) -> bool:
    if before is not None and after is not None:
        return True
    if before is not None:
        notes.append(f"{name}: not observed the second time")
    elif after is not None:
        notes.append(f"{name}: not observed the first time")
    return False


def _base(before: Observation, after: Observation) -> Iterator[DriftChange]:
    one, two = (_place(observation.target.base_url) for observation in (before, after))
    yield from _value("base_url", "base URL", one, two)


def _place(url: str) -> str:
    """An address as it is compared: this machine's ports are anybody's, for the sandbox takes a free one each time."""
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
    if not _seen("capability statement", before, after, notes) or before is None or after is None:
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
        one, two = before.resources.get(name), after.resources.get(name)
        if one is None or two is None:
            yield _made("resource", "added" if one is None else "removed", name, name)
        else:
            yield from _resource(name, one, two, notes)


def _resource(name: str, before: ResourceFacts, after: ResourceFacts, notes: list[str]) -> Iterator[DriftChange]:
    for field, kind in _RESOURCE_LISTS:
        one, two = getattr(before, field), getattr(after, field)
        if kind == "interaction" and bool(one) != bool(two):
            notes.append(f"interactions of {plain(name, 60)}: one of the two statements lists none")
            continue
        yield from _list(kind, one, two, name)


def _smart(before: Observation, after: Observation, notes: list[str]) -> Iterator[DriftChange]:
    one, two = before.facts.smart, after.facts.smart
    published = [smart is not None and smart.source == "well-known" for smart in (one, two)]
    gone = [
        _is_absent(observation) and not there for observation, there in zip((before, after), published, strict=True)
    ]
    if published[0] and gone[1]:
        yield _made("document", "removed", "SMART configuration")
        yield from _list("launch_mode", one.launch_modes if one else (), ())
        return
    if published[1] and gone[0]:
        yield _made("document", "added", "SMART configuration")
        yield from _list("launch_mode", (), two.launch_modes if two else ())
        return
    if one is None and two is None:
        return
    if not _seen("SMART configuration", one, two, notes) or one is None or two is None:
        return
    bases = before.target.base_url, after.target.base_url
    yield from _addresses(one, two, bases)
    if one.source == two.source == "well-known":
        yield from _list("launch_mode", one.launch_modes, two.launch_modes)
        yield from _list("client_type", one.client_types, two.client_types)
        for field, kind in _SMART_LISTS:
            yield from _whole_list(kind, field, getattr(one, field), getattr(two, field))


def _addresses(before: SmartFacts, after: SmartFacts, bases: tuple[str, str]) -> Iterator[DriftChange]:
    for field in _SMART_ADDRESSES:
        one, two = (_relative(getattr(facts, field), base) for facts, base in zip((before, after), bases, strict=True))
        yield from _value("endpoint", field, one, two)
    yield from _value("issuer", "issuer", _relative(before.issuer, bases[0]), _relative(after.issuer, bases[1]))


def _relative(address: str | None, base: str) -> str | None:
    """An address below the base as ``{base}/…``: when the base moves, that is one change and not ten."""
    if address is None:
        return None
    root = base.rstrip("/")
    if address == root or address.startswith(root + "/"):
        return "{base}" + address.removeprefix(root)
    return _place(address)


def _is_absent(observation: Observation) -> bool:
    return any(check.id == "SMART-001" and check.outcome is CheckOutcome.FAIL for check in observation.checks)


def _openid_and_keys(before: Facts, after: Facts, notes: list[str]) -> Iterator[DriftChange]:
    if before.openid is None and after.openid is None and before.jwks is None and after.jwks is None:
        return
    if before.jwks is not None and after.jwks is not None:
        yield from _list("keys", before.jwks.kids, after.jwks.kids)
        if before.jwks.valid != after.jwks.valid:
            yield _made("keys", "better" if after.jwks.valid else "worse", "usable keys", None)
    else:
        _seen("JWK Set", before.jwks, after.jwks, notes)


def _tls(before: TlsFacts | None, after: TlsFacts | None) -> Iterator[DriftChange]:
    """A certificate that is renewed is a change; one that is not accepted any more is for the worse."""
    if before is None or after is None:
        return
    if before.verified is not None and after.verified is not None and before.verified != after.verified:
        direction: ChangeDirection = "better" if after.verified else "worse"
        yield _made("tls", direction, "certificate accepted", None, before.error or "yes", after.error or "yes")
    for version in sorted(before.versions.keys() & after.versions.keys()):
        one, two = before.versions[version], after.versions[version]
        if one != two and "cannot_tell" not in {one, two}:
            yield _made("tls", "added" if two == "offered" else "removed", version)
    old, new = before.leaf, after.leaf
    if old is not None and new is not None:
        yield from _value("certificate", "issuer", old.issuer, new.issuer)
        yield from _value("certificate", "end", old.not_after, new.not_after)
        yield from _value("certificate", "key", old.key, new.key)


def _others(before: Facts, after: Facts) -> Iterator[DriftChange]:
    if before.cors is not None and after.cors is not None and before.cors.origin == after.cors.origin:
        for name in ("smart", "metadata", "token", "fhir_api", "authorize"):
            one, two = getattr(before.cors, name), getattr(after.cors, name)
            if one is not None and two is not None and one != two:
                yield _made("cors", "better" if two else "worse", name)
    if before.bulk is not None and after.bulk is not None:
        yield from _list("export", before.bulk.exports, after.bulk.exports)
    if before.security is not None and after.security is not None:
        one, two = before.security.anonymous_read, after.security.anonymous_read
        if one is not None and two is not None and one != two:
            yield _made(
                "anonymous_read", "better" if two == "refused" else "worse", "read without a token", None, one, two
            )


def _data(before: DataFacts | None, after: DataFacts | None, notes: list[str]) -> Iterator[DriftChange]:
    """What credentials open, and fields that no resource of the sample has any more: samples vary too much for less."""
    if before is None or after is None:
        return
    earlier = {one.name: one for one in before.inputs}
    readable = {"sampled": True, "empty": True, "refused": False}
    for now in after.inputs:
        was = earlier.get(now.name)
        if was is None:
            continue
        could, can = readable.get(was.outcome), readable.get(now.outcome)
        if could is not None and can is not None and could != can:
            yield _made(
                "data", "better" if can else "worse", f"reading {now.name}", now.resource, was.outcome, now.outcome
            )
        elif could is None or can is None:
            notes.append(f"sample of {now.name}: not seen both times")
        if was.outcome == now.outcome == "sampled":
            for path in was.fields.keys() & now.fields.keys():
                one, two = was.fields[path], now.fields[path]
                if bool(one) != bool(two):
                    yield _made(
                        "data",
                        "worse" if one else "better",
                        f"{now.name}.{path}",
                        now.resource,
                        f"in {one} of {was.count}",
                        f"in {two} of {now.count}",
                    )


def _checks(before: Observation, after: Observation) -> Iterator[DriftChange]:
    """Checks that were decided both times and came out differently; the checks of this very comparison are left out."""
    compares = {spec.id for spec in list_checks() if spec.needs == "contract"}
    outcomes: Mapping[str, CheckOutcome] = {check.id: check.outcome for check in before.checks}
    for check in after.checks:
        one = outcomes.get(check.id)
        if one not in _DECIDED or check.outcome not in _DECIDED or one == check.outcome:
            continue
        if check.id.startswith("DRIFT-"):
            continue
        direction: ChangeDirection = "worse" if _DECIDED[check.outcome] > _DECIDED[one] else "better"
        subject = "contract" if check.id in compares else None
        yield _made("check", direction, check.id, subject, one.value, f"{check.outcome.value}: {check.message}")
