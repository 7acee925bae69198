"""Pure functions on arrays: projection, triangulation, association, reconstruction."""
