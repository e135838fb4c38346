"""Memory as a module of the network."""
