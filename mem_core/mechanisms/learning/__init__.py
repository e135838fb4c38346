"""Memory written into weights by training."""
