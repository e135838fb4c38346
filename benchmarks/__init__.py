"""Measured figures: what is slow for a learner, and beside what."""
