"""``messages/*``: what a channel carries, as a first example: a Subscription of R4, the head of an HL7 v2 message."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from interlock.contract.fhir_names import search_name, type_problem
from interlock.contract.skeletons.base import of_contract
from interlock.documents.visible import to_json, visible
from interlock.fhir.validation import require_valid
from interlock.model.contract_parts import Channel
from interlock.model.resolved import ResolvedContract
from interlock.model.text import plain

#: The characters that delimit, each as it is written within text (HL7 v2.5.1, chapter 2, escape sequences).
_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})


def messages(resolved: ResolvedContract) -> Mapping[str, str]:
    """A file for each channel that has one; nothing is ever sent from here.

    :raises InvalidDocumentError: a Subscription would not be valid FHIR.
    """
    files: dict[str, str] = {}
    for number, channel in enumerate(resolved.contract.channels, 1):
        if channel.kind == "hl7v2" and channel.message is not None:
            files[f"messages/{number}-hl7v2.hl7"] = _head(resolved, channel.message)
        elif channel.kind == "fhir-subscription" and (text := _subscription(resolved, channel)) is not None:
            files[f"messages/{number}-subscription.json"] = text
    return files


def _head(resolved: ResolvedContract, message: str) -> str:
    """The header of a message and a note; what follows them the organisation's interface specification says."""
    kind = "^".join(plain(part, 40).translate(_ESCAPES) for part in message.split("^"))
    known = plain(of_contract(resolved), 200)
    said = f"Known: {known}. Assumed: version 2.5.1. Open: applications, facilities, and every segment of it."
    moment = resolved.made.replace("-", "") + "000000"
    return f"MSH|^~\\&|OPEN|OPEN|OPEN|OPEN|{moment}||{kind}|1|T|2.5.1\rNTE|1||{said.translate(_ESCAPES)}\r"


def _subscription(resolved: ResolvedContract, channel: Channel) -> str | None:
    """A Subscription of R4 to be sent to the server, by the states of the type; its endpoint is open."""
    release = resolved.contract.fhir_release
    if release not in {"R4", "R4B"} or channel.resource is None or type_problem(release, channel.resource) is not None:
        return None
    by_state = not isinstance(search_name(release, channel.resource, "status"), str)
    states = ",".join(quote(state) for state in channel.states)
    document = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": visible(
            f"{resolved.contract.title}. Known: {of_contract(resolved)}. Assumed: an empty notification, after which "
            "the product reads. Open: the endpoint, and whether the server takes these criteria."
        ),
        "criteria": f"{channel.resource}?status={states}" if states and by_state else f"{channel.resource}?",
        "channel": {"type": "rest-hook"},
    }
    require_valid(document, release, "messages/subscription.json")
    return to_json(document)
