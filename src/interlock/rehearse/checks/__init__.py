"""The checks of a rehearsal, a file for each part of the way through the product."""
