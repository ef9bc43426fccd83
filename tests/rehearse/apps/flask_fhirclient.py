"""A Flask application whose sign-in is done by fhirclient of PyPI: one redirect address and one page for all hospitals.

Who is signed in stands in this process; the browser has a signed cookie of Flask with the number of the session.
"""

import os
import secrets
from html import escape

from fhirclient import client
from fhirclient.models.observation import Observation
from flask import Flask, abort, redirect, request, session

HOSPITALS = {
    os.environ[f"SIM_{name.upper()}_ISS"]: {
        "app_id": os.environ[f"SIM_{name.upper()}_CLIENT_ID"],
        "redirect_uri": os.environ[f"SIM_{name.upper()}_REDIRECT_URI"],
        "scope": "launch patient/Patient.rs patient/Observation.rs",
    }
    for name in os.environ.get("SIM_ORGANIZATIONS", "").split()
}
flows, signed_in = {}, {}
app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)
app.config.update(SESSION_COOKIE_SAMESITE="Lax")


@app.get("/launch")
def launch():
    iss, handle = request.args.get("iss", ""), request.args.get("launch", "")
    if iss not in HOSPITALS or not handle:
        abort(403)
    smart = client.FHIRClient(settings={**HOSPITALS[iss], "api_base": iss, "launch_token": handle})
    try:
        following = smart.authorize_url
    except Exception:
        abort(502)
    if not following:
        abort(502)
    begun = secrets.token_urlsafe(32)
    session.setdefault("begun", begun)
    flows[smart.server.auth.auth_state] = (session["begun"], iss, smart)
    return redirect(following)


@app.get("/callback")
def callback():
    began, iss, smart = flows.pop(request.args.get("state", ""), (None, "", None))
    if began is None or began != session.get("begun") or request.args.get("iss") != f"{iss}/oauth2":
        abort(400)
    try:
        smart.handle_callback(request.url)
    except Exception:
        abort(400)
    if not smart.patient_id:
        abort(400)
    signed_in.pop(session.get("number"), None)
    session.clear()
    session["number"] = secrets.token_urlsafe(32)
    signed_in[session["number"]] = smart
    return redirect("/chart")


@app.get("/chart")
def chart():
    smart = signed_in.get(session.get("number"))
    if smart is None:
        abort(401)
    try:
        name = smart.human_name(smart.patient.name[0])
        found = Observation.where({"patient": smart.patient_id}).perform_resources(smart.server)
    except Exception:
        return "<p>The chart could not be read.</p>", 502
    own = [one for one in found if one.subject.reference == f"Patient/{smart.patient_id}"]
    lines = "".join(f"<li>{escape(one.code.text)}: {one.valueQuantity.value}</li>" for one in own)
    return f"<h1>{escape(name)}</h1><ul>{lines or '<li>Nothing is recorded.</li>'}</ul>"


@app.post("/logout")
def logout():
    signed_in.pop(session.pop("number", None), None)
    return "<p>Bye.</p>"


@app.after_request
def headers(answer):
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["X-Frame-Options"] = "DENY"
    return answer
