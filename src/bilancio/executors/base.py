"""What an executor is, what becomes of a batch, and how a failing batch is narrowed down."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bilancio.experiments.protocol import Experiment, is_masked
from bilancio.experiments.sources import raised_in
from bilancio.failpoints import failpoint
from bilancio.printable import escaped
from bilancio.text import MAX_ERROR

Indices = NDArray[np.int64]
Metrics = NDArray[np.void]

MAX_ITEM_BYTES = 8
BATCH_S = 0.3  # where a batch needs no network, or a near one


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
    cold
        Some of it was computed by a thread or process that had computed nothing before, so that
        `compute_s` may include what is loaded and compiled once.
    """

    indices: Indices
    metrics: Metrics
    failures: dict[int, str] = field(default_factory=dict)
    compute_s: float = 0.0
    cold: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a batch: its rows, or the error that left it without them."""

    metrics: Metrics | None
    error: str = ""
    cold: bool = False


class Executor(Protocol):
    """Computes batches of runs somewhere. Knows nothing of jobs, leases or the store.

    Batches are computed at least once, in any order.
    """

    name: str
    workers: int  # batches that compute at the same time
    batch_s: float  # that a batch should take, so that handing it over costs little beside it
    waiting: str  # why nothing can compute at the moment; empty as long as something can

    def warm_up(self, experiment: Experiment, config: Any, runs: int) -> None:
        """Have what will compute up to *runs* runs started and loaded meanwhile.

        What cannot be started or loaded is left to `submit` to report.
        """
        ...

    def ready(self) -> None:
        """Wait until batches can be computed.

        Raises
        ------
        ExecutorFailed
            None can.
        """
        ...

    def submit(
        self, experiment: Experiment, config: Any, indices: Indices, *, isolated: bool = False
    ) -> Future[Outcome]:
        """Schedule the runs of *indices*.

        A run that fails is in the outcome's `failures`, whatever it raises; the others of its
        batch are computed. An *isolated* batch computes where a crash takes only itself down.

        The future raises `ExecutorFailed` when nothing can be computed at all.
        """
        ...

    def close(self) -> None:
        """Drop what has not begun and stop what can be stopped; wait for nothing else."""
        ...


def narrow_down(attempt: Callable[[Indices], Attempt], indices: Indices) -> Outcome:
    """Compute a batch by *attempt*; where that fails, halve it until failing runs are alone.

    A table with other columns than the first one of the batch is a failure, too.
    """
    began = time.perf_counter()
    failures: dict[int, str] = {}
    done: list[tuple[Indices, Metrics]] = []
    cold = False
    waiting = [indices]
    while waiting:
        batch = waiting.pop()
        tried = attempt(batch)
        cold |= tried.cold
        rows, error = tried.metrics, tried.error
        if rows is not None and done and rows.dtype != done[0][1].dtype:
            error = other_columns(rows.dtype, done[0][1].dtype)
            rows = None
        if rows is not None:
            done.append((batch, rows))
        elif len(batch) == 1:
            failures[int(batch[0])] = error
        else:
            middle = len(batch) // 2
            waiting += [batch[middle:], batch[:middle]]
    return Outcome(
        indices=np.concatenate([batch for batch, _ in done]) if done else np.empty(0, np.int64),
        metrics=np.concatenate([rows for _, rows in done]) if done else np.empty(0, np.void),
        failures=failures,
        compute_s=time.perf_counter() - began,
        cold=cold,
    )


def other_columns(got: np.dtype[Any], expected: np.dtype[Any]) -> str:
    """Say that a run returned other columns than those before it."""
    said = f"TypeError: returned columns {_listed(got)}, not {_listed(expected)}"
    return escaped(said)[:MAX_ERROR]


def _listed(columns: np.dtype[Any]) -> str:
    return ", ".join(f"{name} ({columns[name]})" for name in columns.names or ()) or "none"


def attempt_here(
    experiment: Experiment, config: Any, indices: Indices, *, cold: bool = False
) -> Attempt:
    """Compute a batch in this thread; whatever it raises becomes the attempt's error.

    A run may raise SystemExit or KeyboardInterrupt as well: it is the run that ends, not the
    process that computes it.
    """
    try:
        return Attempt(compute_table(experiment, config, indices), cold=cold)
    except BaseException as error:  # noqa: BLE001 - an experiment may raise anything
        return Attempt(None, raised_in(type(config).__module__, error), cold)


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
    if is_masked(metrics):
        message = "the experiment returned a masked table; say NaN where a metric is not known"
        raise TypeError(message)
    if metrics.shape != indices.shape:
        message = f"the experiment returned {metrics.shape} rows for {len(indices)} runs"
        raise ValueError(message)
    for name in metrics.dtype.names:
        column = metrics.dtype[name]
        if column.kind not in "biuf" or column.itemsize > MAX_ITEM_BYTES:
            message = f"the experiment returned metrics that are not numbers: {name} ({column})"
            raise TypeError(message)
    return np.asarray(metrics)
