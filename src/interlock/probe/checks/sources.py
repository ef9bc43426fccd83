"""The specifications that checks cite: their titles and addresses."""

from __future__ import annotations

from interlock.model.base import Reference

_SOURCES: dict[str, tuple[str, str]] = {
    "R4-HTTP": ("FHIR R4, RESTful API", "https://hl7.org/fhir/R4/http.html"),
    "R4-CS": ("FHIR R4, CapabilityStatement", "https://hl7.org/fhir/R4/capabilitystatement.html"),
    "R4-CSD": (
        "FHIR R4, CapabilityStatement definitions",
        "https://hl7.org/fhir/R4/capabilitystatement-definitions.html",
    ),
    "R4-SEARCH": ("FHIR R4, Search", "https://hl7.org/fhir/R4/search.html"),
    "R4-TERM": ("FHIR R4, Using Codes with URIs", "https://hl7.org/fhir/R4/terminologies-systems.html"),
    "R4-ISSUE": ("FHIR R4, Issue types", "https://hl7.org/fhir/R4/valueset-issue-type.html"),
    "R4-STATUS": ("FHIR R4, Observation status", "https://hl7.org/fhir/R4/valueset-observation-status.html"),
    "R4-SEC": ("FHIR R4, Security", "https://hl7.org/fhir/R4/security.html"),
    "R4-VER": ("FHIR R4, Managing multiple FHIR versions", "https://hl7.org/fhir/R4/versioning.html"),
    "DSTU2": ("FHIR DSTU2, Conformance", "https://hl7.org/fhir/DSTU2/conformance.html"),
    "STU3": ("FHIR STU3, CapabilityStatement", "https://hl7.org/fhir/STU3/capabilitystatement.html"),
    "R4B": ("FHIR R4B, CapabilityStatement", "https://hl7.org/fhir/R4B/capabilitystatement.html"),
    "R5": ("FHIR R5, CapabilityStatement", "https://hl7.org/fhir/R5/capabilitystatement.html"),
    "SM-CONF": (
        "SMART App Launch 2.2.0, Conformance",
        "https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html",
    ),
    "SM-APP": ("SMART App Launch 2.2.0, App Launch", "https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html"),
    "SM-SCOPE": (
        "SMART App Launch 2.2.0, Scopes and Launch Context",
        "https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html",
    ),
    "SM-ASYM": (
        "SMART App Launch 2.2.0, Asymmetric client authentication",
        "https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html",
    ),
    "SM-BACK": (
        "SMART App Launch 2.2.0, Backend Services",
        "https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html",
    ),
    "UDAP": ("UDAP Security 1.0, Discovery", "https://hl7.org/fhir/us/udap-security/STU1/discovery.html"),
    "UDAP-2": ("UDAP Security 2.0, Discovery", "https://hl7.org/fhir/us/udap-security/STU2/discovery.html"),
    "BULK": ("Bulk Data Access 2.0.0, Export", "https://hl7.org/fhir/uv/bulkdata/STU2/export.html"),
    "CDSH": ("CDS Hooks 2.0", "https://cds-hooks.hl7.org/2.0/"),
    "SM-1.0": (
        "SMART App Launch 1.0.0, Conformance",
        "https://hl7.org/fhir/smart-app-launch/1.0.0/conformance/index.html",
    ),
    "OIDC-D": (
        "OpenID Connect Discovery 1.0",
        "https://openid.net/specs/openid-connect-discovery-1_0.html",
    ),
    "SM-INTRO": (
        "SMART App Launch 2.2.0, Token Introspection",
        "https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html",
    ),
    "SM-BRAND": (
        "SMART App Launch 2.2.0, User-access Brands",
        "https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html",
    ),
    "UC6": ("US Core 6.1.0", "https://hl7.org/fhir/us/core/STU6.1/"),
    "G10": (
        "ONC test procedure of criterion 170.315(g)(10)",
        "https://www.healthit.gov/test-method/standardized-api-patient-and-population-services",
    ),
    "UC8": ("US Core 8.0.0", "https://hl7.org/fhir/us/core/STU8/"),
    "UC7": ("US Core 7.0.0", "https://hl7.org/fhir/us/core/STU7/"),
}


def cite(source: str, fragment: str = "", section: str = "", page: str = "") -> Reference:
    """A reference to a section of a specification, or of an RFC given as ``RFC 7517``.

    ``section`` is what the reader is shown; without it the fragment is shown as words.

    :raises KeyError: no such source (a mistake in a check, found by its test).
    """
    if source.startswith("RFC "):
        title, url = source, f"https://www.rfc-editor.org/rfc/rfc{source.removeprefix('RFC ')}"
    else:
        title, url = _SOURCES[source]
        title, url = f"{title},", url + page
    section = section or fragment.replace("-", " ")
    anchor = f"#{fragment}" if fragment else ""
    return Reference.trusted(title=f"{title} {section}".rstrip(", "), url=url + anchor)
