"""Count how often an insurer is ruined: one call computes many runs, a row of an array each."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bilancio import experiment

Floats = NDArray[np.float64]


@experiment(
    "ruin",
    batch=True,
    primary="ruined",
    metrics={
        "ruined": ("1", "Whether the capital was ever negative."),
        "capital_end": ("claims", "Capital at the end."),
    },
)
def simulate(
    seed: NDArray[np.int64],
    capital: Annotated[float | Floats, Field(ge=0, description="Capital at the start.")] = 5.0,
    loading: Annotated[float | Floats, Field(ge=0, description="Premium above the mean.")] = 0.1,
    years: Annotated[int, Field(ge=1, description="Years.")] = 50,
) -> dict[str, Floats | NDArray[np.bool_]]:
    """Insure against one claim a year, of exponential size with mean 1."""
    claims = np.stack([np.random.default_rng(each).exponential(size=years) for each in seed])
    gains = 1 + np.broadcast_to(loading, seed.shape)[:, np.newaxis] - claims
    path = np.broadcast_to(capital, seed.shape)[:, np.newaxis] + gains.cumsum(axis=1)
    return {"ruined": (path < 0).any(axis=1), "capital_end": path[:, -1]}
