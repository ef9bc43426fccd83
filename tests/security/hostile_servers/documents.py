"""JSON that is well formed and no proper document: wrong types, endless lists, words of control characters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hostile_servers.behaviours import Behaviour
from hostile_servers.serving import CONFIGURATION, METADATA, SMART, document, reply
from hostile_text import HOSTILE

from interlock.model.observation import Observation
from probe.probe_documents import STATEMENT as PLAIN
from probe.probe_documents import statement

_UDAP = "/fhir/.well-known/udap"
_OPENID = "/.well-known/openid-configuration"
_LONG = "x" * 1_000_000
#: What stands where something else belongs.
_WRONG: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": -1.5e300,
    "an empty text": "",
    "lists in lists": [[[[]], [[1]]], [[None]]],
    "objects in objects": {"": {"a": {"b": {}}}},
    "a list of everything": [None, True, 0, "", [], {}, "x", {"coding": [{"code": 1}]}],
    "a text of 100,000 letters": "x" * 100_000,
}
#: Elements that a reader looks at, and their nested ones.
_ELEMENTS = [
    "name",
    "status",
    "date",
    "publisher",
    "kind",
    "software",
    "implementation",
    "fhirVersion",
    "format",
    "rest",
    "instantiates",
    "profile",
    "meta",
    "url",
    "messaging",
    "document",
    "acceptUnknown",
    "description",
]
_DISCOVERY = {"issuer": "ORIGIN", "jwks_uri": "ORIGIN/keys", "token_endpoint": "ORIGIN/token"}
_SIGNS_ON = SMART | {"issuer": "ORIGIN", "capabilities": [*SMART["capabilities"], "sso-openid-connect"]}


def _statement(name: str, body: Any, *problem: str, limit: str = "", **more: Any) -> Behaviour:
    """A capability statement that is read, whatever is in it; ``problem`` and ``limit`` are named among its facts."""
    given = {"outcome": "observed", "endings": {"metadata": "document"}, "present": ("capability", "smart")}
    return Behaviour(
        f"document: {name}", {METADATA: document(body)}, also=_named("capability", problem, limit), **(given | more)
    )


def _smart(name: str, body: Any, *problem: str, limit: str = "", word: str = "document", **more: Any) -> Behaviour:
    read = word == "document"
    given: dict[str, Any] = {"outcome": "observed" if read else "partial", "endings": {"smart": word}}
    given |= {"present": ("capability", "smart")} if read else {"present": ("capability",), "missing": ("smart",)}
    return Behaviour(
        f"document: {name}", {CONFIGURATION: document(body)}, also=_named("smart", problem, limit), **(given | more)
    )


def _named(family: str, texts: tuple[str, ...], limit: str) -> Callable[[Observation], object] | None:
    """Whether the problems of a family's facts hold these texts, and its limits this one, which is no problem."""
    if not (texts or limit):
        return None

    def look(observation: Observation) -> object:
        facts = getattr(observation.facts, family)
        problems = " | ".join(facts.problems)
        named = all(text in problems for text in texts)
        ours = not limit or (facts.limits == (limit,) and limit not in problems)
        return (named and ours) or f"the problems are {problems[:600]}; the limits are {facts.limits}"

    return look


_EVERYWHERE = [
    row
    for name, value in _WRONG.items()
    for row in (
        _statement(
            f"every element of the statement is {name}",
            {"resourceType": "CapabilityStatement"} | dict.fromkeys(_ELEMENTS, value),
        ),
        _statement(
            f"every element of a rest entry is {name}",
            statement(
                rest=[dict.fromkeys(["mode", "security", "resource", "interaction", "searchParam", "operation"], value)]
            ),
        ),
        _statement(
            f"every element of a resource is {name}",
            statement(
                rest=[
                    {
                        "mode": "server",
                        "resource": [
                            dict.fromkeys(
                                [
                                    "type",
                                    "interaction",
                                    "searchParam",
                                    "operation",
                                    "supportedProfile",
                                    "profile",
                                    "versioning",
                                ],
                                value,
                            )
                        ],
                    }
                ]
            ),
        ),
        _smart(f"every field of the configuration is {name}", dict.fromkeys([*SMART, "issuer", "jwks_uri"], value)),
        Behaviour(
            f"document: every field of the UDAP metadata is {name}",
            {
                _UDAP: document(
                    dict.fromkeys(
                        [
                            "udap_versions_supported",
                            "udap_profiles_supported",
                            "signed_metadata",
                            "token_endpoint",
                            "registration_endpoint",
                            "scopes_supported",
                        ],
                        value,
                    )
                )
            },
            outcome="observed",
            endings={"udap": "document"},
            present=("udap",),
        ),
        Behaviour(
            f"document: every field of the OpenID discovery is {name}",
            {
                CONFIGURATION: document(_SIGNS_ON),
                _OPENID: document(dict.fromkeys([*_DISCOVERY, "response_types_supported"], value)),
            },
            outcome="observed",
            endings={"openid": "document", "jwks": "None"},
            present=("openid",),
        ),
    )
]


