"""Checks: a family is a file, a large one a folder with a file for each theme. ``CAP-031`` is found under ``cap``.

Each check is a small pure function over facts and recorded exchanges, and cites its source.

A new check is one function in its family's file: registered with its number, title, severity and citation, it takes a
``CheckInput`` and returns ``passed``, ``warned``, ``failed``, ``not_applicable`` or ``not_observed`` with one sentence
and the evidence. ``needs`` names the document without which there is nothing to look at: when that was not seen, the
check is not run and says why. A new family is one file with a ``FAMILY``, listed in ``registry.FAMILIES``.

A check names its ``level``: the strongest word of its sources, ``contract`` for what the user's own workflow contract
needs, or ``judgement`` where the sources leave it open; and the ``rows`` of the verified requirements that it rests on.
``docs/checks.md`` is made from all of that.

``failed`` is for what a source requires (SHALL, MUST), ``warned`` for what it recommends or for what makes an
integration harder. What was not seen is never a failure of the server's owner.
"""
