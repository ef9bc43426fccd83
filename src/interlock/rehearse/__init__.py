"""Rehearsals: simulated hospitals launch the team's own running product, and record what it does."""
