"""``product.yaml``: how the team's running product is reached for rehearsals."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from interlock.model.base import Model, Slug, Versioned

#: The simulated hospitals' first port, where the file names none: a team registers their addresses once.
FIRST_PORT = 18_410
_TEMPLATE = re.compile(r"\{(\w+)\}")


def _filled_in_later(text: str) -> str:
    unknown = set(_TEMPLATE.findall(text)) - {"org", "patient"}
    if unknown:
        raise ValueError(f"{{{min(unknown)}}} is not filled in; there are {{org}} and {{patient}}")
    return text


def _of_http(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("an address begins with http:// or https://")
    return text


Url = Annotated[str, Field(max_length=2_000), AfterValidator(_of_http)]
#: A path of the product; ``{org}`` and ``{patient}`` in it are filled in.
PathTemplate = Annotated[str, Field(pattern=r"^/", max_length=500), AfterValidator(_filled_in_later)]
ClientKind = Literal["public", "confidential-symmetric", "confidential-asymmetric"]


class ProductClient(Model):
    """The product's registration at one simulated hospital.

    :ivar id: the hospital's; it stands in its addresses and in the texts by which its records are known again.
    :ivar client_id: empty, like ``redirect_uri``, where the product registers itself.
    :ivar launch_url: where its launches begin, if not where all do.
    """

    id: Annotated[Slug, Field(max_length=20)]
    client_id: Annotated[str, Field(max_length=200)] = ""
    redirect_uri: Url | Literal[""] = ""
    client: ClientKind = "public"
    launch_url: Url | None = None


class StartCommand(Model):
    """How the product is started for a rehearsal.

    :ivar command: one program with its arguments, no shell; ``{python}`` is the Python that Interlock runs with,
        ``{port}`` the launch address's port.
    :ivar folder: in which it runs, from the workspace's; by default that itself.
    :ivar ready: an address that answers once the product is up; by default the launch address is asked.
    """

    command: Annotated[str, Field(min_length=1, max_length=1_000)]
    folder: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    ready: Url | None = None
    seconds: Annotated[float, Field(gt=0, le=300)] = 30.0

    @property
    def told(self) -> str:
        """What is run and where, which is what a user allows."""
        return f"{self.command} (in {self.folder})" if self.folder is not None else self.command


class VisitedEndpoint(Model):
    """One of the product's own addresses that shows something about a patient, or takes something.

    :ivar what: ``inbound`` is called by systems and not by a browser; ``change`` changes something.
    """

    path: PathTemplate
    method: Literal["GET", "POST"] = "GET"
    query: Annotated[dict[str, Annotated[str, AfterValidator(_filled_in_later)]], Field(max_length=20)] = {}
    what: Literal["page", "viewer", "filter", "data", "inbound", "change"] = "data"
    carries_phi: bool = True


class SignOut(Model):
    """How a user signs out."""

    path: PathTemplate
    method: Literal["GET", "POST"] = "POST"


class Product(Versioned):
    """The product as it runs.

    :ivar launch_url: where an EHR launch begins; ``standalone_url`` where a user begins without one.
    :ivar home: the first page that shows a record; by default where the sign-in ends.
    :ivar jwks_url: where the product publishes its keys; without it ``--write-env`` gives a confidential client one.
    :ivar registration: how it becomes known to the hospitals: it is told by variables (or a JSON file), registers
        itself (``dynamic``, RFC 7591), or somebody enters what a table shows (``manual``).
    :ivar endpoints: visited without a session, with another hospital's and after sign-out; by default those of the
        contract that carry patient data and take no parameters but these.
    :ivar return_parameters: names of parameters that may say where to go after the sign-in.
    :ivar tls: whether the hospitals speak https, with an authority that the product has to trust.
    :ivar version: of the product, as its user states it; ``version_header`` names the header in which its pages do.
    """

    launch_url: Url
    standalone_url: Url | None = None
    organizations: Annotated[tuple[ProductClient, ...], Field(min_length=1, max_length=6)]
    start: StartCommand | None = None
    home: PathTemplate | None = None
    jwks_url: Url | None = None
    registration: Literal["variables", "dynamic", "manual"] = "variables"
    sign_out: SignOut | None = None
    endpoints: Annotated[tuple[VisitedEndpoint, ...], Field(max_length=100)] = ()
    return_parameters: Annotated[tuple[str, ...], Field(max_length=20)] = (
        "next",
        "returnUrl",
        "returnTo",
        "redirect",
        "target",
        "url",
    )
    tls: bool = False
    port: Annotated[int, Field(ge=1_024, le=65_000)] = FIRST_PORT
    version: Annotated[str, Field(max_length=200)] | None = None
    version_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")] | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = [client.id for client in self.organizations]
        twice = next((name for name in ids if ids.count(name) > 1), None)
        if twice:
            raise ValueError(f"the organisation {twice!r} is named twice")
        if "stranger" in ids:
            raise ValueError("'stranger' is the hospital that the product does not know; choose another id")
        for client in self.organizations if self.registration != "dynamic" else ():
            for name in ("client_id", "redirect_uri"):
                if not getattr(client, name):
                    raise ValueError(f"{client.id} has no {name}; only with registration: dynamic it needs none")
        return self

    def at_port(self, port: int) -> Product:
        """The same on another port of this machine, wherever the launch address's own port is named."""
        own = urlsplit(self.launch_url).netloc
        moved = f"{urlsplit(self.launch_url).hostname}:{port}"
        text = self.model_dump_json(exclude_unset=True).replace(f"//{own}/", f"//{moved}/")
        return Product.model_validate_json(text)

    def launch_at(self, client: ProductClient) -> str:
        """Where the launches of one hospital begin."""
        return client.launch_url or self.launch_url
