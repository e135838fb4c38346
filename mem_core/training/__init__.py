"""Optimizers, learning-rate schedules, curve fitting and the training loop."""
