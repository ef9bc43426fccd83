"""A small FastAPI application for several hospitals: SMART App Launch by hand, sessions in memory."""

import base64
import hashlib
import html
import os
import secrets
import time
from urllib.parse import urlencode

import httpx
from fastapi import Cookie, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

HOSPITALS = {
    os.environ[f"SIM_{name.upper()}_ISS"]: {
        "id": name,
        "client_id": os.environ[f"SIM_{name.upper()}_CLIENT_ID"],
        "redirect_uri": os.environ[f"SIM_{name.upper()}_REDIRECT_URI"],
    }
    for name in os.environ.get("SIM_ORGANIZATIONS", "").split()
}
ISSUERS = {hospital["id"]: iss for iss, hospital in HOSPITALS.items()}
SCOPE = "patient/Patient.rs patient/Observation.rs offline_access"
SAFE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}
flows, sessions = {}, {}
app = FastAPI(openapi_url=None)
ehr = httpx.AsyncClient(timeout=5, headers={"Accept": "application/fhir+json", "User-Agent": "small-app/1"})


async def discover(iss):
    try:
        answer = await ehr.get(f"{iss}/.well-known/smart-configuration", headers={"Accept": "application/json"})
        found = answer.raise_for_status().json()
        ends = found["authorization_endpoint"], found["token_endpoint"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        raise HTTPException(502, "The EHR is not available.") from None
    if not all(end.startswith(f"{iss}/") for end in ends):
        raise HTTPException(502, "The EHR's addresses are not its own.")
    return ends


async def begin(iss, launch=None):
    hospital = HOSPITALS.get(iss)
    if hospital is None:
        raise HTTPException(403, "This hospital is not known here.")
    authorize, token = await discover(iss)
    state, verifier, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(48), secrets.token_urlsafe(32)
    flows[state] = {"iss": iss, "token": token, "verifier": verifier, "browser": browser, "ends": time.time() + 600}
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": hospital["client_id"],
        "redirect_uri": hospital["redirect_uri"],
        "scope": f"launch {SCOPE}" if launch else f"launch/patient {SCOPE}",
        "state": state,
        "aud": iss,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if launch:
        asked["launch"] = launch
    answer = RedirectResponse(f"{authorize}{'&' if '?' in authorize else '?'}{urlencode(asked)}", 302)
    answer.set_cookie(f"flow_{state[:8]}", browser, max_age=600, httponly=True, samesite="lax")
    return answer


@app.get("/launch")
async def launch(iss: str, launch: str):
    return await begin(iss, launch)


@app.get("/{org}/login")
async def login(org: str):
    return await begin(ISSUERS.get(org))


async def tokens(session, **form):
    hospital = HOSPITALS[session["iss"]]
    try:
        answer = await ehr.post(session["token_url"], data={"client_id": hospital["client_id"], **form})
        told = answer.raise_for_status().json()
        session |= {"token": told["access_token"], "scope": told.get("scope", "").split()}
        if told["token_type"].lower() != "bearer":
            raise ValueError(told["token_type"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        raise HTTPException(502, "The EHR did not give a token.") from None
    session["refresh"] = told.get("refresh_token", session.get("refresh"))
    return told


@app.get("/{org}/callback")
async def callback(org: str, request: Request, state: str = "", code: str = "", iss: str = "", error: str = ""):
    flow = flows.get(state)
    if not flow or not secrets.compare_digest(request.cookies.get(f"flow_{state[:8]}", ""), flow["browser"]):
        raise HTTPException(400, "This sign-in did not begin here.")
    del flows[state]
    hospital = HOSPITALS[flow["iss"]]
    if flow["ends"] < time.time() or hospital["id"] != org or iss not in ("", f"{flow['iss']}/oauth2"):
        raise HTTPException(400, "This answer is not the one that was asked for.")
    if error or not code:
        raise HTTPException(403, "The hospital did not let you in.")
    session = {"iss": flow["iss"], "token_url": flow["token"]}
    told = await tokens(
        session,
        grant_type="authorization_code",
        code=code,
        redirect_uri=hospital["redirect_uri"],
        code_verifier=flow["verifier"],
    )
    if not isinstance(told.get("patient"), str):
        raise HTTPException(400, "The hospital did not say which patient this is.")
    session["patient"] = told["patient"]
    key = secrets.token_urlsafe(32)
    sessions[key] = session
    answer = RedirectResponse(f"/{org}/patient", 303)
    answer.set_cookie("session", key, path=f"/{org}", httponly=True, samesite="lax")
    return answer


async def read(session, path):
    for again in (True, False):
        answer = await ehr.get(f"{session['iss']}/{path}", headers={"Authorization": f"Bearer {session['token']}"})
        if answer.status_code == 401 and again and session["refresh"]:
            await tokens(session, grant_type="refresh_token", refresh_token=session["refresh"])
            continue
        break
    return answer.raise_for_status().json()


@app.get("/{org}/patient")
async def patient(org: str, session: str = Cookie("")):
    known = sessions.get(session)
    if known is None or HOSPITALS[known["iss"]]["id"] != org:
        raise HTTPException(401, "Please open this from the EHR.")
    try:
        who = await read(known, f"Patient/{known['patient']}")
        found = await read(known, f"Observation?patient={known['patient']}")
        name = who["name"][0]
        rows = [one["resource"] for one in found.get("entry", [])]
        own = [one for one in rows if one["subject"]["reference"] == f"Patient/{known['patient']}"]
        lines = [f"{one['code']['text']}: {one['valueQuantity']['value']}" for one in own]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return HTMLResponse("<p>The chart could not be read.</p>", 502, SAFE)
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    title = html.escape(f"{' '.join(name['given'])} {name['family']}")
    return HTMLResponse(f"<h1>{title}</h1><ul>{items or '<li>Nothing is recorded.</li>'}</ul>", headers=SAFE)


@app.post("/{org}/logout")
async def logout(org: str, session: str = Cookie("")):
    if sessions.pop(session, None) is None:
        raise HTTPException(401, "Nobody is signed in.")
    answer = HTMLResponse("<p>Bye.</p>")
    answer.delete_cookie("session", path=f"/{org}")
    return answer
