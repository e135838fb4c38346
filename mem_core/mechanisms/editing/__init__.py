"""Memory read, changed and removed."""
