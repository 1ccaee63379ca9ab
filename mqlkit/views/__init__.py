"""Frames as charts, tables and verdicts; no arithmetic."""
