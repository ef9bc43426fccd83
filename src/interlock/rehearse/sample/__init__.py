"""A small SMART application for several hospitals, sound as far as the rehearsal can tell: to rehearse, and to read.

``python -m interlock.rehearse.sample PORT`` serves it on loopback; what it has to know of each hospital it takes
from the variables that ``interlock rehearse --write-env`` writes. It shows one patient's name and observations, a trend
as a picture, and a filter; it writes a note and withdraws it, and counts a hospital's records with a token of its own.
Below ``/browser/`` it stands once more as a browser application, whose page a script makes. With ``viewer,filter``
behind the port these two forget to ask whose session it is, as in the demo: nobody should copy that. With a folder
behind that it keeps a log there, and a hospital is switched off by a file ``alder.off`` in it.
"""
