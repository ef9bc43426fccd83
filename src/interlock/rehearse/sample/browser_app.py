"""The same application once more as a browser application: a page, a script, and nothing on the server.

A public client with PKCE. Its flow is in the tab's sessionStorage until the answer comes, its token in memory alone; so
a page that is loaded again shows nobody. It asks for no refresh token, and for no ID token, since it needs no user.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interlock.rehearse.sample.parts import HEADERS, Hospital

PAGE = """<!doctype html><meta charset="utf-8"><title>Patient</title>
<main id="page"><h1>One moment, please</h1></main><script src="/browser/app.js"></script>"""

SCRIPT = r"""'use strict';
const MAX_CHARACTERS = 1000000, MAX_PAGES = 5, FLOW_MS = 600000, OLDEST_MS = 4 * 3600000;
class Trouble extends Error {}

const show = (title, note, lines) => {
  const main = document.getElementById('page');
  const made = (name, text) => { const one = document.createElement(name); one.textContent = text; return one; };
  main.replaceChildren(made('h1', title));
  if (note) main.append(made('p', note));
  if (lines) { const list = document.createElement('ul'); list.append(...lines.map(line => made('li', line)));
    main.append(list); }
};
const coded = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const random = () => coded(crypto.getRandomValues(new Uint8Array(36)));

const ask = async (address, options = {}) => {
  let answer, text;
  try {
    answer = await fetch(address, {
      ...options, credentials: 'omit', redirect: 'error', cache: 'no-store', signal: AbortSignal.timeout(4000) });
    text = await answer.text();
  } catch { throw new Trouble('The EHR gave no answer.'); }
  if (answer.status === 401) throw new Trouble('The EHR ended this session. Please open the application again.');
  if (answer.status === 403) throw new Trouble(text.includes('"suppressed"')
    ? 'The EHR wants a reason before it shows this. Please give it there.' : 'The EHR does not permit it.');
  if (!answer.ok) throw new Trouble(`The EHR answered with an error (${answer.status}).`);
  if (text.length > MAX_CHARACTERS) throw new Trouble("The EHR's answer is too large.");
  let found;
  try { found = JSON.parse(text); } catch { throw new Trouble('The EHR gave no answer that can be read.'); }
  if (found === null || typeof found !== 'object' || found.resourceType === 'OperationOutcome')
    throw new Trouble('The EHR gave no answer that can be used.');
  return found;
};

