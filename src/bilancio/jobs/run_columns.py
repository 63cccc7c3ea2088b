"""The runs of a job by columns, a block at a time."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.experiments import registry
from bilancio.experiments.dictionary import Dictionary
from bilancio.experiments.protocol import Experiment, metrics_of
from bilancio.experiments.reporting import parameters_of
from bilancio.frames.columns import Column, Filling, narrow, words_column
from bilancio.jobs.models import Job
from bilancio.jobs.recorded import rows_between
from bilancio.jobs.store import Chunk, JobStore, packing
from bilancio.model.metrics import Metric

BLOCK = 100_000  # runs whose columns are made at once
STATUSES = ("completed", "failed", "pending")

Indices = NDArray[np.int64]
Columns = dict[str, Column]


class Block(NamedTuple):
    """Some runs: where they begin among those asked for, and their columns."""

    start: int
    columns: Columns


async def blocks(
    store: JobStore, job: Job, wanted: Indices, failed: Mapping[int, str]
) -> AsyncIterator[Block]:
    """Yield the columns of runs: parameters, seed, arm, `status`, metrics, `error` of failed ones.

    Parameters
    ----------
    wanted : int64 (n,)
        Runs, increasing.
    failed
        Errors of the failed runs.

    Raises
    ------
    ExperimentFailed, JobDamaged
    """
    experiment = registry.experiment(job.config.sweep_type)
    for start in range(0, max(len(wanted), 1), BLOCK):
        some = wanted[start : start + BLOCK]
        ends = (int(some[0]), int(some[-1])) if len(some) else (0, -1)
        found = await rows_between(store, job, *ends)
        columns = await asyncio.to_thread(columns_of, job, experiment, some, found, failed)
        yield Block(start, columns)


def columns_of(
    job: Job,
    experiment: Experiment,
    wanted: Indices,
    found_runs: tuple[Indices, NDArray[np.void]],
    failed: Mapping[int, str],
) -> Columns:
    """Return the columns of runs, as `blocks` does.

    Parameters
    ----------
    found_runs
        Indices and rows of runs with results, those of *wanted* that have some among them.
    """
    cells = parameters_of(experiment, job.config, wanted)
    indices, metrics = found_runs
    place = np.minimum(np.searchsorted(indices, wanted), max(len(indices) - 1, 0))
    has = indices[place] == wanted if len(indices) else np.zeros(len(wanted), bool)
    about = Dictionary(experiment, job.config)
    found: Columns = {}
    for name, values in cells.items():
        known = job.config.arms if name == "arm" else about.of(name).values
        found[name] = _parameter(values, known, about.of(name).meaning)
    found["status"] = _statuses(job, wanted, has, failed)
    for metric in metrics_of(experiment, metrics.dtype):
        column = metric_column(metric, metrics[metric.name], place, has)
        if metric.name in cells:  # a search chose it
            planned = found[metric.name]
            values = np.where(has, column.values, planned.values)
            column = Column(values, meaning=planned.meaning)
        found[metric.name] = column
    errors = [failed.get(index, "") for index in wanted.tolist()] if failed else []
    if any(errors):
        codes = words_column(np.array(errors), ("",))
        assert codes.words is not None, "it is a column of words"
        found["error"] = Column(codes.values - 1, words=codes.words[1:])
    return found


def manual_columns(job: Job, stored: Sequence[Chunk]) -> Columns:
    """Return the columns of runs that were recorded manually: ids, and metrics some may lack."""
    experiment = registry.experiment(job.config.sweep_type)
    filling = Filling(len(stored))
    one = np.zeros(1, np.int64)
    for number, chunk in enumerate(stored):
        metrics = packing.unpack(chunk, job.job_id)
        row = {
            metric.name: metric_column(metric, metrics[metric.name], one, np.ones(1, bool))
            for metric in metrics_of(experiment, metrics.dtype)
        }
        run_id = Column(np.array([chunk.run_id], object))
        status = Column(narrow(one, len(STATUSES)), words=STATUSES)
        filling.put(number, {"run_id": run_id, "status": status, **row})
    return filling.columns()


def metric_column(
    metric: Metric, values: NDArray[Any], place: NDArray[Any], has: NDArray[np.bool_]
) -> Column:
    """Return the column of a metric.

    Parameters
    ----------
    values
        Those recorded.
    place : int64 (n,)
        Which of them belongs to each row.
    has : bool (n,)
        Which rows have one.
    """
    unit, meaning = metric.unit, metric.meaning
    taken = values[place] if len(values) else np.zeros(len(place), values.dtype)
    if metric.codes is not None:
        words = tuple(code.value for code in metric.codes)
        return Column(
            narrow(np.where(has, taken, -1), len(words)), words=words, unit=unit, meaning=meaning
        )
    if taken.dtype.kind == "f":
        return Column(
            taken if has.all() else np.where(has, taken, np.nan), unit=unit, meaning=meaning
        )
    missing = ~has if metric.missing is None else ~has | (taken == metric.missing)
    return Column(
        taken,
        missing=missing if missing.any() else None,
        nullable=metric.missing is not None,
        unit=unit,
        meaning=meaning,
    )


def _parameter(values: NDArray[Any], known: tuple[str, ...], meaning: str) -> Column:
    if values.dtype.kind in "fiub":
        return Column(values, meaning=meaning)
    return words_column(values, known, meaning=meaning)


def _statuses(
    job: Job, wanted: Indices, has: NDArray[np.bool_], failed: Mapping[int, str]
) -> Column:
    completed, wrong, pending = range(len(STATUSES))
    rest = completed if job.status.value == "completed" else pending  # imported without its runs
    codes = np.where(has, completed, rest)
    if failed:
        codes[np.isin(wanted, list(failed)) & ~has] = wrong
    return Column(narrow(codes, len(STATUSES)), words=STATUSES)
