"""Examine, verify, delete, back up and recover what there is."""
