"""Documents of FHIR and SMART servers read into facts: tolerant, bounded, and never raising."""