def _resources(*resources: Any) -> dict[str, Any]:
    return statement(rest=[{"mode": "server", "resource": list(resources)}])


_STATEMENTS = [
    _statement(
        "100,000 resources",
        _resources(*[{"type": "Patient"}] * 100_000),
        limit="resource has 100,000 entries, of which the first 1,000 were read",
    ),
    _statement(
        "100,000 search parameters",
        _resources({"type": "Patient", "searchParam": [{"name": "a"}] * 100_000}),
        limit="searchParam has 100,000 entries, of which the first 1,000 were read",
    ),
    _statement(
        "10,000 profiles",
        _resources({"type": "Patient", "supportedProfile": ["http://x.test/p"] * 10_000}),
        limit="supportedProfile has 10,000 entries, of which the first 500 were read",
    ),
    _statement(
        "10,000 rest entries",
        statement(rest=[{"mode": "server"}] * 10_000),
        limit="rest has 10,000 entries, of which the first 500 were read",
    ),
    _statement(
        "100,000 formats",
        statement(format=[f"json{n}" for n in range(100_000)]),
        limit="format has 100,000 entries, of which the first 500 were read",
    ),
    _statement(
        "900 types with 90 parameters each",
        _resources(*[{"type": f"T{n}", "searchParam": [{"name": f"p{m}"} for m in range(90)]} for n in range(900)]),
    ),
    _statement(
        "a type of a million letters",
        _resources({"type": _LONG}),
        limit="type is longer than 128 characters and was not read",
    ),
    _statement("a type with controls and slashes", _resources({"type": "../../\u001b[2J\u202ePatient"})),
    _statement(
        "types that are Python's own",
        _resources(*[{"type": name} for name in ("__class__", "__init__", "model_config", "register")]),
    ),
    _statement(
        "one type 1,000 times",
        _resources(*[{"type": "Patient", "interaction": [{"code": "read"}]}] * 1000),
        checks={"CAP-029": "fail"},
    ),
    _statement("a rest entry that is the statement again", statement(rest=[PLAIN])),
    _statement(
        "version 9.9.9", statement(fhirVersion="9.9.9"), "belongs to no published release", checks={"CAP-006": "warn"}
    ),
    _statement("a version with an escape", statement(fhirVersion="4.0.1\u001b]0;x\u0007")),
    _statement("a version of digits in another script", statement(fhirVersion="\u0664.\u0660.\u0661")),
    _statement("a date in the year 99999", statement(date="99999-12-31")),
    _statement("a date that is no date", statement(date="yesterday'; DROP TABLE")),
    _statement("a statement of requirements", statement(kind="requirements")),
    _statement("only a client's side", statement(rest=[{"mode": "client", "resource": [{"type": "Patient"}]}])),
    _statement(
        "300 oauth-uris extensions",
        statement(
            rest=[
                {
                    "mode": "server",
                    "security": {
                        "extension": [
                            {
                                "url": "http://x.test/oauth-uris",
                                "extension": [{"url": "token", "valueUri": f"https://a{n}.test/"}],
                            }
                            for n in range(300)
                        ]
                    },
                }
            ]
        ),
        limit="extension has 300 entries, of which the first 200 were read",
    ),
    _statement(
        "oauth-uris of numbers and objects",
        statement(
            rest=[
                {
                    "mode": "server",
                    "security": {
                        "extension": [
                            {"url": {"a": 1}},
                            {"url": "x/oauth-uris", "extension": "token"},
                            {"url": "x/oauth-uris", "extension": [{"url": "token", "valueUri": {"a": []}}, {"url": 7}]},
                        ]
                    },
                }
            ]
        ),
        "has no value",
    ),
]


def _other(name: str, body: Any, word: str) -> Behaviour:
    return Behaviour(
        f"document: {name}",
        {METADATA: document(body)},
        endings={"metadata": word},
        missing=("capability",),
        present=("smart",),
    )


