"""What an executor is, what becomes of a batch, and how a failing batch is narrowed down."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bilancio.experiments.protocol import Experiment
from bilancio.failpoints import failpoint

Indices = NDArray[np.int64]
Metrics = NDArray[np.void]

MAX_ERROR = 2000


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
    metrics: Metrics
    failures: dict[int, str] = field(default_factory=dict)
    compute_s: float = 0.0


class Executor(Protocol):
    """Computes batches of runs somewhere. Knows nothing of jobs, leases or the store.

    Batches are computed at least once, in any order.
    """

    name: str
    workers: int  # batches that compute at the same time

    def submit(
        self, experiment: Experiment, config: Any, indices: Indices, *, isolated: bool = False
    ) -> Future[Outcome]:
        """Schedule the runs of *indices*.

        A run that fails is in the outcome's `failures`, whatever it raises; the others of its
        batch are computed. An *isolated* batch computes where a crash takes only itself down.
        """
        ...

    def close(self) -> None:
        """Drop what has not begun; do not wait for what has."""
        ...


def narrow_down(attempt: Callable[[Indices], Metrics], indices: Indices) -> Outcome:
    """Compute a batch by *attempt*; where it raises, halve it until failing runs are alone."""
    began = time.perf_counter()
    failures: dict[int, str] = {}
    done: list[tuple[Indices, Metrics]] = []
    waiting = [indices]
    while waiting:
        batch = waiting.pop()
        try:
            metrics = attempt(batch)
        except Exception as error:  # noqa: BLE001 - an experiment may raise anything
            if len(batch) == 1:
                failures[int(batch[0])] = f"{type(error).__name__}: {error}"[:MAX_ERROR]
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


def compute_table(experiment: Experiment, config: Any, indices: Indices) -> Metrics:
    """Return what the experiment computes for *indices*.

    Raises
    ------
    TypeError, ValueError
        It is not one row of named numbers for each run.
    """
    failpoint("in-batch")
    metrics = experiment.compute(config, indices)
    if not isinstance(metrics, np.ndarray) or not metrics.dtype.names:
        message = f"the experiment returned {type(metrics).__name__}, not a table of metrics"
        raise TypeError(message)
    if metrics.shape != indices.shape:
        message = f"the experiment returned {metrics.shape} rows for {len(indices)} runs"
        raise ValueError(message)
    if metrics.dtype.hasobject:
        message = "the experiment returned metrics that are not numbers"
        raise TypeError(message)
    return metrics
