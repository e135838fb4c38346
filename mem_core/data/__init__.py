"""Generators and small real data sets."""
