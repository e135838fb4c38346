"""One module per paper, in families that say where the memory lives; `overview` is the map over them."""
