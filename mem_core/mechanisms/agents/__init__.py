"""Memory outside the model."""
