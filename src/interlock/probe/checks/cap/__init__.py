"""CAP: the capability statement, and what the workflow contract needs of it."""
