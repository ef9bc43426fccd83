// A small SMART application on the npm package fhirclient: /launch, /callback, then what it read, as JSON.
const http = require("http");
const smart = require("fhirclient");

const [issuer, clientId, scope] = process.argv.slice(2);
const values = new Map();
const storage = {
  get: async (key) => values.get(key),
  set: async (key, value) => (values.set(key, value), value),
  unset: async (key) => values.delete(key),
};

async function answer(request, response) {
  const api = smart(request, response, storage);
  if (request.url.startsWith("/launch")) {
    const launch = new URL(request.url, "http://localhost").searchParams.get("launch");
    await api.authorize({ clientId, scope, redirectUri: "callback", ...(launch ? {} : { iss: issuer }) });
    return;
  }
  const client = await api.ready();
  const patient = await client.patient.read();
  const found = await client.request(`Observation?patient=${patient.id}`);
  const refreshed = client.state.tokenResponse.refresh_token ? await client.refresh() : null;
  const again = await client.patient.read();
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({
    patient: patient.id,
    again: again.id,
    encounter: client.encounter.id,
    user: client.user.fhirUser,
    observations: found.total,
    refreshed: refreshed !== null,
  }));
}

const server = http.createServer((request, response) => {
  request.session = {};
  answer(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(String(error && error.message));
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
