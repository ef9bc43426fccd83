"""The terminal UI in a browser: who may come in, one process a session, and the page."""
