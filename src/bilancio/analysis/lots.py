"""How many seeds a sweep that asks for a precision begins with."""

FIRST_LOT = 20
"""Seeds after which its interval is looked at for the first time: with fewer, stopping when it
happens to be narrow would be a habit."""
