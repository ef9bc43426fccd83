"""NET: can the server be reached, over a sound TLS connection, and how does it answer."""

from interlock.probe.checks.base import Family
from interlock.probe.checks.net import answers, reach, tls

FAMILY = Family("NET", reach.FAMILY, tls.FAMILY, answers.FAMILY)
