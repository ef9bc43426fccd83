"""Who signs in at a simulated organisation, into which context, and EHR launches of registered applications.

Sources: SMART App Launch 2.2, "Launch App: EHR Launch" and "Scopes for requesting context data".
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from interlock.model.errors import InterlockError
from interlock.sandbox.clients import Client
from interlock.sandbox.exchange import STYLE_PATH, Exchange
from interlock.sandbox.faults import for_grants
from interlock.sandbox.grants import Context, User
from interlock.sandbox.ledger import Launch, Ledger
from interlock.sandbox.oauth import NO_STORE, OAuthError, fields_once, shown
from interlock.sandbox.organizations import Document, SimulatedOrganization
from interlock.sandbox.replies import page

_CLINICIANS = 3


def users_of(organization: SimulatedOrganization) -> tuple[User, ...]:
    """The test users: up to three clinicians (``clinician``, ``clinician-2`` …), then ``patient``.

    They are the first practitioners and the first patient of the organisation's own people.
    """
    clinicians = [entry["id"] for entry in _of_type(organization, "Practitioner")][:_CLINICIANS]
    users = [
        _user(organization, f"clinician-{number}" if number > 1 else "clinician", f"Practitioner/{identity}")
        for number, identity in enumerate(clinicians, 1)
    ]
    patient = _first_patient(organization)
    return (*users, _user(organization, "patient", f"Patient/{patient}")) if patient else tuple(users)


def user_named(organization: SimulatedOrganization, hint: str) -> User | None:
    """The test user of this name, ``sub`` or record (``Practitioner/1``); the first one without a hint."""
    users = users_of(organization)
    if not hint:
        return users[0] if users else None
    return next((user for user in users if hint in (user.name, user.subject, user.fhir_user)), None)


def standalone_context(organization: SimulatedOrganization, user: User | None, *, encounter: bool) -> Context:
    """The context that a person would pick: their own record for a patient, the first patient for a clinician.

    :param encounter: whether the first encounter of that patient is picked too.
    """
    patient = (user.patient if user else None) or _first_patient(organization)
    return Context(patient=patient, encounter=_first_encounter(organization, patient) if encounter else None)


def begin_launch(
    ledger: Ledger,
    organization: SimulatedOrganization,
    client: Client,
    base: str,
    *,
    context: Context | None = None,
    user: str = "",
    refusal: str | None = None,
    access_seconds: float | None = None,
    handle: str | None = None,
    faults: Sequence[str] = (),
) -> str:
    """The address that the EHR opens to launch an application: its launch URL with ``iss`` and ``launch``.

    :param base: the FHIR base URL, which is ``iss``.
    :param context: by default the first patient with an encounter of theirs.
    :param user: name of the test user who is signed in at the EHR; by default the first one.
    :param refusal: an error code of RFC 6749 section 4.1.2.1 with which the sign-in will end.
    :param handle: the value of ``launch``, for a client that must carry back any; by default nobody can guess it.
    :param faults: names of faults that the application meets with the tokens of this launch.
    :raises InterlockError: the organisation offers no EHR launch, the client has no launch URL, no such user or fault.
    """
    if "launch-ehr" not in (organization.smart or {}).get("capabilities", ()):
        raise InterlockError(f"{organization.name} offers no EHR launch", remedy="use a standalone launch there")
    if not client.launch_uris:
        raise InterlockError(f"the client {client.id} has no launch URL", remedy="register it with one")
    who = user_named(organization, user)
    if user and who is None:
        names = ", ".join(known.name for known in users_of(organization))
        raise InterlockError(f"{organization.name} has no test user {user!r}", remedy=f"users: {names}")
    launch = Launch(
        organization=organization.id,
        client=client.id,
        context=_at_ehr(organization, base, context or standalone_context(organization, None, encounter=True)),
        user=who,
        expires=ledger.clock() + ledger.lifetimes.launch,
        refusal=refusal,
        access_seconds=access_seconds,
        faults=for_grants(faults),
    )
    return with_query(client.launch_uris[0], iss=base, launch=ledger.add_launch(launch, handle))


def open_application(exchange: Exchange) -> Response:
    """``GET ehr/launch?client=ID``: the EHR opens an application, as a person does from a chart.

    ``patient``, ``encounter``, ``intent`` and ``user`` choose the context; ``fault`` names faults, with commas, that
    the tokens of this launch meet. The redirect leads to the launch URL that the client registered and nowhere else;
    what cannot begin is told on a page.
    """
    try:
        asked = fields_once(str(exchange.request.url.query).encode())
        client = exchange.state.clients.get(exchange.organization.id, asked.get("client", ""))
        if client is None:
            raise InterlockError(f"no client {shown(asked.get('client', ''))} is registered here")
        chosen = Context(asked.get("patient"), asked.get("encounter"), asked.get("intent"))
        ledger, organization = exchange.state.ledger, exchange.organization
        address = begin_launch(
            ledger,
            organization,
            client,
            exchange.base,
            context=chosen if chosen.parameters() else None,
            user=asked.get("user", ""),
            faults=[name for name in asked.get("fault", "").split(",") if name],
        )
    except (InterlockError, OAuthError) as problem:
        words = problem.description if isinstance(problem, OAuthError) else str(problem)
        exchange.note(f"an EHR launch could not begin: {words}")
        return page("This application cannot be launched", f"<p>{html.escape(words)}</p>", 400)
    exchange.note(f"the EHR opened {client.id}")
    return Response(status_code=302, headers={**NO_STORE, "Location": address, "Referrer-Policy": "no-referrer"})


def _at_ehr(organization: SimulatedOrganization, base: str, context: Context) -> Context:
    """A context with what the EHR adds to it, as its capabilities say: banner, style, tenant."""
    capabilities = (organization.smart or {}).get("capabilities", ())
    if "context-banner" in capabilities and context.need_patient_banner is None:
        context = replace(context, need_patient_banner=True)
    if "context-style" in capabilities and context.smart_style_url is None:
        context = replace(context, smart_style_url=f"{base}/{STYLE_PATH}")
    return replace(context, tenant=context.tenant or organization.id)


def with_query(address: str, **more: str | None) -> str:
    """An address with parameters added to those of its query (RFC 6749 section 3.1.2); those of ``None`` are not."""
    parts = urlsplit(address)
    given = [(name, value) for name, value in more.items() if value is not None]
    query = "&".join(part for part in (parts.query, urlencode(given)) if part)
    return parts._replace(query=query).geturl()


def _user(organization: SimulatedOrganization, name: str, record: str) -> User:
    return User(name=name, fhir_user=record, subject=f"{organization.id}-{name}")


def _of_type(organization: SimulatedOrganization, kind: str) -> list[Document]:
    return [resource for resource in organization.resources if resource["resourceType"] == kind]


def _first_patient(organization: SimulatedOrganization) -> str | None:
    return next((str(patient["id"]) for patient in _of_type(organization, "Patient")), None)


def _first_encounter(organization: SimulatedOrganization, patient: str | None) -> str | None:
    wanted = f"Patient/{patient}"
    encounters = _of_type(organization, "Encounter")
    return next(
        (str(encounter["id"]) for encounter in encounters if encounter.get("subject", {}).get("reference") == wanted),
        None,
    )
