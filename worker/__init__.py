"""The process that consumes, and the lower floor that the supervisor stands on too."""
