// An Express application whose sign-in is done by fhirclient of npm, with sessions of express-session.
// A sign-in ends at "/", which leads to a page below the reader's language and sets a second cookie on the way.
const crypto = require("crypto");
const express = require("express");
const session = require("express-session");
const smart = require("fhirclient");

const hospitals = new Map((process.env.SIM_ORGANIZATIONS || "").split(" ").filter(Boolean).map((name) => [
  process.env[`SIM_${name.toUpperCase()}_ISS`],
  {
    id: name,
    clientId: process.env[`SIM_${name.toUpperCase()}_CLIENT_ID`],
    redirectUri: process.env[`SIM_${name.toUpperCase()}_REDIRECT_URI`],
  },
]));
const signedIn = new Map();
const app = express();
app.disable("x-powered-by");
app.use((request, response, next) => {
  response.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY" });
  next();
});
app.use(session({
  name: "sid",
  secret: crypto.randomBytes(32).toString("hex"),
  resave: false,
  saveUninitialized: true,
  cookie: { httpOnly: true, sameSite: "lax" },
}));

const escaped = (text) => String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
const refuse = (response, status, words) => response.status(status).send(`<p>${words}</p>`);
const one = (value) => (typeof value === "string" ? value : "");

app.get("/launch", async (request, response) => {
  const hospital = hospitals.get(one(request.query.iss));
  if (!hospital || !one(request.query.launch)) return refuse(response, 403, "This hospital is not known here.");
  const { clientId, redirectUri } = hospital;
  const scope = "launch patient/Patient.rs patient/Observation.rs";
  try {
    const following = await smart(request, response).authorize({
      clientId, redirectUri, scope, iss: request.query.iss, pkceMode: "required", noRedirect: true,
    });
    request.session.hospital = hospital.id;
    response.redirect(following);
  } catch {
    refuse(response, 502, "The EHR is not available.");
  }
});

app.get("/:org/callback", async (request, response) => {
  const [iss, hospital] = [...hospitals].find(([, known]) => known.id === request.params.org) || [];
  const began = request.session.hospital;
  if (!hospital || began !== hospital.id || one(request.query.iss) !== `${iss}/oauth2` || !one(request.query.state)) {
    return refuse(response, 400, "This answer is not the one that was asked for.");
  }
  try {
    const client = await smart(request, response).ready();
    if (!client.patient.id || client.state.serverUrl !== iss) return refuse(response, 400, "No patient was named.");
    request.session.regenerate(() => {
      signedIn.set(request.sessionID, client);
      response.redirect("/");
    });
  } catch {
    refuse(response, 400, "The hospital did not let you in.");
  }
});

app.get("/", (request, response) => {
  if (!signedIn.has(request.sessionID)) return refuse(response, 401, "Please open this from the EHR.");
  response.cookie("language", "en", { httpOnly: true, sameSite: "lax" });
  response.redirect("/en/chart");
});

app.get("/:language/chart", async (request, response) => {
  const client = signedIn.get(request.sessionID);
  if (!client) return refuse(response, 401, "Please open this from the EHR.");
  try {
    const patient = await client.patient.read();
    const found = await client.request(`Observation?patient=${patient.id}`, { pageLimit: 0, flat: true });
    const own = found.filter((each) => each.subject.reference === `Patient/${patient.id}`);
    const lines = own.map((each) => `<li>${escaped(each.code.text)}: ${escaped(each.valueQuantity.value)}</li>`);
    const name = `${patient.name[0].given.join(" ")} ${patient.name[0].family}`;
    response.send(`<h1>${escaped(name)}</h1><ul>${lines.join("") || "<li>Nothing is recorded.</li>"}</ul>`);
  } catch {
    refuse(response, 502, "The chart could not be read.");
  }
});

app.post("/logout", (request, response) => {
  signedIn.delete(request.sessionID);
  request.session.destroy(() => response.send("<p>Bye.</p>"));
});

app.use((error, request, response, next) => refuse(response, 400, "This is not understood."));
app.listen(Number(process.argv[2]), "127.0.0.1");
