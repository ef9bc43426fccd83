"""What a client may do after a sign-in: the grant behind an access token, and whether it allows an interaction.

The one place where the FHIR side asks. Sources: SMART App Launch 2.2, "Scopes and Launch Context" (levels, letters,
search constraints) and "App Launch" (launch context); FHIR R4 CompartmentDefinition/patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from interlock.fhir.scopes import Scope, parse
from interlock.sandbox.organizations import Document

#: Letter of ``cruds`` that an interaction needs (SMART 2.2, "Scopes for requesting FHIR Resources").
LETTERS: Mapping[str, str] = {
    "create": "c",
    "read": "r",
    "vread": "r",
    "history-instance": "r",
    "update": "u",
    "patch": "u",
    "delete": "d",
    "search-type": "s",
    "history-type": "s",
}

#: Types that are about no patient: a patient-level scope reads all of them, and writes none.
_SHARED = frozenset(
    ("Endpoint", "HealthcareService", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole")
)
#: Elements that say whose record it is. This is narrower than the patient compartment on purpose (a judgement): a
#: patient who only performed, wrote or asserted something about somebody else does not see it by that.
_WHOSE = ("subject", "patient", "beneficiary", "individual", "for")
#: Search parameters that name the patient whose records are asked for.
_PATIENT_PARAMETERS = ("patient", "subject", "beneficiary")
_MAX_STEPS = 4

#: Whether a resource meets ``parameter=value`` of a search.
Matches = Callable[[Document, str, str], bool]
#: The resource behind a relative reference (``Observation/1``), or none.
Find = Callable[[str], Document | None]


@dataclass(frozen=True, slots=True)
class User:
    """A test user of one organisation, who is signed in without a person.

    :ivar name: what ``login_hint`` picks them by.
    :ivar fhir_user: relative reference to their own record, ``Practitioner/rv-practitioner-1``.
    :ivar subject: ``sub`` of their ID tokens, unique at one issuer and nowhere else.
    """

    name: str
    fhir_user: str
    subject: str

    @property
    def patient(self) -> str | None:
        """Id of their own record when they are a patient, who sees that one alone."""
        kind, _, identity = self.fhir_user.partition("/")
        return identity if kind == "Patient" else None


@dataclass(frozen=True, slots=True)
class Context:
    """Launch context, as it arrives beside the access token (SMART 2.2, "Launch context arrives with your token").

    ``patient`` and ``encounter`` are ids.
    """

    patient: str | None = None
    encounter: str | None = None
    intent: str | None = None
    need_patient_banner: bool | None = None
    smart_style_url: str | None = None
    tenant: str | None = None

    def parameters(self) -> dict[str, str | bool]:
        """The parameters that have a value, by the names of the token response."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Grant:
    """What one access token stands for.

    :ivar organization: id of the organisation that gave it; nothing is opened elsewhere.
    :ivar client: id of the client that it was given to.
    :ivar scopes: the granted scopes as they were written.
    :ivar expires: Unix time in seconds.
    :ivar issued: Unix time in seconds.
    :ivar user: none for a backend client.
    :ivar sign_in: what was given by one authorization code, or refreshed from it, shares this; all of it is revoked
        together.
    :ivar issuer: issuer of the ID token that came with it, if one did.
    :ivar faults: names of the faults that every request with its access token meets, beside those of its client.
    """

    organization: str
    client: str
    scopes: tuple[str, ...]
    expires: float
    issued: float = 0.0
    user: User | None = None
    context: Context = field(default_factory=Context)
    sign_in: str = ""
    issuer: str | None = None
    faults: tuple[str, ...] = ()

    @property
    def patient(self) -> str | None:
        """Id of the patient in context."""
        return self.context.patient


def allows(
    grant: Grant,
    interaction: str,
    kind: str,
    resource: Document | None = None,
    query: Iterable[tuple[str, str]] = (),
    *,
    matches: Matches | None = None,
    find: Find | None = None,
) -> bool:
    """Whether the grant allows this interaction with this type, and with this very resource when one is given.

    Ask twice: before anything is looked up, without a resource (false is a 403, ``insufficient_scope``), and then for
    each resource that would be returned, included, stored or replaced (false: it is not there for this client; for an
    update ask for the stored one and for the new one). A search's matches are those for which the second answer is
    true, so that a scope with a constraint narrows it, and never fails it.

    :param interaction: a code of :data:`LETTERS`; of a batch or transaction each entry is asked for on its own.
    :param query: the parameters of a search; one that asks for other patients only is refused at patient level.
    :param matches: the search engine's comparison; by default tokens alone are understood, and a constraint with any
        other parameter lets nothing through.
    :param find: the resource behind a reference, for those that say whose they are by another one.
    :raises KeyError: no such interaction.
    """
    letter = LETTERS[interaction]
    return any(
        _scope_allows(grant, scope, letter, kind, resource, tuple(query), matches or token_matches, find)
        for text in grant.scopes
        if (scope := parse(text)) is not None
    )