const begin = async (hospital, launch) => {
  const found = await ask(`${hospital.iss}/.well-known/smart-configuration`);
  for (const name of ['authorization_endpoint', 'token_endpoint', 'issuer'])
    if (!String(found[name]).startsWith(`${hospital.iss}/`))
      throw new Trouble("The EHR's sign-in has changed. Its address was not used.");
  const state = random(), verifier = random();
  const flow = {
    org: hospital.id, verifier, token: found.token_endpoint, issuer: found.issuer, ends: Date.now() + FLOW_MS };
  sessionStorage.setItem(`flow ${state}`, JSON.stringify(flow));
  const able = found.capabilities || [], older = able.includes('permission-v1') && !able.includes('permission-v2');
  const granted = older ? 'read' : 'rs';
  const challenge = coded(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const asked = {
    response_type: 'code', client_id: hospital.client, redirect_uri: hospital.back, aud: hospital.iss, state,
    scope: `${launch === null ? 'launch/patient' : 'launch'} patient/Observation.${granted} patient/Patient.${granted}`,
    code_challenge: challenge, code_challenge_method: 'S256', ...(launch === null ? {} : { launch }) };
  const address = found.authorization_endpoint;
  location.replace(`${address}${address.includes('?') ? '&' : '?'}${new URLSearchParams(asked)}`);
};

const answered = async (hospital, given) => {
  const known = `flow ${given.get('state')}`, flow = JSON.parse(sessionStorage.getItem(known) || 'null');
  history.replaceState(null, '', `/browser/${hospital.id}/patient`);
  sessionStorage.removeItem(known);
  if (flow === null || flow.ends < Date.now() || [...given.keys()].length !== new Set(given.keys()).size)
    throw new Trouble('This sign-in is not known in this tab, or took too long. Please open the application again.');
  if (flow.org !== hospital.id) throw new Trouble('This answer came to the wrong place.');
  if (given.has('iss') && given.get('iss') !== flow.issuer)
    throw new Trouble('Another system answered than was asked.');
  if (given.has('error') || !given.has('code')) throw new Trouble('The EHR did not let you in.');
  const form = { grant_type: 'authorization_code', code: given.get('code'), redirect_uri: hospital.back,
    code_verifier: flow.verifier, client_id: hospital.client };
  const token = await ask(flow.token, { method: 'POST', body: new URLSearchParams(form) });
  if (String(token.token_type).toLowerCase() !== 'bearer' || typeof token.access_token !== 'string')
    throw new Trouble('The EHR gave a token of an unknown kind.');
  if (typeof token.patient !== 'string' || !token.patient)
    throw new Trouble('The EHR did not say which patient this is about. Nothing was read.');
  await shown(hospital, token);
};

const permitted = (scope, kind) => String(scope).split(/\s+/).some(
  one => ['patient', 'user'].some(level => one.startsWith(`${level}/${kind}.`) || one.startsWith(`${level}/*.`)));

const unused = record => {
  if (!record.status) return 'its status is not recorded';
  if (!record.effectiveDateTime) return 'its time is not recorded';
  if (!/(Z|[+-]\d\d:\d\d)$/.test(record.effectiveDateTime)) return 'its time has no zone';
  return Date.now() - Date.parse(record.effectiveDateTime) > OLDEST_MS ? 'it is older than four hours' : '';
};
const amount = record => {
  const value = record.valueQuantity || {};
  if (value.value === undefined) return 'no value is recorded';
  return value.unit ? `${value.comparator || ''}${value.value} ${value.unit}` : 'not used: a unit is not recorded';
};
const lineOf = record => {
  const code = record.code || {}, why = unused(record);
  const mapped = (code.coding || []).some(coding => coding.system === 'http://loinc.org');
  return `${code.text || 'no name'}: ${why ? `not used: ${why}` : amount(record)}`
    + (mapped ? '' : ' (its code is not known here)');
};
const lacks = patient => [['identifier', 'An identifier'], ['birthDate', 'The birth date'], ['gender', 'The gender']]
  .filter(([name]) => !patient[name]).map(([, called]) => `${called} is not recorded.`);

const shown = async (hospital, token) => {
  const read = path => ask(`${hospital.iss}/${path}`,
    { headers: { Accept: 'application/fhir+json', Authorization: `Bearer ${token.access_token}` } });
  if (!permitted(token.scope, 'Patient')) throw new Trouble('The EHR does not permit to read the patient.');
  const patient = await read(`Patient/${encodeURIComponent(token.patient)}`);
  if (patient.id !== token.patient) throw new Trouble('The EHR answered with another patient than was asked for.');
  if ((patient.link || []).some(link => link.type === 'replaced-by'))
    throw new Trouble('Another record took the place of this one. Please open that one in the EHR.');
  const name = (patient.name || [{}])[0], title = `${(name.given || []).join(' ')} ${name.family || ''}`.trim();
  const head = token.need_patient_banner === false ? 'Observations' : title || 'no name';
  if (!permitted(token.scope, 'Observation')) return show(head, 'The EHR does not permit to read more.');
  const lines = [], known = new Set();
  let note = '', path = `Observation?patient=${encodeURIComponent(token.patient)}`;
  try {
    for (let at = 0; path; at++) {
      if (at === MAX_PAGES) { note = 'There is more. This list is incomplete.'; break; }
      const bundle = await read(path);
      for (const { resource } of bundle.entry || []) {
        const own = resource && resource.resourceType === 'Observation' && resource.subject
          && resource.subject.reference === `Patient/${token.patient}`;
        if (!own || ['entered-in-error', 'cancelled'].includes(resource.status)) continue;
        const names = [resource.id, ...(resource.identifier || []).map(one => `${one.system}|${one.value}`)];
        if (!names.some(one => known.has(one))) lines.push(lineOf(resource));
        names.forEach(one => known.add(one));
      }
      const next = ((bundle.link || []).find(link => link.relation === 'next') || {}).url || '';
      if (next && !next.startsWith(`${hospital.iss}/`))
        throw new Trouble('More was offered at another address, which was not asked.');
      path = next.slice(hospital.iss.length + 1);
    }
  } catch (trouble) { note = `${trouble.message} This list is incomplete.`; }
  show(head, note, [...lacks(patient), ...(lines.length || note ? lines : ['Nothing is recorded.'])]);
};

(async () => {
  const given = new URLSearchParams(location.search), [, , org, what] = location.pathname.split('/');
  try {
    if (org === 'launch') {
      const [iss, launch] = ['iss', 'launch'].map(name => given.getAll(name));
      if (iss.length !== 1 || launch.length !== 1) throw new Trouble('This launch is not complete.');
      const hospital = HOSPITALS.find(known => known.iss === iss[0]);
      if (!hospital) throw new Trouble('This application is not set up for the system that opened it.');
      await begin(hospital, launch[0]);
      return;
    }
    const hospital = HOSPITALS.find(known => known.id === org);
    if (!hospital) throw new Trouble('There is nothing here.');
    if (what === 'start') await begin(hospital, null);
    else if (what === 'callback') await answered(hospital, given);
    else throw new Trouble('Please open the application from the EHR.');
  } catch (trouble) {
    show('This cannot be opened', trouble instanceof Trouble ? trouble.message : 'Something went wrong.');
  }
})();
"""


def routes(hospitals: Iterable[Hospital]) -> list[Route]:
    """Its addresses: one page for all of them, and the script."""
    known = [{"id": one.id, "iss": one.iss, "client": one.client_id, "back": one.redirect_uri} for one in hospitals]
    origins = " ".join(sorted({f"{urlsplit(one['iss']).scheme}://{urlsplit(one['iss']).netloc}" for one in known}))
    own = f"script-src 'self'; connect-src {origins}; base-uri 'none'"
    headers = {**HEADERS, "Content-Security-Policy": f"{HEADERS['Content-Security-Policy']}; {own}"}

    async def page(_: Request) -> Response:
        return Response(PAGE, headers=headers, media_type="text/html")

    async def script(_: Request) -> Response:
        return Response(
            f"const HOSPITALS = {json.dumps(known)};\n{SCRIPT}", headers=HEADERS, media_type="text/javascript"
        )

    paths = ("/browser/launch", "/browser/{org}/start", "/browser/{org}/callback", "/browser/{org}/patient")
    return [*(Route(path, page) for path in paths), Route("/browser/app.js", script)]
