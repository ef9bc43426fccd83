"""Views: who asks for a rule or a routine task, and of whom it holds when it is asked for there.

A *view* is the subject that asks. What it asks for widens or narrows with it:

====================  =================  ==========================  ==========================
the view              of product scope   of vendor scope             of organisation scope
====================  =================  ==========================  ==========================
an organisation       the product's      its vendor's                its own
a vendor              the product's      its own                     every one of its organisations'
the product           the product's      every vendor's              every organisation's
====================  =================  ==========================  ==========================
"""

from __future__ import annotations

from collections.abc import Sequence

from interlock.gaps.subjects import by_vendor
from interlock.model.base import Scope
from interlock.model.organization import Organization

#: Who asks: ``(scope, id)``; the product's id is empty.
View = tuple[Scope, str]
PRODUCT_VIEW: View = (Scope.PRODUCT, "")


def key_at(rule: str, view: View) -> str:
    """The finding key of a rule at a subject (see :func:`interlock.model.finding.finding_key`)."""
    scope, name = view
    if scope is Scope.PRODUCT:
        return rule
    return f"{rule}@{name}" if scope is Scope.ORG else f"{rule}@vendor:{name}"


class Views:
    """The views of one fleet.

    :ivar vendor_of: organisation → its vendor, in the order given.
    :ivar orgs_of: vendor → its organisations, vendors sorted.
    """

    def __init__(self, organizations: Sequence[Organization]) -> None:
        self.vendor_of = {organization.id: organization.vendor for organization in organizations}
        self.orgs_of = by_vendor(organizations)

    def subject(self, scope: Scope, view: View) -> View:
        """Where something of this scope stands when it is asked for in a view that is not wider than the scope."""
        if scope is Scope.PRODUCT:
            return PRODUCT_VIEW
        if scope is Scope.VENDOR and view[0] is Scope.ORG:
            return (Scope.VENDOR, self.vendor_of[view[1]])
        return view

    def narrowed(self, scope: Scope, view: View) -> list[View]:
        """The views in which something of this scope is met: as many as the view is wider than the scope."""
        if scope is Scope.PRODUCT or view[0] is Scope.ORG:
            return [view]
        if scope is Scope.VENDOR:
            return [view] if view != PRODUCT_VIEW else [(Scope.VENDOR, vendor) for vendor in self.orgs_of]
        orgs = self.vendor_of if view == PRODUCT_VIEW else self.orgs_of.get(view[1], ())
        return [(Scope.ORG, org) for org in orgs]

    def that_meet_one(self, scope: Scope) -> list[View]:
        """Every view that needs no narrowing before it meets something of this scope."""
        views: list[View] = [(Scope.ORG, org) for org in self.vendor_of]
        if scope is not Scope.ORG:
            views += [(Scope.VENDOR, vendor) for vendor in self.orgs_of]
        if scope is Scope.PRODUCT:
            views.append(PRODUCT_VIEW)
        return views
