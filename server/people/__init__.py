"""People and classes: who there is, who may see whom, and what may be changed by whom. Knows nothing of the web."""
