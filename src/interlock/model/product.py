"""``product.yaml``: how the team's running product is reached for rehearsals."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from interlock.model.base import Model, Slug, Versioned
from interlock.model.rehearsal import Hook

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
Filled = Annotated[str, Field(max_length=2_000), AfterValidator(_filled_in_later)]
Form = Annotated[dict[str, Filled], Field(max_length=20)]
#: One program with its arguments, no shell; ``{org}`` is filled in, ``{python}`` is Interlock's own Python.
Command = Annotated[str, Field(min_length=1, max_length=1_000)]
#: What acts as the browser: plain HTTP, which runs no scripts, or the system's Chromium.
Driver = Literal["http", "chromium"]
ClientKind = Literal["public", "confidential-symmetric", "confidential-asymmetric"]


class BackendClient(Model):
    """A registration of its own for work that runs without a user (SMART backend services)."""

    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    client: Literal["confidential-symmetric", "confidential-asymmetric"] = "confidential-asymmetric"


class ProductClient(Model):
    """The product's registration at one simulated hospital.

    :ivar id: the hospital's; it stands in its addresses and in the texts by which its records are known again.
    :ivar client_id: empty, like ``redirect_uri``, where the product registers itself.
    :ivar launch_url: where its launches begin, if not where all do.
    :ivar backend: with what it asks for tokens of its own, where that is another registration.
    """

    id: Annotated[Slug, Field(max_length=20)]
    client_id: Annotated[str, Field(max_length=200)] = ""
    redirect_uri: Url | Literal[""] = ""
    client: ClientKind = "public"
    launch_url: Url | None = None
    backend: BackendClient | None = None

    @property
    def for_jobs(self) -> BackendClient | None:
        """With what work without a user asks for tokens; a public client cannot."""
        if self.backend is not None or self.client == "public":
            return self.backend
        return BackendClient(client_id=self.client_id, client=self.client)


class StartCommand(Model):
    """How the product is started for a rehearsal.

    :ivar command: one program with its arguments, no shell; ``{python}`` is the Python that Interlock runs with,
        ``{port}`` the launch address's port.
    :ivar folder: in which it runs, from the workspace's; by default that itself.
    :ivar ready: an address that answers below 400 once the product is up; by default any answer at the launch address
        will do.
    """

    command: Command
    folder: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    ready: Url | None = None
    seconds: Annotated[float, Field(gt=0, le=300)] = 30.0

    @property
    def told(self) -> str:
        """What is run and where, which is what a user allows."""
        return f"{self.command} (in {self.folder})" if self.folder is not None else self.command


#: Seconds after which a session, a link or a sign-in that has begun ends in the product as it was started for this.
Limit = Annotated[float, Field(ge=1, le=10)]


class VisitedEndpoint(Model):
    """One of the product's own addresses that shows something about a patient, or takes something.

    :ivar what: ``inbound`` is called by systems and not by a browser; ``change`` changes something,
        ``link`` gives a link to a record, ``events`` (server-sent events) and ``socket`` (WebSocket) give live updates.
    :ivar link_seconds: for how long the link leads to the record.
    :ivar secret_header: of an address that systems call with a secret that was agreed: the header in which it stands.
    """

    path: PathTemplate
    method: Literal["GET", "POST"] = "GET"
    query: Form = {}
    what: Literal["page", "viewer", "filter", "data", "inbound", "change", "link", "events", "socket"] = "data"
    carries_phi: bool = True
    link_seconds: Limit | None = None
    secret_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")] | None = None

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if self.secret_header is not None and self.what != "inbound":
            raise ValueError("secret_header is said of an endpoint that systems call: what: inbound")
        if self.link_seconds is not None and self.what != "link":
            raise ValueError("link_seconds is said of an endpoint that gives a link: what: link")
        return self


class Action(Model):
    """Something that a user who is signed in does: one request of a browser.

    :ivar form: fields that are posted, besides the hidden ones of the page's own form for this address.
    """

    path: PathTemplate
    method: Literal["GET", "POST"] = "POST"
    form: Form = {}


class Trigger(Model):
    """Something that is set going for one hospital: a request of a browser that is signed in there, or a program."""

    path: PathTemplate | None = None
    method: Literal["GET", "POST"] = "POST"
    form: Form = {}
    command: Command | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.path is None) == (self.command is None):
            raise ValueError("it is a request (path) or a program (command): name one of the two")
        return self


class Actions(Model):
    """What a rehearsal lets the product do, each by a hook of its own; what is missing is not looked at.

    :ivar write: a user saves a result, which the product writes to the hospital; ``withdraw`` takes the last one back.
    :ivar job: work that runs without a user, with the product's own token.
    :ivar switch_off: ends the product's work at one hospital; ``switch_on`` begins it again.
    """

    write: Action | None = None
    withdraw: Action | None = None
    job: Trigger | None = None
    switch_off: Trigger | None = None
    switch_on: Trigger | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.withdraw is not None and self.write is None:
            raise ValueError("withdraw takes back what write has written: name write too")
        if (self.switch_off is None) != (self.switch_on is None):
            raise ValueError("switch_off and switch_on go together: what a rehearsal switches off it switches on again")
        return self

    @property
    def commands(self) -> tuple[str, ...]:
        """The programs among them."""
        named = (self.job, self.switch_off, self.switch_on)
        return tuple(trigger.command for trigger in named if trigger is not None and trigger.command is not None)


class ProductLog(Model):
    """Where the product's log is: a file, or a program that prints it.

    :ivar file: its path, from the workspace or absolute.
    :ivar command: ``{since}`` in it is the moment at which the rehearsal began; without it all is printed each time.
    :ivar security_mark: a text that each line of a security event has, in letters of any case.
    :ivar patient_fields: names of fields in which a patient's id may stand: ``patient=…``, ``"patient": "…"``.
    """

    file: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    command: Command | None = None
    security_mark: Annotated[str, Field(min_length=2, max_length=100)] = "security"
    patient_fields: Annotated[tuple[Annotated[str, Field(pattern=r"^[\w.-]{1,60}$")], ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.file is None) == (self.command is None):
            raise ValueError("a log is a file or what a program prints (command): name one of the two")
        return self


class SessionLimits(Model):
    """The limits of a session that the product has for this rehearsal; short, because they are waited for.

    :ivar idle_seconds: without a request; ``overall_seconds`` whatever the user does.
    :ivar sign_in_seconds: from a launch until the hospital's answer has to be there.
    """

    idle_seconds: Limit | None = None
    overall_seconds: Limit | None = None
    sign_in_seconds: Limit | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("name at least one of idle_seconds, overall_seconds and sign_in_seconds")
        return self


class Product(Versioned):
    """The product as it runs.

    :ivar launch_url: where an EHR launch begins; ``standalone_url`` where a user begins without one.
    :ivar home: the first page that shows a record; by default where the sign-in ends.
    :ivar user_page: a page that says who is signed in; by default that first page is looked at.
    :ivar jwks_url: where the product publishes its keys; without it ``--write-env`` gives a confidential client one.
    :ivar registration: how it becomes known to the hospitals: it is told by variables (or a JSON file), registers
        itself (``dynamic``, RFC 7591), or somebody enters what a table shows (``manual``).
    :ivar sign_out: a user signs out.
    :ivar endpoints: visited without a session, with another hospital's and after sign-out; by default those of the
        contract that carry patient data and take no parameters but these.
    :ivar return_parameters: names of parameters that may say where to go after the sign-in.
    :ivar requests_per_launch: how many requests one launch may make at a hospital, as was agreed.
    :ivar tls: whether the hospitals speak https, with an authority that the product has to trust.
    :ivar version: of the product, as its user states it; ``version_header`` names the header in which its pages do.
    :ivar driver: what acts as the browser: ``chromium`` where the product's pages are made in it.
    """

    launch_url: Url
    standalone_url: Url | None = None
    organizations: Annotated[tuple[ProductClient, ...], Field(min_length=1, max_length=6)]
    start: StartCommand | None = None
    home: PathTemplate | None = None
    user_page: PathTemplate | None = None
    jwks_url: Url | None = None
    registration: Literal["variables", "dynamic", "manual"] = "variables"
    sign_out: Action | None = None
    actions: Actions = Actions()
    log: ProductLog | None = None
    session_limits: SessionLimits | None = None
    endpoints: Annotated[tuple[VisitedEndpoint, ...], Field(max_length=100)] = ()
    return_parameters: Annotated[tuple[str, ...], Field(max_length=20)] = (
        "next",
        "returnUrl",
        "returnTo",
        "redirect",
        "target",
        "url",
    )
    requests_per_launch: Annotated[int, Field(ge=1, le=10_000)] | None = None
    tls: bool = False
    port: Annotated[int, Field(ge=1_024, le=65_000)] = FIRST_PORT
    version: Annotated[str, Field(max_length=200)] | None = None
    version_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")] | None = None
    driver: Driver = "http"

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

    @property
    def commands(self) -> tuple[str, ...]:
        """Every program that it names, which nobody runs unless the user has allowed it."""
        own = (self.start.told if self.start else None, self.log.command if self.log else None)
        return (*(command for command in own if command is not None), *self.actions.commands)

    def has(self, hook: Hook) -> bool:
        """Whether it names what a check needs."""
        return getattr(self.actions if hook in Actions.model_fields else self, hook) is not None

    def at_port(self, port: int) -> Product:
        """The same on another port of this machine, wherever the launch address's own port is named."""
        own = urlsplit(self.launch_url).netloc
        moved = f"{urlsplit(self.launch_url).hostname}:{port}"
        text = self.model_dump_json(exclude_unset=True).replace(f"//{own}/", f"//{moved}/")
        return Product.model_validate_json(text)

    def launch_at(self, client: ProductClient) -> str:
        """Where the launches of one hospital begin."""
        return client.launch_url or self.launch_url
