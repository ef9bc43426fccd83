"""Addresses that a server advertises and a probe must not go to: every field, every spelling of a private address."""

from __future__ import annotations

from typing import Any

from hostile_servers.behaviours import Behaviour
from hostile_servers.redirects import ODD, PRIVATE
from hostile_servers.serving import CONFIGURATION, METADATA, SMART, document

from probe.probe_documents import statement

_OPENID = [*SMART["capabilities"], "sso-openid-connect"]


def _row(name: str, fields: dict[str, Any], endings: dict[str, str], **more: Any) -> Behaviour:
    return Behaviour(
        f"advertised: {name}",
        {CONFIGURATION: document(SMART | fields)},
        **({"outcome": "observed", "endings": endings, "present": ("capability", "smart"), "run": "active"} | more),
    )


#: Fields that are never followed, whatever they say.
_NEVER = [
    _row(f"a victim as {field}", {field: "https://VICTIM/x"}, {"metadata": "document", "smart": "document"})
    for field in (
        "registration_endpoint",
        "management_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "user_access_brand_bundle",
        "smart_style_url",
        "associated_endpoints",
        "logo_uri",
    )
]

_KEYS = [
    _row(
        f"keys at {name}",
        {"jwks_uri": f"{'http' if number % 3 == 0 and name not in ODD else 'https'}://{host}:PORT/keys"},
        {"jwks": ODD.get(name, "refused")},
        missing=("jwks",),
        public=bool(number % 2),
    )
    for number, (name, host) in enumerate(PRIVATE.items())
]

_ELSEWHERE = [
    _row(f"keys {name}", {"jwks_uri": address}, {"jwks": word}, missing=("jwks",))
    for name, address, word in (
        ("on another port of the host", "https://VICTIM/keys", "refused"),
        ("behind credentials", "https://user:secret@VICTIM/keys", "refused"),
        ("among the patients", "ORIGIN/fhir/Patient/1", "refused"),
        ("in a patient's history", "ORIGIN/fhir/Patient/1/_history/1", "refused"),
        ("in a file", "file:///etc/passwd", "refused"),
        ("by FTP", "ftp://VICTIM/keys", "refused"),
        ("in the address itself", "data:application/json,{}", "refused"),
        ("in a script", "javascript:alert(1)", "refused"),
        ("behind an escape", "https://x.example/\u001b]52;c;eA==\u0007", "refused"),
        ("behind a bidirectional override", "https://x.example/\u202esj", "refused"),
        ("behind a line feed", "https://x.example/\nHost: victim", "refused"),
        ("behind a backslash", "https:\\\\VICTIM\\keys", "refused"),
        ("without a scheme", "//VICTIM/keys", "refused"),
        ("on port 0", "https://127.0.0.1:0/keys", "refused"),
        ("on port 65536", "https://127.0.0.1:65536/keys", "refused"),
        ("of 3,000 letters", "ORIGIN/" + "k" * 3000, "None"),
        ("at a name that nobody has", "https://nowhere.invalid/keys", "dns"),
        ("at a template", "https://{tenant}.example/keys", "refused"),
        ("on a relative path", "../keys", "absent"),
        ("in an empty address", "", "None"),
        ("in white space", "   ", "None"),
        ("at a fragment", "#keys", "absent"),
    )
]

_TOKENS = [
    _row(f"a token endpoint at {name}", {"token_endpoint": address}, {"token-negative": "refused"}, public=public)
    for name, address, public in (
        ("a victim on another port", "https://VICTIM/token", False),
        ("a victim in the clear", "http://127.0.0.2:PORT/token", False),
        ("this machine", "https://localhost:PORT/token", True),
        ("this machine as a number", "https://2130706433:PORT/token", True),
        ("this machine in IPv6", "https://[::1]:PORT/token", True),
        ("this machine, mapped", "https://[::ffff:127.0.0.1]:PORT/token", True),
        ("a private name", "https://victim.test:PORT/token", True),
        ("the clouds' metadata", "https://169.254.169.254/latest/meta-data", True),
        ("a private network", "https://10.0.0.5/token", True),
        ("a patient", "ORIGIN/fhir/Patient/1", False),
        ("credentials", "https://a:b@VICTIM/token", False),
        ("no scheme", "//VICTIM/token", False),
    )
]

_AUTHORIZE = [
    _row(
        f"an authorization endpoint at {name}",
        {"authorization_endpoint": address},
        {"cors-authorize": "refused"},
        public=public,
    )
    for name, address, public in (
        ("a victim on another port", "https://VICTIM/authorize", False),
        ("this machine", "https://127.1:PORT/authorize", True),
        ("the clouds' metadata", "https://[fd00:ec2::254]/authorize", True),
        ("a private name", "https://victim.test:PORT/authorize", True),
        ("a script", "javascript:alert(1)", False),
    )
]

