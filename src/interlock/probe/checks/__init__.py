"""Checks: a family is a file, a large one a folder with a file for each theme. ``CAP-031`` is found under ``cap``.

A new check is one function in its family's file, and nothing else: registered with its id, title, severity and
citations, it takes a ``CheckInput`` and returns ``passed``, ``warned``, ``failed``, ``not_applicable`` or
``not_observed`` with one sentence. It is small and pure: it looks at facts and recorded exchanges, and judges.

- ``needs`` names the document without which there is nothing to look at: when that was not seen, the check is not run
  and says why. What a check finds out later that it needs, it asks with ``probed.require`` or ``probed.listed``.
- ``rests_on`` names what a pass rests on besides ``needs``: documents, answers, a handshake. A pass without it becomes
  ``not_observed``, and a test takes each of them away from an observation in which the check passes.
- ``at`` is where it looks (``smart#/capabilities``): the evidence of every result that names no other.
- ``level`` is the strongest word of its sources, ``contract`` for what the user's own workflow contract needs, or
  ``judgement`` where the sources leave it open; ``rows`` are the verified requirements that it rests on.

``docs/checks.md`` is made from all of that. A new family is a file, and a line in ``registry.FAMILIES``.

``failed`` is for what a source requires (SHALL, MUST), ``warned`` for what it recommends or for what makes an
integration harder. What was not seen is never a failure of the server's owner.
"""
