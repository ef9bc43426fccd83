"""Leaf helpers that touch documents: files, bounded YAML with positions, names, untrusted text, packaged data."""