def needed_scope(grant: Grant, interaction: str, kind: str) -> str:
    """The scope whose absence explains a refusal, at the level that the grant has."""
    levels = {scope.level for text in grant.scopes if (scope := parse(text)) is not None}
    level = next(
        (level for level in ("patient", "user", "system") if level in levels), "user" if grant.user else "system"
    )
    return f"{level}/{kind}.{LETTERS[interaction]}"


def _scope_allows(
    grant: Grant,
    scope: Scope,
    letter: str,
    kind: str,
    resource: Document | None,
    query: tuple[tuple[str, str], ...],
    matches: Matches,
    find: Find | None,
) -> bool:
    if letter not in scope.letters or scope.type not in ("*", kind):
        return False
    own = _only_patient(grant, scope)
    if own == "":
        return False
    if own is not None and not _within(own, letter, kind, resource, query, find):
        return False
    return resource is None or all(_meets(resource, part, matches) for part in scope.constraint)


def _only_patient(grant: Grant, scope: Scope) -> str | None:
    """Id of the one patient whose records the scope reaches; none for all of them, empty for nobody's."""
    if scope.level == "patient":
        return grant.context.patient or ""
    if scope.level == "user":
        return grant.user.patient if grant.user else ""
    return None


def _within(
    patient: str,
    letter: str,
    kind: str,
    resource: Document | None,
    query: tuple[tuple[str, str], ...],
    find: Find | None,
) -> bool:
    if kind in _SHARED:
        return letter in "rs"
    if resource is not None:
        return patient in patients_of(resource, find)
    names = ("_id",) if kind == "Patient" else _PATIENT_PARAMETERS
    asked = [value.split(",") for name, value in query if name.split(":")[0] in names]
    return all(patient in {reference.rpartition("/")[2] for reference in values} for values in asked)


def patients_of(resource: Document, find: Find | None = None) -> frozenset[str]:
    """Ids of the patients whose record a resource is; empty for one that is nobody's, or that cannot be told.

    ``Provenance`` is its targets' patient's, ``Binary`` that of its ``securityContext``, through ``find``.
    """
    return _patients_of(resource, find, _MAX_STEPS)


def _patients_of(resource: Document, find: Find | None, steps: int) -> frozenset[str]:
    kind = resource.get("resourceType")
    if kind == "Patient":
        return frozenset({str(resource.get("id", ""))} - {""})
    pointers = {"Provenance": ("target",), "Binary": ("securityContext",)}.get(str(kind), _WHOSE)
    patients: set[str] = set()
    for reference in (ref for name in pointers for ref in _references(resource.get(name))):
        target_kind, _, identity = "/".join(reference.split("/")[-2:]).partition("/")
        if target_kind == "Patient" and identity:
            patients.add(identity)
        elif pointers is not _WHOSE and find is not None and steps and (target := find(reference)) is not None:
            patients |= _patients_of(target, find, steps - 1)
    return frozenset(patients)


def _references(value: Any) -> list[str]:
    """References of an element; a versioned one is told without its version."""
    items = value if isinstance(value, list) else [value]
    texts = [item.get("reference") for item in items if isinstance(item, dict)]
    return [text.split("/_history/")[0] for text in texts if isinstance(text, str)]


def _meets(resource: Document, part: str, matches: Matches) -> bool:
    """Whether a resource meets one ``parameter=value`` of a scope; one that is malformed is met by nothing."""
    name, separator, value = part.partition("=")
    return bool(separator) and matches(resource, name, unquote(value))


def token_matches(resource: Document, parameter: str, value: str) -> bool:
    """Whether a token parameter (``category``, ``code``, ``clinical-status``, ``_tag``) matches; false for any other.

    FHIR R4 search.html#token: ``code``, ``system|code``, ``|code``, ``system|``; a comma separates alternatives.
    """
    first, *rest = parameter.split("-")
    element = first + "".join(part.capitalize() for part in rest)
    held = resource.get("meta", {}) if parameter in ("_tag", "_security") else resource
    codes = set(_codes(held.get(element.lstrip("_"))))
    for token in value.split(","):
        system, bar, code = token.rpartition("|")
        if any((not code or code == own) and (not bar or system == home) and token for home, own in codes):
            return True
    return False


def _codes(value: Any) -> Iterable[tuple[str, str]]:
    """``(system, code)`` of a code, Coding, CodeableConcept, Identifier or a list of them."""
    if isinstance(value, str):
        yield "", value
    elif isinstance(value, list):
        for item in value:
            yield from _codes(item)
    elif isinstance(value, dict):
        code = value.get("code", value.get("value"))
        if isinstance(code, str):
            yield str(value.get("system", "")), code
        yield from _codes(value.get("coding"))
