"""The plan's work as other programs import it: issue trackers, OSCAL POA&M, calendars."""
