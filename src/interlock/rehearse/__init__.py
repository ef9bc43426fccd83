"""Rehearsals: simulated hospitals launch the team's own running product, and record what it does.

What a reader of a rehearsal needs is in ``model/rehearsal.py`` alone. ``run.rehearse`` gives a ``ProductObservation``,
which is kept as ``observations/product/<utc>.json``:

* ``polite``: whether every hospital's polite launch showed its patient. Where it did not, the checks that only read
  what the polite sign-ins asked still have outcomes, and all others are ``not_reached``.
* ``results``: rows in the order of the catalogue. A check has one row, or one for each hospital (``organization``) or
  endpoint, parameter, spelling, fault (``subject``); ``about`` names the kind of subject where the catalogue's
  ``breaks`` tell them apart: ``viewer``, ``filter``, ``page``, ``data`` of an endpoint, ``aud`` and other parameters.
  ``outcomes`` is what each check comes to over its rows, by :func:`interlock.model.rehearsal.worst`.
* ``driver``: ``http``, or Chromium with its version. Checks that need scripts have rows with Chromium alone.
* A rehearsal of some checks or hospitals alone is not kept, so that what is kept looked at everything.
* A product that ended by itself is counted in ``app.deaths``, and a row of ``RH-L10`` says during which checks. That it
  fails with a page of status 500 breaks the checks that are about that, and no other: refused by accident is refused.
* ``requests`` are numbers of lines of ``tape``, which has every request at the hospitals, the browsers' too (``by``).
  Codes, tokens, states, secrets and cookies in it are keyed hashes; the key is kept nowhere.
* ``layout`` says whether hospitals had addresses or ports of their own: what is seen of cookies holds for that.
"""
