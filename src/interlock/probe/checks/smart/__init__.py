"""SMART: the SMART configuration, and what the workflow contract needs of it."""
