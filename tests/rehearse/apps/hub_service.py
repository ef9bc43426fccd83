"""A service of a JupyterHub: whoever is signed in there opens a chart, below the prefix that the hub gives to it.

Each page asks the hub first who the reader is, which is a sign-in by OAuth of the hub's own, with cookies of its own.
The EHR's ends at a page that shows nobody: the record is read when the reader goes on from there. Whose chart is open
stands in this process, and a signed cookie of Tornado has the number of the session.
"""

import asyncio
import base64
import hashlib
import json
import os
import secrets
import time
from html import escape
from urllib.parse import urlencode, urlsplit

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.web import Application, HTTPError, RequestHandler, authenticated

HOSPITALS = {
    os.environ[f"SIM_{name.upper()}_ISS"]: {
        "id": name,
        "client_id": os.environ[f"SIM_{name.upper()}_CLIENT_ID"],
        "redirect_uri": os.environ[f"SIM_{name.upper()}_REDIRECT_URI"],
        "secret": os.environ[f"SIM_{name.upper()}_CLIENT_SECRET"],
    }
    for name in os.environ.get("SIM_ORGANIZATIONS", "").split()
}
SCOPE = "patient/Patient.rs patient/Observation.rs"
BASE = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
flows, sessions = {}, {}


async def ask(url, **more):
    """A JSON object, of no other address than was asked."""
    headers = {"Accept": "application/json, application/fhir+json", **more.pop("headers", {})}
    request = HTTPRequest(url, follow_redirects=False, request_timeout=4, headers=headers, **more)
    try:
        found = json.loads((await AsyncHTTPClient().fetch(request)).body)
    except (HTTPClientError, OSError, ValueError, RecursionError) as error:
        raise HTTPError(502, "The EHR gave no answer that can be used.") from error
    if not isinstance(found, dict) or found.get("resourceType") == "OperationOutcome":
        raise HTTPError(502, "The EHR gave no answer that can be used.")
    return found


class Page(HubOAuthenticated, RequestHandler):
    def set_default_headers(self):
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "frame-ancestors 'none'")

    def write_error(self, status_code, **_):
        self.set_status(status_code)
        self.page(f"<p>This cannot be shown ({status_code}).</p>")

    def page(self, body):
        self.finish(f"<!doctype html><title>Chart</title>{body}")

    def only(self, name):
        given = self.get_query_arguments(name, strip=False)
        if len(given) != 1 or not given[0]:
            raise HTTPError(400)
        return given[0]

    def cookie(self, name):
        return (self.get_signed_cookie(name) or b"").decode()

    def give(self, name, value):
        self.set_signed_cookie(name, value, expires_days=None, httponly=True, samesite="Lax", path=BASE)

    def patient_session(self):
        session = sessions.get(self.cookie("chart"))
        if session is None:
            raise HTTPError(401)
        return session


class Launch(Page):
    @authenticated
    async def get(self):
        iss, launch = self.only("iss"), self.only("launch")
        hospital = HOSPITALS.get(iss)
        if hospital is None:
            raise HTTPError(403)
        found = await ask(f"{iss}/.well-known/smart-configuration")
        authorize, token = str(found.get("authorization_endpoint")), str(found.get("token_endpoint"))
        if not (authorize.startswith(f"{iss}/") and token.startswith(f"{iss}/")):
            raise HTTPError(502)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        browser = self.cookie("began") or secrets.token_urlsafe(32)
        flows[state] = (browser, iss, token, verifier, time.time() + 600)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": hospital["client_id"],
            "redirect_uri": hospital["redirect_uri"],
            "scope": f"launch {SCOPE}",
            "launch": launch,
            "state": state,
            "aud": iss,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        self.give("began", browser)
        self.redirect(f"{authorize}{'&' if '?' in authorize else '?'}{urlencode(asked)}")


class Callback(Page):
    @authenticated
    async def get(self):
        began, iss, token, verifier, ends = flows.get(self.only("state"), ("", "", "", "", 0))
        if not began or not secrets.compare_digest(began, self.cookie("began")):
            raise HTTPError(400)
        del flows[self.only("state")]
        if ends < time.time() or self.only("iss") != f"{iss}/oauth2" or self.get_query_arguments("error"):
            raise HTTPError(400)
        hospital = HOSPITALS[iss]
        form = {
            "grant_type": "authorization_code",
            "code": self.only("code"),
            "redirect_uri": hospital["redirect_uri"],
            "code_verifier": verifier,
        }
        pair = base64.b64encode(f"{hospital['client_id']}:{hospital['secret']}".encode()).decode()
        told = await ask(token, method="POST", body=urlencode(form), headers={"Authorization": f"Basic {pair}"})
        known = isinstance(told.get("patient"), str) and isinstance(told.get("access_token"), str)
        if not known or str(told.get("token_type")).lower() != "bearer":
            raise HTTPError(502)
        sessions.pop(self.cookie("chart"), None)
        number = secrets.token_urlsafe(32)
        sessions[number] = {"iss": iss, "token": told["access_token"], "patient": told["patient"]}
        self.give("chart", number)
        self.redirect(f"{BASE}start")


class Start(Page):
    @authenticated
    async def get(self):
        self.patient_session()
        self.page(f'<p>You are signed in. <a href="{BASE}chart">Open the chart</a></p>')


class Chart(Page):
    @authenticated
    async def get(self):
        session = self.patient_session()
        headers = {"Authorization": f"Bearer {session['token']}"}
        patient = await ask(f"{session['iss']}/Patient/{session['patient']}", headers=headers)
        found = await ask(f"{session['iss']}/Observation?patient={session['patient']}", headers=headers)
        rows = [entry["resource"] for entry in found.get("entry", [])]
        own = [one for one in rows if one["subject"]["reference"] == f"Patient/{session['patient']}"]
        right = [one for one in own if one["status"] != "entered-in-error"]
        lines = [f"<li>{escape(one['code']['text'])}: {one['valueQuantity']['value']}</li>" for one in right]
        more = "<p>There is more.</p>" if any(link["relation"] == "next" for link in found.get("link", [])) else ""
        name = f"{' '.join(patient['name'][0]['given'])} {patient['name'][0]['family']}"
        self.page(f"<h1>{escape(name)}</h1><ul>{''.join(lines) or '<li>Nothing is recorded.</li>'}</ul>{more}")


class Leave(Page):
    @authenticated
    async def get(self):
        sessions.pop(self.cookie("chart"), None)
        self.clear_cookie("chart", path=BASE)
        self.page("<p>Bye.</p>")


async def serve():
    pages = {"launch": Launch, "callback": Callback, "start": Start, "chart": Chart, "leave": Leave}
    routes = [(f"{BASE}{name}", page) for name, page in {**pages, "oauth_callback": HubOAuthCallbackHandler}.items()]
    at = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    Application(routes, cookie_secret=secrets.token_bytes(32)).listen(at.port, at.hostname)
    await asyncio.Event().wait()


asyncio.run(serve())
