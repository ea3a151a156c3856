"""The service children. What they import, only their own processes import, but for their specs."""
