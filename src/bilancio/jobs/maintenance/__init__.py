"""Examine, verify, delete, back up and recover jobs and their store."""
