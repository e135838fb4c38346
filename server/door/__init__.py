"""The door: who may reach which page, and how they come in."""
