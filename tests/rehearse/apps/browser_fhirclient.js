// A browser application on fhirclient of npm: a page for the launch and one for each hospital, and nothing else on the
// server. The library keeps its state, with the access token, in the tab's sessionStorage.
const crypto = require("crypto");
const fs = require("fs");
const http = require("http");
const path = require("path");

const library = fs.readFileSync(path.join(path.dirname(require.resolve("fhirclient/package.json")), "build", "fhir-client.min.js"));
const hospitals = Object.fromEntries((process.env.SIM_ORGANIZATIONS || "").split(" ").filter(Boolean).map((name) => [
  process.env[`SIM_${name.toUpperCase()}_ISS`],
  {
    id: name,
    clientId: process.env[`SIM_${name.toUpperCase()}_CLIENT_ID`],
    redirectUri: process.env[`SIM_${name.toUpperCase()}_REDIRECT_URI`],
  },
]));

const begin = `
  const asked = new URLSearchParams(location.search), show = (words) => document.body.textContent = words;
  const known = HOSPITALS[asked.get("iss")];
  if (!known || asked.getAll("iss").length > 1 || asked.getAll("launch").length !== 1 || !asked.get("launch"))
    show("This hospital is not known here, or the launch is not complete.");
  else
    FHIR.oauth2.authorize({ clientId: known.clientId, redirectUri: known.redirectUri, pkceMode: "required",
      scope: "launch patient/Patient.rs patient/Observation.rs" }).catch(() => show("The EHR is not available."));`;
const read = `
  const show = (title, lines) => {
    const made = (name, text) => Object.assign(document.createElement(name), { textContent: text });
    document.body.replaceChildren(made("h1", title), ...lines.map((line) => made("p", line)));
  };
  (async () => {
    let client, patient, bundle;
    try {
      client = await FHIR.oauth2.ready();
    } catch { return show("Nobody is signed in here", ["Please open the application from the EHR."]); }
    if (!Object.hasOwn(HOSPITALS, client.state.serverUrl) || HOSPITALS[client.state.serverUrl].id !== ORG)
      return show("This answer came to the wrong place", []);
    if (!client.patient.id) return show("The EHR did not say which patient this is about", []);
    try {
      patient = await client.patient.read();
      bundle = await client.request(\`Observation?patient=\${client.patient.id}\`);
      if (patient.id !== client.patient.id || bundle.resourceType !== "Bundle") throw new Error();
    } catch { return show("The record could not be read", []); }
    const own = (bundle.entry || []).map((entry) => entry.resource).filter((found) => found.resourceType === "Observation"
      && found.subject && found.subject.reference === \`Patient/\${patient.id}\` && found.status !== "entered-in-error");
    const lines = own.map((found) => \`\${found.code.text}: \${found.valueQuantity ? found.valueQuantity.value : "no value"}\`);
    const more = (bundle.link || []).some((link) => link.relation === "next") ? ["There is more in the EHR."] : [];
    show(\`\${patient.name[0].given.join(" ")} \${patient.name[0].family}\`,
      lines.length ? [...lines, ...more] : ["Nothing is recorded."]);
  })().catch(() => show("The record could not be understood", []));`;

const page = (script, org = "") => {
  const told = `const HOSPITALS = ${JSON.stringify(hospitals)}, ORG = ${JSON.stringify(org)};${script}`;
  const hash = crypto.createHash("sha256").update(told).digest("base64");
  return { hash, text: `<!doctype html><title>Chart</title><script src="/fhir-client.js"></script><body><script>${told}</script>` };
};
const pages = { "/launch": page(begin) };
for (const hospital of Object.values(hospitals)) pages[`/${hospital.id}/chart`] = page(read, hospital.id);

http.createServer((request, response) => {
  const where = request.url.split("?")[0], found = pages[where];
  const headers = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer" };
  if (request.method !== "GET") return response.writeHead(405, headers).end();
  if (where === "/fhir-client.js")
    return response.writeHead(200, { ...headers, "Content-Type": "text/javascript" }).end(library);
  if (!found) return response.writeHead(404, headers).end();
  const policy = `default-src 'none'; script-src 'self' 'sha256-${found.hash}'; connect-src ${
    Object.keys(hospitals).map((iss) => new URL(iss).origin).join(" ")}; frame-ancestors 'none'`;
  response.writeHead(200, { ...headers, "Content-Type": "text/html", "Content-Security-Policy": policy }).end(found.text);
}).listen(Number(process.argv[2]), "127.0.0.1");
