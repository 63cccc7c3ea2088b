"""Experiments: how a sweep becomes runs, and runs a summary."""