_OTHERS = [
    _other("a list with the statement in it", [PLAIN], "not_an_object"),
    _other("a text with the statement in it", json.dumps(PLAIN), "not_an_object"),
    _other("null", None, "not_an_object"),
    _other("false", False, "not_an_object"),
    _other("an empty object", {}, "empty_object"),
    _other("an object of nulls", {"resourceType": None, "rest": None}, "unrelated"),
    _other("a list as the type", {"resourceType": ["CapabilityStatement"]}, "unrelated"),
    _other("the type in lower case", {"resourceType": "capabilitystatement"}, "other_resource"),
    _other("the type with a space", {"resourceType": " CapabilityStatement"}, "other_resource"),
    _other("a resourceType of a million letters", {"resourceType": _LONG}, "other_resource"),
    _other("a type of escapes", {"resourceType": "\u001b]52;c;eA==\u0007\u202e"}, "other_resource"),
    _other("a Bundle with the statement in it", {"resourceType": "Bundle", "entry": [{"resource": PLAIN}]}, "bundle"),
    _other("a patient", {"resourceType": "Patient", "id": "1", "name": [{"family": "Victim"}]}, "other_resource"),
    _other(
        "an outcome",
        {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "no\u009b2J"}]},
        "operation_outcome",
    ),
    _other(
        "an outcome of 100,000 issues",
        {"resourceType": "OperationOutcome", "issue": [{}] * 100_000},
        "operation_outcome",
    ),
    _other("an outcome without issues", {"resourceType": "OperationOutcome", "issue": 7}, "operation_outcome"),
    _other("an OAuth error with status 200", {"error": "invalid_token"}, "unrelated"),
    _other("GraphQL", {"data": None, "errors": [{"message": "x"}]}, "unrelated"),
]

_CONFIGURATIONS = [
    _smart(
        "100,000 capabilities",
        SMART | {"capabilities": [f"c{n}" for n in range(100_000)]},
        limit="capabilities has 100,000 entries, of which the first 5,000 were read",
    ),
    _smart(
        "100,000 scopes",
        SMART | {"scopes_supported": ["patient/*.rs"] * 100_000},
        limit="scopes_supported has 100,000 entries, of which the first 5,000 were read",
    ),
    _smart(
        "a scope of a million letters",
        SMART | {"scopes_supported": [_LONG]},
        limit="scopes_supported holds an entry longer than 512 characters, which was not read",
    ),
    _smart(
        "scopes that look like regular expressions",
        SMART | {"scopes_supported": ["(a+)+$/" * 50, "patient/" + "." * 500]},
    ),
    _smart("100,000 fields that nobody knows", SMART | {f"x{n}": n for n in range(100_000)}),
    _smart(
        "a token endpoint of a million letters",
        SMART | {"token_endpoint": _LONG},
        limit="token_endpoint is longer than 2048 characters and was not read",
    ),
    _smart("a token endpoint that is a list", SMART | {"token_endpoint": ["ORIGIN/token"]}, "not a string"),
    _smart("a token endpoint that is a template", SMART | {"token_endpoint": "https://{tenant}/token"}),
    _smart("a configuration in a list", [SMART], word="not_an_object"),
    _smart("a configuration in a configuration", {"smart": SMART}, word="unrelated"),
    _smart("nothing", {}, word="empty_object"),
    _smart("an OpenID discovery only", {"issuer": "ORIGIN", "jwks_uri": "ORIGIN/keys"}, word="unrelated"),
    Behaviour(
        "document: hostile texts in every list of the configuration",
        {
            CONFIGURATION: reply(
                json.dumps(
                    SMART
                    | {
                        name: [*HOSTILE.values()]
                        for name in ("capabilities", "scopes_supported", "grant_types_supported")
                    }
                )
            )
        },
        outcome="observed",
        present=("smart",),
    ),
    Behaviour(
        "document: hostile texts in every element of the statement",
        {
            METADATA: reply(
                json.dumps(
                    _resources(
                        *[{"type": text, "searchParam": [{"name": text}], "profile": text} for text in HOSTILE.values()]
                    )
                    | {
                        "publisher": HOSTILE["bidi: override"],
                        "software": {
                            "name": HOSTILE["html: script"],
                            "version": HOSTILE["terminal: clear the screen (CSI)"],
                        },
                    }
                )
            )
        },
        outcome="observed",
        present=("capability",),
    ),
]

ROWS = (*_EVERYWHERE, *_STATEMENTS, *_OTHERS, *_CONFIGURATIONS)
