"""What each vendor's registration form asks: labels as they were seen, in ``data/registration/VENDOR.yaml``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from interlock.documents.yaml import load_yaml, model_from_yaml
from interlock.model.base import Model
from interlock.model.contract_parts import LaunchMode

DATA = Path(__file__).parent / "data" / "registration"
#: The form of a vendor of which none is known.
GENERIC = "smart"

#: What a field is filled from; ``nothing``: Interlock holds no such value.
From = Literal[
    "access_type",
    "authentication",
    "client_id_env",
    "confidential",
    "contacts",
    "description",
    "fhir_base_url",
    "fhir_release",
    "interfaces",
    "jwks_url",
    "launch_url",
    "nothing",
    "preview_or_production",
    "privacy_url",
    "product",
    "redirect_uris",
    "refresh",
    "scope_version",
    "scopes",
    "scopes_product",
    "tenant",
    "terms_url",
]
Environment = Literal["sandbox", "non-production", "production"]


class Source(Model):
    """A document that a label or a trap was read in, and of when it is, as far as it says."""

    title: str
    url: str | None = None
    date: str


class Seen(Model):
    """When and where the form's labels were seen; they change without notice, and most stand behind a sign-in."""

    date: str
    sources: tuple[str, ...]


class FormField(Model):
    """One field of a form.

    :ivar choose: the form's own word for each launch mode, in the place of ``from``.
    :ivar modes, environments: where it is asked at all; everywhere when empty.
    :ivar who: who fills it; ``change``: until when it can be changed, none where nobody said.
    :ivar source: key of the one document that says so; none for what the form's ``seen`` names together.
    """

    label: str
    from_: From | None = Field(default=None, alias="from")
    choose: dict[LaunchMode, str] = {}
    modes: tuple[LaunchMode, ...] = ()
    environments: tuple[Environment, ...] = ()
    who: str
    change: str | None = None
    source: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> FormField:
        if (self.from_ is None) == (not self.choose):
            raise ValueError("a field is filled from a value, or by a choice for each launch mode")
        return self


class Trap(Model):
    """What went wrong for others."""

    text: str
    source: str | None = None


class Interface(Model):
    """A vendor's own name for one interaction with one type, of one category where it has several."""

    resource: str
    interaction: str
    category: str | None = None
    name: str


class Writes(Model):
    """Types that can be written after this form alone, and why no others."""

    carried: tuple[str, ...]
    why: str
    source: str | None = None


class Form(Model):
    """A vendor's form.

    :ivar records: launch modes that the vendor counts as one client, with one id in each environment.
    :ivar writes: none where the form can carry them all.
    """

    id: str
    title: str
    records: tuple[tuple[LaunchMode, ...], ...]
    sources: dict[str, Source]
    seen: Seen
    fields: tuple[FormField, ...]
    traps: tuple[Trap, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    writes: Writes | None = None

    @model_validator(mode="after")
    def _sources_exist(self) -> Form:
        cited = [*(part.source for part in self.fields), *(part.source for part in self.traps)]
        cited.append(self.writes.source if self.writes else None)
        if unknown := {*self.seen.sources, *filter(None, cited)} - self.sources.keys():
            raise ValueError(f"there is no source {', '.join(sorted(unknown))}")
        return self


@lru_cache(maxsize=32)
def form_of(vendor: str) -> Form:
    """The form of a vendor, or what any server of SMART App Launch may expect.

    :raises DocumentError: the data of this package is broken.
    """
    path = DATA / f"{vendor}.yaml"
    return model_from_yaml(Form, load_yaml(path if path.is_file() else DATA / f"{GENERIC}.yaml"))
