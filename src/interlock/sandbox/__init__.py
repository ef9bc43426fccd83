"""The embedded simulated organisations: documents, faults, and a server for them on loopback."""
