"""A state that fades."""
