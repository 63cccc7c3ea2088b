"""Simulation sweeps that one can talk about."""
