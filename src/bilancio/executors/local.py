"""Compute chunks on this machine's cores."""

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.experiments.base import Experiment

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a batch of runs.

    Attributes
    ----------
    indices : int64 (n,)
        The runs that succeeded, increasing.
    metrics : structured (n,)
        Their rows.
    failures
        Error by index of the runs that failed.
    compute_s
        Seconds of one core spent on it.
    """

    indices: Indices
    metrics: NDArray[np.void]
    failures: dict[int, str] = field(default_factory=dict)
    compute_s: float = 0.0


class LocalExecutor:
    """Threads on this machine, for experiments whose computation releases the GIL.

    Parameters
    ----------
    workers
        Number of threads; 0 takes one for each core that this process may use.
    """

    name = "local"

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="kernel")

    def submit(self, experiment: Experiment, config: Any, indices: Indices) -> Future[Outcome]:
        """Compute the runs of *indices*, some time soon."""
        return self._pool.submit(compute, experiment, config, indices)

    def close(self) -> None:
        """Drop what has not begun; do not wait for what has."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def compute(experiment: Experiment, config: Any, indices: Indices) -> Outcome:
    """Compute a batch; where it raises, halve it until the runs that fail are alone."""
    began = time.perf_counter()
    failures: dict[int, str] = {}
    done: list[tuple[Indices, NDArray[np.void]]] = []
    waiting = [indices]
    while waiting:
        batch = waiting.pop()
        try:
            metrics = experiment.compute(config, batch)
        except Exception as error:  # noqa: BLE001 - an experiment may raise anything
            if len(batch) == 1:
                failures[int(batch[0])] = f"{type(error).__name__}: {error}"
            else:
                middle = len(batch) // 2
                waiting += [batch[middle:], batch[:middle]]
        else:
            done.append((batch, metrics))
    return Outcome(
        indices=np.concatenate([batch for batch, _ in done]) if done else np.empty(0, np.int64),
        metrics=np.concatenate([rows for _, rows in done]) if done else np.empty(0, np.void),
        failures=failures,
        compute_s=time.perf_counter() - began,
    )
