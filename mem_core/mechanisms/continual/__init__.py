"""Memory kept while learning more."""
