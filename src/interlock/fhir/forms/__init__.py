"""Questionnaires and responses as FHIR R4 forms, and answers read back from them."""
