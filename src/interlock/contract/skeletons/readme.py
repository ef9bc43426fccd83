"""``README.md``: how somebody who has nothing but the exported folder comes to a first resource, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interlock.contract.scopes import keyed_needs
from interlock.contract.skeletons.names import need_names
from interlock.contract.skeletons.pages import OPEN, cell, page, table
from interlock.model.resolved import ResolvedContract, ResolvedOrganization

README = "README.md"
#: A patient of each simulated hospital that we ship.
_PATIENTS = {
    "lakeshore": "lk-patient-1",
    "pinecrest": "pc-patient-1",
    "riverside": "rv-patient-1",
    "summerfield": "sf-gwen",
}
#: Where the client's sign-in listens unless it is told otherwise.
_HERE = "http://127.0.0.1:8400"
_ABOUT = (
    "This folder is made of the workflow contract by `interlock contract export`. Edit what you like: an edited file",
    "is kept, and the next export puts `NAME.new` beside it only where the new text differs from the last one that was",
    "made. A file that was deleted returns. The client and the tests read `contract.lock.json` alone: an edit of",
    "`settings/` or of a page changes no test. Change the contract, and export again.",
)
_FILES = (
    (
        "contract.lock.json",
        "the contract as each organisation has it, with what its server was seen to offer; `server.simulated` names "
        "which of its addresses are simulated",
    ),
    (
        "client/fhir_client.py",
        "reads and writes what the contract says; a getter for each need. Copy it into your product",
    ),
    ("tests/", "holds any FHIR server to the contract; `tests/examples/` has what is written, to edit"),
    (
        "auth-matrix.md, failure-modes.md, endpoints.md, test-plan.md",
        "what has to hold, and the test or person that holds it",
    ),
    ("workflow-contract.md", "the page to sign"),
    ("scopes.json, settings/, registration/", "what is registered and set at each organisation"),
    ("capability-statement.json, profiles/", "what the server has to offer, in FHIR's own form"),
)


def readme(resolved: ResolvedContract) -> Mapping[str, str]:
    """The page."""
    parts = (
        _ten_minutes(resolved),
        _for_real(),
        table(
            "Variables",
            ("Organisation", "`--org`", "FHIR base URL", "Client id", "Private key"),
            (
                (
                    cell(org.name),
                    f"`{org.id}`",
                    cell(org.fhir_base_url) + (", simulated: give `--base`" if org.simulated else ""),
                    f"`{org.variable('client_id')}`",
                    f"`{org.variable('private_key')}`",
                )
                for org in resolved.organizations
            ),
        ),
        table("What is here", ("File", "What it is"), ((f"`{name}`", purpose) for name, purpose in _FILES)),
    )
    return {README: page(f"Integration of {cell(resolved.product)}", resolved, _ABOUT, parts)}


def _ten_minutes(resolved: ResolvedContract) -> Iterator[str]:
    yield from ("## The first resource, in ten minutes", "")
    chosen = _simulated(resolved)
    if chosen is None:
        yield f"{OPEN}: no organisation of the contract is a simulated one (`fhir_base_url: sandbox://riverside`)."
        return
    hospital, launch = chosen.simulated or "", resolved.contract.launch
    modes = [mode for mode in launch.modes if mode != "backend"]
    offered = [mode.client.mode for mode in chosen.clients if mode.path.state != "not_offered"]
    mode = next((mode for mode in modes if mode in offered), next(iter(modes), None))
    back = f" --redirect {_HERE}/callback" + (f" --launch-url {_HERE}/launch" if mode == "ehr" else "") if mode else ""
    yield from (
        "In this folder, with Python 3.11 or newer:",
        "",
        "```sh",
        "python -m pip install httpx joserfc pytest",
        "```",
        "",
        "In a second shell, a simulated hospital; it says which patients it has:",
        "",
        "```sh",
        f"interlock sandbox --orgs {hospital} --port 8765{back}",
        "```",
        "",
    )
    if "backend" in launch.modes or not mode:
        yield from _by_key(resolved, chosen)
    if mode:
        yield from _by_browser(chosen, mode)
    yield from (
        "A test that is skipped says why. `--write` writes outputs too, `--junitxml=FILE` keeps the result.",
        "The last lines say how many tests hold the server and how many the client, and how many wanted a key.",
    )
    yield from _others(resolved)


def _by_key(resolved: ResolvedContract, chosen: ResolvedOrganization) -> Iterator[str]:
    """With the key of backend services."""
    hospital, names = chosen.simulated or "", need_names(resolved.contract)
    named = next(
        (
            names[key]
            for key, need in keyed_needs(resolved.contract)
            if key.startswith("inputs")
            and need.at(chosen.id)
            and "search" in need.interactions
            and "backend" in (need.modes or ("backend",))
        ),
        "NEED",
    )
    yield from (
        "In the first shell again. `register` makes a key, has it registered there, and says which variables hold it;",
        "the key stays in this shell's environment.",
        "",
        "```sh",
        f"BASE=http://127.0.0.1:8765/{hospital}/fhir",
        f"PATIENT={_PATIENTS.get(hospital, 'ID')}",
        f'VARIABLES=$(python client/fhir_client.py register {chosen.id} --base "$BASE") && eval "$VARIABLES" &&',
        f"python client/fhir_client.py needs {chosen.id} &&",
        f'python client/fhir_client.py get {chosen.id} {named} --patient "$PATIENT" --base "$BASE" &&',
        f'python -m pytest tests/ --org {chosen.id} --base "$BASE" --patient "$PATIENT"',
        "```",
        "",
    )


def _by_browser(chosen: ResolvedOrganization, mode: str) -> Iterator[str]:
    """By a sign-in in a browser."""
    hospital = chosen.simulated or ""
    opened = (
        f"that opens the product from a chart: http://127.0.0.1:8765/{hospital}/fhir/ehr/launch?client=my-app"
        if mode == "ehr"
        else "that the client says"
    )
    yield from (
        f"By a sign-in, in the first shell too ({mode} launch). The hospital knows a public client, `my-app`, and",
        "signs a test user in by itself. The client listens on this computer alone; open in a browser, once for each",
        f"command, the address {opened}",
        "",
        "```sh",
        f"BASE=http://127.0.0.1:8765/{hospital}/fhir",
        f"export {chosen.variable('client_id')}=my-app && unset {chosen.variable('private_key')}",
        f'python client/fhir_client.py sign-in {chosen.id} --mode {mode} --base "$BASE" &&',
        f'python -m pytest tests/ --org {chosen.id} --base "$BASE" --sign-in {mode}',
        "```",
        "",
        f"At a real test system register the redirect address `{_HERE}/callback`"
        + (f" and the launch address `{_HERE}/launch`" if mode == "ehr" else "")
        + "; `--port` moves it.",
        "",
    )


def _others(resolved: ResolvedContract) -> Iterator[str]:
    """Which simulated organisations give a key by themselves, and what to do at the others."""
    simulated = [org for org in resolved.organizations if org.simulated]
    giving = [org.id for org in simulated if org.server is not None and org.server.registration]
    rest = [org.id for org in simulated if org.id not in giving]
    yield from (
        "",
        f"Simulated are: {', '.join(org.id for org in simulated)}.",
        "Their addresses (issuer, token endpoint, keys …) were those of one run on one computer, and are gone with it:",
        "`contract.lock.json` names them in `server.simulated`. Configure them nowhere, neither in a vendor's form nor",
        "in your product.",
        "",
        f"Of the simulated organisations `register` works at: {', '.join(giving) or 'none that was observed'}.",
    )
    if rest:
        yield from (
            f"At the others ({', '.join(rest)}) it ends with words: a person registers the client there,",
            "with what `registration/` has for the form. Without a key, what the server declares and what it refuses",
            "is tested all the same.",
        )


def _for_real() -> Iterator[str]:
    yield from (
        "## A real test system",
        "",
        "Set the variables below to the client id that you were given and to your private key (a JWK, PEM, or the path",
        "of a file with one), and give one of the organisation's test patients. `--base` can be left out where the",
        "table has a real address (https); a simulated one always needs it. Without a key the tests that want one are",
        "skipped, and say which variable to set. A server of another release of FHIR ends the run at once;",
        "`--any-release` goes on and names every need that it lacks.",
        "",
        "For an EHR or standalone launch, `sign-in` of the client and `--sign-in` of the tests open a page on this",
        "computer for the browser to come back to; your product calls `Organization.authorize` and",
        "`Organization.redeem`. With an access token in a variable, `--token-variable NAME` runs the tests with that.",
        "A hospital that you have observed can be played: `interlock sandbox --from-observation ORG`.",
    )


def _simulated(resolved: ResolvedContract) -> ResolvedOrganization | None:
    """An organisation that is simulated: one that takes registrations before any other, and then what fits best."""

    def rank(org: ResolvedOrganization) -> tuple[bool, int]:
        missing = sum(match.outcome == "missing" for need in org.needs for match in need.open)
        return org.server is None or not org.server.registration, missing

    return min((org for org in resolved.organizations if org.simulated), key=rank, default=None)
