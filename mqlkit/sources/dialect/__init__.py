"""How the dates and numbers of a column are written, decided from all of its values."""
