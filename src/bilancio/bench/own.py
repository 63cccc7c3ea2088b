"""A decorated function that takes a millisecond, and says when it was called."""

import time

from bilancio import experiment

RUN_S = 1e-3


@experiment("millisecond", version="1", metrics={"began": "s", "ended": "s"})
def simulate(seed: int) -> dict[str, float]:
    """Keep a core busy for a millisecond."""
    del seed
    began = time.perf_counter()
    while (ended := time.perf_counter()) - began < RUN_S:
        pass
    return {"began": began, "ended": ended}
