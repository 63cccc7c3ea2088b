"""Compiled parts of one run; all of numba lives here."""
