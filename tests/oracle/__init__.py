"""The oracle: MODEL.md read slowly, in plain Python, to judge the fast engine by.

It shares no code with the engine. Cash is int in micro-units, faces are int in
whole units, shares of the outcome are fractions until the end, and everything
that MODEL.md computes in doubles is computed in its order. Section numbers in
the modules are those of MODEL.md.

A run is ``simulate``; pieces of it can be called by themselves: the draws of
the ring in ``scenario``, the formulas of the dealer in ``quotes``, the records
of ``Outcome.events`` are in ``books``.
"""

from tests.oracle.run import Outcome, simulate

__all__ = ["Outcome", "simulate"]
