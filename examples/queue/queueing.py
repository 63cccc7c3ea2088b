"""Compare one line in front of all servers with two lines."""

import random
from typing import Annotated

from pydantic import Field

from bilancio import experiment


@experiment(
    "queue",
    arms=("one-line", "two-lines"),
    primary="wait",
    metrics={
        "wait": ("service times", "Mean wait of a customer."),
        "longest": ("service times", "Longest wait."),
    },
)
def simulate(
    seed: int,
    arm: str,
    rate: Annotated[float, Field(gt=0, lt=1, description="Load of a server.")] = 0.5,
    servers: Annotated[int, Field(ge=2, multiple_of=2, description="Servers.")] = 2,
    customers: Annotated[int, Field(ge=1, description="Customers that arrive.")] = 1000,
) -> dict[str, float]:
    """Serve customers from one line, or from two that each have half of the servers."""
    draw = random.Random(seed)
    free_at = [0.0] * servers
    clock, waits = 0.0, []
    for _ in range(customers):
        clock += draw.expovariate(rate * servers)
        service, line = draw.expovariate(1.0), draw.randrange(2)
        reachable = range(line, servers, 2) if arm == "two-lines" else range(servers)
        server = min(reachable, key=free_at.__getitem__)
        begins = max(clock, free_at[server])
        waits.append(begins - clock)
        free_at[server] = begins + service
    return {"wait": sum(waits) / customers, "longest": max(waits)}