_ISSUERS = [
    _row(
        f"an issuer at {name}",
        {"issuer": address, "capabilities": _OPENID},
        {"openid": word},
        missing=("openid",),
        public=public,
    )
    for name, address, word, public in (
        ("a victim on another port", "https://VICTIM", "refused", False),
        ("a victim's discovery document", "https://VICTIM/.well-known/openid-configuration", "refused", False),
        ("this machine", "https://localhost:PORT/realm", "refused", True),
        ("this machine, octal", "https://0177.0.0.1:PORT/", "refused", True),
        ("the clouds' metadata", "https://169.254.169.254/", "refused", True),
        ("a private name", "https://victim.test:PORT/", "refused", True),
        ("a query that swallows the path", "https://VICTIM/?x=", "refused", False),
        ("a fragment that swallows the path", "https://VICTIM/#", "refused", False),
        ("the server, with nothing there", "ORIGIN/realm", "absent", False),
        ("a number", "12345", "absent", False),
    )
]


def _in_statement(name: str, **changes: Any) -> Behaviour:
    return Behaviour(
        f"advertised: {name}",
        {METADATA: document(statement(**changes))},
        outcome="observed",
        present=("capability", "smart"),
        run="active",
    )


def _oauth_uris(token: str, authorize: str) -> dict[str, Any]:
    parts = [{"url": "token", "valueUri": token}, {"url": "authorize", "valueUri": authorize}]
    parts += [{"url": name, "valueUri": "https://VICTIM/x"} for name in ("register", "manage", "introspect", "revoke")]
    extension = {"url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", "extension": parts}
    return {"rest": [{"mode": "server", "security": {"extension": [extension]}, "resource": [{"type": "Patient"}]}]}


_STATEMENTS = [
    _in_statement("a victim as implementation.url", implementation={"description": "x", "url": "http://VICTIM/fhir"}),
    _in_statement("a victim as the statement's url", url="http://127.0.0.3:PORT/CapabilityStatement/x"),
    _in_statement("a victim as what is instantiated", instantiates=["http://VICTIM/CapabilityStatement/x"]),
    _in_statement("a victim as an implementation guide", implementationGuide=["http://VICTIM/ig"]),
    _in_statement(
        "victims as profiles and operations",
        rest=[
            {
                "mode": "server",
                "operation": [{"name": "export", "definition": "http://VICTIM/OperationDefinition/x"}],
                "resource": [
                    {
                        "type": "Patient",
                        "profile": "http://VICTIM/p",
                        "supportedProfile": ["http://127.0.0.2:PORT/p"],
                        "searchParam": [{"name": "a", "definition": "http://127.0.0.3:PORT/s"}],
                    }
                ],
            }
        ],
    ),
    _in_statement(
        "a victim as a messaging end point", messaging=[{"endpoint": [{"address": "http://VICTIM/$process"}]}]
    ),
    Behaviour(
        "advertised: victims in oauth-uris, and no configuration",
        {
            METADATA: document(statement(**_oauth_uris("https://VICTIM/token", "https://127.0.0.2:PORT/authorize"))),
            CONFIGURATION: b"HTTP/1.1 404 N\r\nContent-Length: 0\r\n\r\n",
        },
        outcome="observed",
        endings={"token-negative": "refused", "cors-authorize": "refused", "cors-token": "refused"},
        run="active",
    ),
    Behaviour(
        "advertised: victims in UDAP metadata and its certificates",
        {
            "/fhir/.well-known/udap": document(
                {
                    "udap_versions_supported": ["1"],
                    "token_endpoint": "https://VICTIM/token",
                    "registration_endpoint": "https://127.0.0.2:PORT/register",
                    "signed_metadata": "eyJ4NWMiOlsiQUFBQSJdLCJ4NXUiOiJodHRwOi8vMTI3LjAuMC4yIiwiYWxnIjoibm9uZSJ9.e30.",
                }
            )
        },
        outcome="observed",
        endings={"udap": "document"},
        present=("udap",),
        run="active",
    ),
    Behaviour(
        "advertised: keys at a victim, by way of the issuer's document",
        {
            CONFIGURATION: document(SMART | {"issuer": "ORIGIN", "capabilities": _OPENID}),
            "/.well-known/openid-configuration": document({"issuer": "ORIGIN", "jwks_uri": "https://VICTIM/keys"}),
        },
        outcome="observed",
        endings={"openid": "document", "jwks": "refused"},
        run="active",
    ),
    Behaviour(
        "advertised: keys on the server, which redirect to a victim",
        {
            CONFIGURATION: document(SMART | {"jwks_uri": "ORIGIN/keys"}),
            "/keys": lambda peer: (
                b"HTTP/1.1 302 F\r\nLocation: http://127.0.0.2:%d/\r\nContent-Length: 0\r\n\r\n" % peer.site.port
            ),
        },
        outcome="observed",
        endings={"jwks": "redirect"},
        run="active",
    ),
    Behaviour(
        "advertised: a token endpoint on the server, which redirects to a victim",
        {"/token": lambda peer: f"HTTP/1.1 307 T\r\nLocation: http://{peer.site.victim}/\r\n\r\n".encode()},
        outcome="observed",
        endings={"token-negative": "empty"},
        run="active",
    ),
]

ROWS = (*_NEVER, *_KEYS, *_ELSEWHERE, *_TOKENS, *_AUTHORIZE, *_ISSUERS, *_STATEMENTS)
