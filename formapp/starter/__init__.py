"""A new installation: its form, its settings and what a server needs to run it."""
