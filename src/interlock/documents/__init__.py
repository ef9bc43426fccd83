"""Leaf helpers that touch documents: bounded YAML with positions, untrusted text, packaged data."""
