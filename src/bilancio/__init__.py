"""Simulation sweeps that one can talk about."""

from bilancio.experiments.decorator import experiment

__all__ = ["experiment"]
