"""nginx on loopback: one process, one server block a case, certificates made for the run."""

from __future__ import annotations

import contextlib
import datetime
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)

STATEMENT: dict[str, Any] = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": NOW.date().isoformat(),
    "kind": "instance",
    "software": {"name": "Behind nginx", "version": "1"},
    "implementation": {"description": "A FHIR server behind nginx"},
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "rest": [
        {
            "mode": "server",
            "resource": [
                {
                    "type": "Patient",
                    "interaction": [{"code": "read"}, {"code": "search-type"}],
                    "searchParam": [{"name": f"parameter-{number}", "type": "string"} for number in range(200)],
                }
            ],
        }
    ],
}
CONFIGURATION: dict[str, Any] = {
    "authorization_endpoint": "https://auth.example.org/authorize",
    "token_endpoint": "https://auth.example.org/token",
    "grant_types_supported": ["authorization_code"],
    "code_challenge_methods_supported": ["S256"],
    "capabilities": ["launch-standalone", "client-public", "permission-v2", "context-standalone-patient"],
}

_MAIN = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  root {folder}/www;
  types {{ }}
  default_type application/json;
  limit_req_zone $server_port zone=slow:1m rate=1r/m;
  limit_req_zone $server_port zone=quick:1m rate=2r/s;
{servers}
}}
"""


@dataclass(frozen=True)
class Case:
    """One server block: its certificate's name or none for plain HTTP, and directives of its own."""

    certificate: str | None = "good"
    directives: str = ""


class Certificates:
    """Server certificates by name, as PEM files; ``bundle`` holds the authority that a probe is told to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = trustme.CA()
        self.bundle = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(self.bundle))
        intermediate = self.authority.create_child_ca()
        leaf = intermediate.issue_cert("localhost")
        self._write("good", self.authority.issue_cert("localhost"))
        self._write(
            "expired", self.authority.issue_cert("localhost", not_before=NOW - 90 * DAY, not_after=NOW - 9 * DAY)
        )
        self._write("soon", self.authority.issue_cert("localhost", not_after=NOW + 9 * DAY))
        self._write("other-host", self.authority.issue_cert("ehr.example.org", "*.example.org"))
        self._write("stranger", trustme.CA().issue_cert("localhost"))
        self._write("full-chain", leaf)
        self._write("no-intermediate", leaf, 1)
        self.client = self._write("client", self.authority.issue_cert("client.example.org"))
        self._self_signed()

    def file(self, name: str) -> Path:
        return self._folder / f"{name}.pem"

    def _write(self, name: str, leaf: trustme.LeafCert, certificates: int | None = None) -> Path:
        chain = leaf.cert_chain_pems[:certificates]
        self.file(name).write_bytes(leaf.private_key_pem.bytes() + b"".join(pem.bytes() for pem in chain))
        return self.file(name)

    def _self_signed(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + 100 * DAY)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.file("self-signed").write_bytes(private + certificate.public_bytes(pem))


@dataclass(frozen=True)
class Nginx:
    """A running nginx: the port of each case, and the certificates."""

    ports: Mapping[str, int]
    certificates: Certificates
    cases: Mapping[str, Case]

    def base(self, case: str) -> str:
        if self.cases[case].certificate is None:
            return f"http://127.0.0.1:{self.ports[case]}/fhir"
        return f"https://localhost:{self.ports[case]}/fhir"


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def running(program: str, folder: Path, cases: Mapping[str, Case]) -> Iterator[Nginx]:
    """nginx with these cases until the context ends; directives may name ``{port_of[CASE]}`` and ``{folder}``."""
    certificates = Certificates(folder)
    well_known = folder / "www" / "fhir" / ".well-known"
    well_known.mkdir(parents=True)
    (well_known / "smart-configuration").write_text(json.dumps(CONFIGURATION))
    (folder / "www" / "fhir" / "metadata").write_text(json.dumps(STATEMENT))
    ports = dict(zip((*cases, "nobody"), free_ports(len(cases) + 1), strict=True))
    servers = "\n".join(_server(name, case, ports, certificates, folder) for name, case in cases.items())
    configuration = folder / "nginx.conf"
    configuration.write_text(_MAIN.format(folder=folder, servers=servers))
    output = (folder / "output").open("wb")
    process = subprocess.Popen(
        [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)],
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait(process, ports[next(iter(cases))], folder / "output")
        yield Nginx(ports, certificates, cases)
    finally:
        process.terminate()
        process.wait(10)
        output.close()


def _server(name: str, case: Case, ports: Mapping[str, int], certificates: Certificates, folder: Path) -> str:
    lines = [f"listen 127.0.0.1:{ports[name]}{' ssl' if case.certificate else ''};", "server_name localhost;"]
    if case.certificate:
        file = certificates.file(case.certificate)
        lines += [f"ssl_certificate {file};", f"ssl_certificate_key {file};"]
    lines.append(case.directives.format(port_of=ports, folder=folder, bundle=certificates.bundle))
    return "  server {\n    " + "\n    ".join(lines) + "\n  }"


def _wait(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise AssertionError(f"nginx ended: {output.read_text()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nginx does not listen: {output.read_text()}")


def find() -> str | None:
    """The program, or none where it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
