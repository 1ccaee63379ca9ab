"""Numbers of a report: lead table in, tidy frames out."""
