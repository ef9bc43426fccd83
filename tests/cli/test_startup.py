from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = {
    "textual",
    "weasyprint",
    "fhir",
    "networkx",
    "numpy",
    "httpx",
    "aiohttp",
    "starlette",
    "jinja2",
    "cel",
}


def loaded_after(*arguments: str) -> set[str]:
    """Top-level modules that are loaded once the command has run in a process of its own."""
    code = (
        "import sys\n"
        "from interlock.cli.main import run\n"
        f"run({list(arguments)!r})\n"
        "sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | {"COLUMNS": "100"},
    )
    return set(done.stderr.split())


@pytest.mark.fast
@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("score", "--help"), ("probe", "--help")])
def test_help_loads_none_of_the_heavy_libraries(arguments: tuple[str, ...]) -> None:
    assert loaded_after(*arguments) & HEAVY == set()


@pytest.mark.parametrize("command", [("config", "show"), ("score",)])
def test_settings_and_score_load_neither_screens_nor_report_nor_plan(demo, command: tuple[str, ...]) -> None:
    assert loaded_after(*command, "--workspace", str(demo)) & (HEAVY - {"cel"}) == set()


def test_a_probe_of_a_plain_server_loads_only_what_it_needs() -> None:
    """No TLS library for http, no second HTTP library, no screens, and no questions, rules or workspace."""
    code = (
        "import sys, http.server, threading\n"
        "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)\n"
        "threading.Thread(target=server.serve_forever, daemon=True).start()\n"
        "from interlock.cli.main import run\n"
        "code = run(['probe', f'http://127.0.0.1:{server.server_port}/fhir', '--quick', '--format', 'json'])\n"
        "sys.stderr.write('\\n' + str(code) + ' ' + ' '.join(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    ended, *loaded = done.stderr.splitlines()[-1].split()
    assert ended == "3"
    heavy = HEAVY - {"aiohttp"} | {"cryptography"}
    assert heavy & {name.partition(".")[0] for name in loaded} == set()
    rooms = {"questionnaire", "rules", "gaps", "workspace", "sandbox", "tui"}
    assert rooms & {name.split(".")[1] for name in loaded if name.startswith("interlock.")} == set()
    assert "aiohttp" in loaded
