"""A job's runs as arrays over seeds, arms and parameters."""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.encoding import to_json
from bilancio.errors import InvalidInput, Problem, ResultsMissing
from bilancio.experiments.dictionary import Dictionary
from bilancio.experiments.protocol import metrics_of
from bilancio.experiments.reduction import Cells
from bilancio.experiments.reporting import asked
from bilancio.experiments.standard import StandardExperiment, seeds_of
from bilancio.jobs.lookup import find_with_runs
from bilancio.jobs.models import Job
from bilancio.jobs.recorded import columns, recorded_runs
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore, packing
from bilancio.jobs.threads import in_thread
from bilancio.jobs.versions import experiment_of
from bilancio.model.metrics import Metric

if TYPE_CHECKING:  # xarray is optional, and takes half a second to load
    from bilancio.frames.datasets import Dataset, Labelled

SEED, ARM, CELL, DESIGN = "seed", "arm", "cell", "design"
Array = NDArray[Any]


class Shape(NamedTuple):
    """How the cube of a column, by seed, cell and arm, becomes an array.

    Attributes
    ----------
    kept : bool (n_cells,)
        The cells that are shown: not the probes that a search did not need.
    axes
        Parameters that cells are crossed by, with their numbers of values, slowest first; None
        where cells have no such order.
    n_arms
    """

    kept: NDArray[np.bool_]
    axes: dict[str, int] | None
    n_arms: int

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions; what has one value has none, but for the seeds."""
        arm = (ARM,) if self.n_arms > 1 else ()
        cells = (CELL,) if self.axes is None else self.crossed
        return (SEED, *arm, *cells)

    @property
    def crossed(self) -> tuple[str, ...]:
        """The parameters with several values, of crossed cells."""
        return tuple(name for name, n in (self.axes or {}).items() if n > 1)

    def array(self, cube: Array) -> Array:
        """Return a cube (n_seeds, n_cells, n_arms) by the dimensions."""
        by_arm = np.moveaxis(cube[:, self.kept] if self.axes is None else cube, 2, 1)
        if self.axes is not None:
            by_arm = by_arm.reshape(*by_arm.shape[:2], *(n for n in self.axes.values() if n > 1))
        return by_arm if self.n_arms > 1 else by_arm[:, 0]


async def to_xarray(session: Session, name: str) -> "Dataset":
    """Return the metrics of a job's runs as arrays; see `exports.to_xarray`."""
    from bilancio.frames.datasets import dataset  # optional

    job, store = (await find_with_runs(session, name)).job, await session.store()
    experiment = _laid_out(job)
    recorded = await recorded_runs(store, job, experiment)
    if recorded is None:
        raise ResultsMissing(job.job_id, "no run has been recorded, or its runs were not imported.")
    with asked(job.config, "parameters"):
        cells = await in_thread(Cells, experiment, job.config, recorded)
    shape = _shape(job, cells)
    about = Dictionary(experiment, job.config, recorded.names)
    variables = await _variables(store, job, experiment, cells, shape)
    return dataset(variables, _coordinates(job, cells, shape, about), _attributes(job))


def _laid_out(job: Job) -> StandardExperiment:
    """Return the experiment of a job whose runs lie over seeds, cells and arms.

    Raises
    ------
    InvalidInput
        They do not.
    """
    experiment = experiment_of(job)
    allowed = "a job whose runs lie over cells and seeds; a frame can hold all runs"
    if job.manual:
        raise InvalidInput([Problem("to_xarray", "a job of runs recorded manually", allowed)])
    if not isinstance(experiment, StandardExperiment):
        got = f"a job of {job.config.sweep_type}, which does not say how its runs lie"
        raise InvalidInput([Problem("to_xarray", got, allowed)])
    return experiment


def _shape(job: Job, cells: Cells) -> Shape:
    axes = {name: len(values) for name, values in getattr(job.config, "axes", {}).items()}
    n_cells = len(cells.designs)
    blocks = getattr(job.config, "blocks", {"grid": n_cells})
    crossed = set(blocks) == {"grid"} and math.prod(axes.values()) == n_cells
    untried = np.zeros(n_cells, bool)
    for column in cells.columns.values():
        if column.dtype.kind == "f":
            untried |= cells.probes & np.isnan(column)
    return Shape(~untried, axes if crossed else {} if n_cells == 1 else None, len(job.config.arms))


async def _variables(
    store: JobStore, job: Job, experiment: StandardExperiment, cells: Cells, shape: Shape
) -> "dict[str, Labelled]":
    found: dict[str, Labelled] = {}
    first, _ = (await store.recorded(job.job_id))[0]
    some = await store.chunks(job.job_id, first, first)
    metrics = metrics_of(experiment, packing.unpack(some[0], job.job_id).dtype)
    by_name = {metric.name: metric for metric in metrics if metric.name not in cells.columns}

    def take(dense: dict[str, NDArray[np.float64]]) -> None:
        for name in list(dense):
            array = shape.array(cells.cube(name, dense.pop(name)))
            found[name] = _labelled(by_name[name], array, shape.dims)

    async for dense in columns(store, job, experiment, list(by_name)):
        await in_thread(take, dense)
    return {name: found[name] for name in by_name}


def _labelled(metric: Metric, array: Array, dims: tuple[str, ...]) -> "Labelled":
    """Return a metric's array: words for codes, whole numbers as such where none is missing."""
    from bilancio.frames.datasets import Labelled  # optional

    if metric.missing is not None:
        array = np.where(array == metric.missing, np.nan, array)
    if metric.codes is not None:
        words = np.array([*(code.value for code in metric.codes), ""], object)
        array = words[np.where(np.isnan(array), len(metric.codes), array).astype(np.int64)]
    elif np.dtype(metric.dtype).kind in "iub" and not np.isnan(array).any():
        array = array.astype(metric.dtype)
    return Labelled(dims, array, metric.unit, metric.meaning)


def _coordinates(job: Job, cells: Cells, shape: Shape, about: Dictionary) -> "dict[str, Labelled]":
    from bilancio.frames.datasets import Labelled  # optional

    def labelled(name: str, dims: tuple[str, ...], values: Array) -> Labelled:
        return Labelled(dims, values, about.of(name).unit, about.of(name).meaning)

    arms = np.array(job.config.arms)
    found = {SEED: labelled(SEED, (SEED,), seeds_of(job.config))}
    found[ARM] = labelled(ARM, (ARM,), arms) if shape.n_arms > 1 else labelled(ARM, (), arms[0])
    if shape.axes is None:
        for name, column in cells.columns.items():
            found[name] = labelled(name, (CELL,), column[shape.kept])
        return found
    lengths = tuple(shape.axes.values())
    for name, column in cells.columns.items():
        if name in shape.crossed:
            place = list(shape.axes).index(name)
            values = np.moveaxis(column.reshape(lengths), place, 0).reshape(lengths[place], -1)
            found[name] = labelled(name, (name,), values[:, 0])
        elif name not in {CELL, DESIGN}:
            found[name] = labelled(name, (), column[0])
    return found


def _attributes(job: Job) -> dict[str, str]:
    """Return what is said of the job, as text that files of arrays can hold."""
    return {
        "job_id": job.job_id,
        "description": job.description,
        "sweep_type": job.config.sweep_type,
        "engine": job.engine,
        "config": to_json(job.config.as_dict()),
    }
