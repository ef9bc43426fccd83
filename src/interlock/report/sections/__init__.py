"""The report's sections, one builder a file: assessment in, frozen view models out."""
