"""Which requests a base URL calls for, and which advertised addresses may be followed. Pure: nothing is contacted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urljoin

from interlock.fhir.addresses import without_tails
from interlock.model.address_secrets import REMEDY, secret_in_base
from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.probe.transport.addresses import REASONS, Origin, has_userinfo, kind_of_host, origin, split

MAX_URL = 2048
SMART_PATH = ".well-known/smart-configuration"
OPENID_PATH = ".well-known/openid-configuration"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_FORBIDDEN = re.compile(r"[\s\x00-\x20\x7f-\x9f<>\"\\^`{|}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Rung:
    """One attempt at a document: the Accept header to send, and a query to append."""

    accept: str
    query: str = ""


#: How to ask for the statement as JSON, best first (FHIR R4 http.html: mime types, version parameter, ``_format``). A
#: server of several releases answers in the version asked for, a server that ignores the parameter with its default.
#: DSTU2's own media type comes third, the query that overrides Accept last.
METADATA_LADDER = (
    Rung("application/fhir+json; fhirVersion=4.0"),
    Rung("application/fhir+json"),
    Rung("application/json+fhir"),
    Rung("application/json"),
    Rung("*/*", "_format=json"),
)
#: What a read or a search accepts.
FHIR_JSON = "application/fhir+json, application/json;q=0.9"
#: SMART App Launch 2.2: the answer is ``application/json`` whatever Accept says, and clients may omit it.
JSON_LADDER = (Rung("application/json"), Rung("*/*"))


def clean_base_url(text: str) -> str:
    """The FHIR base URL that a person or a directory meant.

    White space, a query, a fragment, trailing slashes, a trailing ``/metadata`` and a trailing SMART address are
    removed; scheme and host become lower-case. ``HTTPS://Ehr.Example/R4/metadata#x`` gives ``https://ehr.example/R4``.

    :raises InterlockError: no scheme, another scheme than http(s), no host, a bad port, credentials, or characters
        that no URL has.
    """
    given = text.strip()
    if (kind := secret_in_base(given)) is not None:
        raise InterlockError(f"the base URL holds {kind}", remedy=REMEDY)
    shown = plain(given, 120)
    match = _SCHEME.fullmatch(given)
    if match is None:
        remedy = f"write https://{_guess(given)}" if _guess(given) else "write https:// and the host"
        raise InterlockError(f"“{shown}” is no base URL: it has no scheme", remedy=remedy)
    scheme, rest = match[1].lower(), match[2]
    if scheme not in {"http", "https"}:
        raise InterlockError(f"“{shown}” is no base URL: {scheme} cannot be probed", remedy="give an https:// address")
    rest = rest.partition("#")[0].partition("?")[0]
    if len(rest) > MAX_URL or _FORBIDDEN.search(rest):
        problem = (
            f"it is longer than {MAX_URL} characters" if len(rest) > MAX_URL else "it holds a space or a bad character"
        )
        raise InterlockError(f"“{shown}” is no base URL: {problem}", remedy="copy the address again")
    authority, slash, path = rest.partition("/")
    if authority.lower() in {"http:", "https:"}:
        raise InterlockError(f"“{shown}” is no base URL: it has two schemes", remedy="leave the first one out")
    url = f"{scheme}://{authority.lower()}{without_tails(slash + path)}"
    if split(url) is None:
        raise InterlockError(
            f"“{shown}” is no base URL: it has no host, or a bad port", remedy="copy the address again"
        )
    return url


def _guess(given: str) -> str:
    """Host and path of an address that lost its scheme, or an empty string when it begins with a path."""
    rest = given.rpartition("://")[2].lstrip(":\"' ").partition("#")[0]
    return "" if rest.startswith(("/", ".")) else plain(without_tails(rest), 120)


def metadata_url(base: str) -> str:
    """Address of the capability statement (FHIR R4 http.html, capabilities)."""
    return f"{base}/metadata"


def smart_url(base: str) -> str:
    """Address of the SMART configuration: appended to the base, path included (SMART 2.2, using well-known)."""
    return f"{base}/{SMART_PATH}"


def cds_url(service: str) -> str:
    """Address of a CDS service's discovery (CDS Hooks 2.0, Discovery); the product serves it, not the EHR."""
    url = service.rstrip("/")
    return url if url.endswith("/cds-services") else f"{url}/cds-services"


#: What people leave off a base URL most often (judgement): the API's name and the release.
_LAST_SEGMENTS = ("fhir", "r4", "R4")


def deeper_bases(base: str) -> tuple[str, ...]:
    """Addresses a path segment deeper at which a FHIR base may be, at most three."""
    last = base.rpartition("/")[2].lower()
    return tuple(f"{base}/{name}" for name in _LAST_SEGMENTS if name.lower() != last)


