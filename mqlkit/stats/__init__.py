"""Statistics on arrays: intervals, survival, sums by day."""
