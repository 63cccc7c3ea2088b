"""How fast a Dask cluster on this machine's cores computes beside this machine's own threads.

Run as a process of its own; it writes one line of JSON for each finding.
"""

import concurrent.futures
import itertools
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np

from bilancio.bench.cluster import cluster
from bilancio.bench.finding import Finding, write
from bilancio.executors.base import Executor, Outcome
from bilancio.executors.names import DASK, DEFAULT
from bilancio.executors.registry import open_executor
from bilancio.experiments import registry
from bilancio.jobs.worker.batching import LARGEST_BATCH
from bilancio.settings import Settings

BATCH_S = 1.0
BATCHES_PER_WORKER = 4  # in a round
ROUNDS = 3  # of each executor in turn: other programs disturb both alike
AT_ONCE = 2  # batches of a worker: one that computes, and one that waits, as jobs have them
CONFIG: dict[str, Any] = {
    "sweep_type": "balanced",
    "kappas": ["0.25", "0.5", "1", "2", "4"],
    "mus": ["0", "0.25", "0.5", "0.75", "1"],
    "n_replicates": 10**5,
}
SHORT = 2_000  # runs, by which it is measured how many take a second


def findings() -> Iterator[Finding]:
    """Measure both in turn."""
    with cluster() as address:
        local = open_executor(Settings(executor=DEFAULT))
        dask = open_executor(Settings(executor=DASK, dask_address=address))
        try:
            yield from _beside(local, dask)
        finally:
            local.close()
            dask.close()


def _beside(local: Executor, dask: Executor) -> Iterator[Finding]:
    dask.ready()
    while dask.waiting or dask.workers < local.workers:
        time.sleep(0.1)
    for executor in (local, dask):
        _rate(executor, SHORT, 2 * AT_ONCE)  # loads and warms every worker
    size = min(int(BATCH_S * _rate(local, SHORT, AT_ONCE) / local.workers), LARGEST_BATCH)
    rates: dict[str, list[float]] = {local.name: [], dask.name: []}
    for _, executor in itertools.product(range(ROUNDS), (local, dask)):
        rates[executor.name].append(_rate(executor, size, BATCHES_PER_WORKER))
    here, there = max(rates[local.name]), max(rates[dask.name])
    what = f"batches of {size:,} balanced runs"
    yield Finding(what=what, value=here, unit="runs/s")
    yield Finding(what="… Dask on the same cores", value=there, unit="runs/s")
    yield Finding(what="… Dask / local", value=100 * there / here, unit="%", at_least=85)


def _rate(executor: Executor, size: int, batches: int) -> float:
    """Return how many runs an executor computes in a second, in so many batches for each worker."""
    experiment = registry.experiment(CONFIG["sweep_type"])
    experiment.prepare()
    config = registry.configuration(CONFIG)
    left = iter(range(batches * executor.workers))
    computing: set[Future[Outcome]] = set()
    began = time.perf_counter()
    while True:
        for number in itertools.islice(left, AT_ONCE * executor.workers - len(computing)):
            indices = np.arange(number * size, (number + 1) * size)
            computing.add(executor.submit(experiment, config, indices))
        if not computing:
            break
        done, computing = concurrent.futures.wait(computing, return_when="FIRST_COMPLETED")
        for each in done:
            each.result()
    return batches * executor.workers * size / (time.perf_counter() - began)


def main() -> None:
    """Measure, and print one finding a line."""
    for finding in findings():
        write(finding)
