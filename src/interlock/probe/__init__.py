"""Looking at FHIR and SMART endpoints: guarded requests, recorded exchanges, and checks that cite their source."""
