"""NET: can the server be reached, over a sound TLS connection, and how does it answer."""