def smart_root_url(base: str) -> str | None:
    """Address of a SMART configuration at the host's root, where some servers publish it; none if that is the base."""
    parts = split(base)
    if parts is None or not parts.path.strip("/"):
        return None
    return f"{parts.scheme}://{parts.netloc}/{SMART_PATH}"


def openid_url(issuer: str) -> str:
    """Address of an issuer's discovery document (OpenID Connect Discovery 1.0 section 4).

    One terminating slash is removed before the path is appended. An issuer that already is a ``.well-known`` address
    breaks the rule; it is asked as it stands, because nothing is published below it.
    """
    if OPENID_PATH in issuer:
        return issuer
    return f"{issuer.removesuffix('/')}/{OPENID_PATH}"


#: Types of FHIR R4's patient compartment, as far as their names are not everyday words of other web addresses.
_PATIENT_TYPES = frozenset(
    [
        "AdverseEvent",
        "AllergyIntolerance",
        "Appointment",
        "AppointmentResponse",
        "BodyStructure",
        "CarePlan",
        "CareTeam",
        "ChargeItem",
        "Claim",
        "ClaimResponse",
        "ClinicalImpression",
        "Communication",
        "CommunicationRequest",
        "Composition",
        "Condition",
        "Consent",
        "Coverage",
        "DetectedIssue",
        "DeviceRequest",
        "DeviceUseStatement",
        "DiagnosticReport",
        "DocumentManifest",
        "DocumentReference",
        "Encounter",
        "EpisodeOfCare",
        "ExplanationOfBenefit",
        "FamilyMemberHistory",
        "ImagingStudy",
        "Immunization",
        "ImmunizationEvaluation",
        "ImmunizationRecommendation",
        "MedicationAdministration",
        "MedicationDispense",
        "MedicationRequest",
        "MedicationStatement",
        "MolecularSequence",
        "NutritionOrder",
        "Observation",
        "Patient",
        "Procedure",
        "QuestionnaireResponse",
        "RelatedPerson",
        "RequestGroup",
        "ResearchSubject",
        "RiskAssessment",
        "ServiceRequest",
        "Specimen",
        "SupplyDelivery",
        "SupplyRequest",
        "VisionPrescription",
    ]
)


def is_patient_data(url: str) -> bool:
    """Whether an address is a search, a read, a history or an operation on a patient's resources.

    Its path ends in such a type, or a segment later; parameters, operations and versions do not count. A discovery
    document never is; a server that redirects there must not make the probe read a record.
    """
    parts = split(url)
    path = unquote(parts.path) if parts else ""
    segments = [name for segment in path.split("/") if (name := segment.partition(";")[0])]
    if "_history" in segments:
        segments = segments[: segments.index("_history")]
    while segments and segments[-1].startswith(("$", "_", "*")):
        segments.pop()
    if not segments or segments[-1] in {"metadata", "smart-configuration", "openid-configuration"}:
        return False
    return not _PATIENT_TYPES.isdisjoint(segments[-2:])


@dataclass(frozen=True, slots=True)
class Advertised:
    """An address that a server advertised: ``url`` to ask, or none and the reason why it is not asked."""

    url: str | None
    reason: str = ""


def follow(advertised: str, base: str, private_origins: frozenset[Origin] = frozenset()) -> Advertised:
    """Whether the probe may contact an address that a document of the server at ``base`` names.

    Relative addresses are resolved against the base (SMART 2.2: a client SHOULD). Followed are https, and http only
    on the base's own origin or on an origin in ``private_origins``. No server can send the probe into a private network
    elsewhere. Names are judged again when their addresses are known.
    """
    try:
        url = urljoin(f"{base}/", advertised.strip()).partition("#")[0]
    except ValueError:
        return Advertised(None, f"“{plain(advertised, 120)}” is no address")
    target = origin(url)
    if "{" in url or "}" in url:
        return Advertised(None, f"“{plain(advertised, 120)}” is a template whose braces are to be filled in")
    if target is None or len(url) > MAX_URL or _FORBIDDEN.search(url):
        return Advertised(None, f"“{plain(advertised, 120)}” is no http address")
    if has_userinfo(url):
        return Advertised(None, f"the address at {target.host} holds credentials")
    if is_patient_data(url):
        return Advertised(None, f"{plain(url, 120)} is an address of patient data")
    private_ok = target in private_origins
    kind = kind_of_host(target.host)
    if kind == "never" or (kind == "private" and not private_ok):
        return Advertised(None, f"{plain(url, 120)} {REASONS[kind]}")
    if target.scheme != "https" and target != origin(base) and not private_ok:
        return Advertised(None, f"{plain(url, 120)} is not https")
    return Advertised(url)
