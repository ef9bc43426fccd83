"""Frozen models, the product's vocabulary. No I/O, and nothing of ours is imported from here."""
