"""How anything is asked of a server that nobody trusts: guarded addresses, pools, politeness, TLS, credentials."""
