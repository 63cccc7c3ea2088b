"""What is swept: epidemics with and without vaccination."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from bilancio import experiment
from epidemic.spread import spread


@experiment(
    "epidemic",
    arms=("nothing", "vaccination"),
    primary="infected",
    metrics={
        "infected": ("1", "Share of the people who were ever infected."),
        "peak": ("1", "Largest share infected at once."),
        "days": ("days", "Days until the infection was gone."),
    },
)
def simulate(
    seed: int,
    arm: Literal["nothing", "vaccination"],
    *,
    beta: Annotated[float, Field(gt=0, le=2, description="Infections a day, all healthy.")] = 0.3,
    gamma: Annotated[float, Field(gt=0, le=1, description="Chance to recover in a day.")] = 0.1,
    coverage: Annotated[float, Field(ge=0, le=1, description="Share vaccinated.")] = 0.3,
    masks: Annotated[bool, Field(description="Masks halve beta.")] = False,
    people: Annotated[int, Field(ge=2, le=10_000, description="People.")] = 200,
) -> dict[str, float]:
    """Spread an infection, with or without vaccination."""
    course, choice = np.random.default_rng(seed).spawn(2)  # a stream for each purpose
    immune = (choice.random(people) < coverage) & (arm == "vaccination")
    beta = beta / 2 if masks else beta
    return spread(course, immune, beta=beta, gamma=gamma, days=300)._asdict()
