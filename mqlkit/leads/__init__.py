"""The one clean lead table and what is counted of it."""
