"""Directories of FHIR endpoints: who is listed, at which base URLs, and what of a file could not be used."""
