"""Checking form files: what their keys must be to each other, and faults in plain English."""
