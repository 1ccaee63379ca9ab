"""Notebook outputs, the HTML page, metrics.json, CSV files, earlier reports."""
