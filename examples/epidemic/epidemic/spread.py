"""One epidemic, day by day."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Outcome(NamedTuple):
    """What one epidemic was like: shares of the people, and days."""

    infected: float
    peak: float
    days: int


def spread(
    draws: np.random.Generator, immune: NDArray[np.bool_], *, beta: float, gamma: float, days: int
) -> Outcome:
    """Spread an infection from the first person, who is not immune.

    Whoever is infected infects each other person with the chance beta / people a day, and recovers
    with the chance gamma.
    """
    people = len(immune)
    catches, recovers = draws.random((2, days, people))  # all draws, whatever happens
    infected = np.zeros(people, bool)
    infected[0] = True
    susceptible = ~infected & ~immune
    ever, peak, day = 1, 1, 0
    while day < days and infected.any():
        risk = 1 - (1 - beta / people) ** infected.sum()
        new = susceptible & (catches[day] < risk)
        infected = (infected & (recovers[day] >= gamma)) | new
        susceptible &= ~new
        ever, peak, day = ever + int(new.sum()), max(peak, int(infected.sum())), day + 1
    return Outcome(ever / people, peak / people, day)
