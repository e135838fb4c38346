"""One module per paper, in six families that say where the memory lives."""
