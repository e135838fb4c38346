"""The map over all mechanisms."""
