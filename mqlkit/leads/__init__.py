"""The lead table and the cube computed from it."""
