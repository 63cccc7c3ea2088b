"""Which cell of which design a run belongs to.

`layout` numbers the runs whose cells are known from the start over seeds, cells and arms. Their
cells are counted through the designs, in this order:

* grid: every combination of the lists, the last parameter fastest;
* lhs: the samples of the Latin hypercube, as drawn;
* points: as listed.

The runs of a frontier follow: probe after probe, of each all seeds, in the arm that is searched
only; in the sweeps of version 0.1 in all arms. With F searches, probe p of search f is the cell
``p·F + f`` after those above, for p below `GridSweep.max_probes`. Searches go over the
combinations of all lists but κ's, the arm searched fastest. Each probe has its place whether it is
needed or not, and its κ, which depends on results, is stored with them; a round of probes of all
searches is one stretch.
"""

import functools
from collections.abc import Callable, Iterable
from decimal import Context, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.layout import Places
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.metrics import Metric
from bilancio.model.parameters import BalancedParameters, axes_of

Indices = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]
Range = tuple[Decimal, Decimal]

LOGARITHMIC = {name for name, axis in axes_of(BalancedParameters).items() if axis.logarithmic}
DIGITS = 6
_ROUNDED = Context(prec=DIGITS)
_WORKING = Context(prec=16)


def run_columns(config: GridSweep, indices: Indices) -> Columns:
    """Return cell, parameters of the cell, seed and position of the arm for runs of a sweep.

    Parameters
    ----------
    indices : int64 (n,)
        Runs.

    Returns
    -------
    dict of arrays (n,)
        `cell` (int64); `design` (text) unless all cells are of the grid; one float64 column for
        each axis, in which κ is NaN for a probe that is not planned in *config*; `seed` (int64);
        `arm` (int64 position).
    """
    replicate, cell, arm = _places(config, indices)
    named = set(config.blocks) != {"grid"}
    names = np.full(len(indices) if named else 0, "", "U16")
    values = {axis: np.full(len(indices), np.nan) for axis in config.axes}
    first = 0
    for design, n_cells in config.blocks.items():
        here = (cell >= first) & (cell < first + n_cells)
        if here.any():
            places = cell[here] - first
            if named:
                names[here] = _frontier_names(config, places) if design == "frontier" else design
            for axis, column in _CELLS[design](config, places).items():
                values[axis][here] = column
        first += n_cells
    columns: Columns = {"cell": cell}
    if named:
        columns["design"] = names
    return {**columns, **values, "seed": seeds_at(config, replicate), "arm": arm}


def n_probes(config: SweepConfig) -> int:
    """Return the number of cells that a frontier may try; 0 where none is searched for."""
    return config.blocks.get("frontier", 0) if isinstance(config, GridSweep) else 0


def probe_columns(config: GridSweep, indices: Indices, metrics: NDArray[np.void]) -> Columns:
    """Return the parameters of each cell of a frontier, as `run_columns` does.

    Parameters
    ----------
    indices : int64 (n,)
        Runs recorded of its probes.
    metrics : structured (n,)
        Their rows, which say their κ.

    Returns
    -------
    dict of arrays (n_probes,)
        κ is NaN for probes without runs.
    """
    together = config.n_seeds * config.arms_of_a_probe
    columns = run_columns(config, config.fixed_runs + np.arange(n_probes(config)) * together)
    if len(indices):
        columns["kappa"][probe_places(config, indices).cell] = metrics["kappa"]
    return columns


def probe_cube(config: GridSweep, indices: Indices, column: Any, empty: Any) -> NDArray[Any]:
    """Return values of the runs of a frontier by seed, probe and arm.

    Parameters
    ----------
    indices : int64 (n,)
        Runs of its probes.
    column : (n,)
        Their values.
    empty
        The value for all others.

    Returns
    -------
    array (n_seeds, n_probes, n_arms)
    """
    cube = np.full((config.n_seeds, n_probes(config), len(config.arms)), empty)
    cube[tuple(probe_places(config, indices))] = column
    return cube


def probed_arms(config: GridSweep) -> NDArray[np.bool_]:
    """Return the arms that each probe of a frontier is run in: bool (n_probes, n_arms)."""
    shape = (n_probes(config), len(config.arms))
    if config.probes_all_arms:
        return np.ones(shape, bool)
    searched = np.resize(searched_positions(config), shape[0])
    return np.asarray(searched[:, None] == np.arange(shape[1]))


def _places(config: GridSweep, indices: Indices) -> Places:
    """Return the places of runs; the cells of a frontier are counted on from the others'."""
    layout = config.layout
    if len(indices) == 0 or indices.max() < layout.n_runs:
        return layout.locate(indices)
    searched = indices >= layout.n_runs
    seed, cell, arm = (np.empty_like(indices) for _ in Places._fields)
    seed[~searched], cell[~searched], arm[~searched] = layout.locate(indices[~searched])
    found = probe_places(config, indices[searched])
    seed[searched], cell[searched], arm[searched] = found
    cell[searched] += layout.n_cells
    return Places(seed, cell, arm)


def probe_places(config: GridSweep, indices: Indices) -> Places:
    """Return the places of runs of a frontier; its cells are its probes, counted from 0.

    Parameters
    ----------
    indices : int64 (n,)
        Runs, none of those known from the start.
    """
    starts, arm = np.divmod(indices - config.fixed_runs, config.arms_of_a_probe)
    probe, seed = np.divmod(starts, config.n_seeds)
    if not config.probes_all_arms:
        arm = searched_positions(config)[probe % len(config.searched_arms)]
    return Places(seed, probe, arm)


def searched_positions(config: GridSweep) -> Indices:
    """Return the positions of the arms that a frontier is searched for."""
    return np.array([config.arms.index(arm) for arm in config.searched_arms], np.int64)


def starts_of(config: SweepConfig, indices: Indices) -> Indices:
    """Return the first run of the cell and seed that each of these runs is of."""
    n_arms = len(config.arms)
    starts = indices - indices % n_arms
    alone = _alone(config, indices)
    starts[alone] = indices[alone]
    return starts


def runs_of_arm(config: SweepConfig, starts: Indices, arm: int) -> Indices:
    """Return the runs in one arm, by its position, of cells and seeds.

    Parameters
    ----------
    starts : int64 (n,)
        First run of each cell and seed, as `starts_of` gives them.

    Returns
    -------
    int64 (n,)
        −1 where a probe is not run in this arm.
    """
    runs = starts + arm
    alone = _alone(config, starts)
    if isinstance(config, GridSweep) and alone.any():
        probes = starts[alone]
        runs[alone] = np.where(probe_places(config, probes).arm == arm, probes, -1)
    return runs


def _alone(config: SweepConfig, indices: Indices) -> NDArray[np.bool_]:
    """Return which runs are probes that are run in one arm of several."""
    if not isinstance(config, GridSweep) or config.arms_of_a_probe == len(config.arms):
        return np.zeros(len(indices), bool)
    return np.asarray(indices >= config.fixed_runs)


def seeds_at(config: GridSweep, replicates: Indices) -> NDArray[np.int64]:
    """Return the seeds of these replicates, counted from 0."""
    if config.seeds is None:
        return (config.base_seed or 0) + replicates
    return np.array(config.seeds, np.int64)[replicates]


@functools.lru_cache(maxsize=8)
def latin_hypercube(
    n: int, seed: int, ranges: tuple[tuple[str, Range], ...]
) -> dict[str, NDArray[np.float64]]:
    """Return the samples of a Latin hypercube: each n-th of each range has one of them.

    κ and c are spread evenly over the logarithm, other parameters over the range itself. Values
    are decimals of six digits, computed as decimals: the same on every machine.

    Parameters
    ----------
    n
        Number of samples.
    seed
        Of NumPy's default generator, which draws them.
    ranges
        Name, low and high of each parameter.

    Returns
    -------
    dict of float64 arrays (n,)

    References
    ----------
    McKay, Beckman, Conover, *A comparison of three methods for selecting values of input
    variables* (1979); drawn by `scipy.stats.qmc.LatinHypercube`.
    """
    from scipy.stats import qmc  # takes seconds to load; nothing else needs it

    drawn = qmc.LatinHypercube(len(ranges), rng=np.random.default_rng(seed)).random(n)
    table = {}
    for (name, ends), column in zip(ranges, drawn.T, strict=True):
        scale = _log_scale(ends) if name in LOGARITHMIC else _linear_scale(ends)
        table[name] = np.array([_between(scale(Decimal(each)), ends) for each in column.tolist()])
        table[name].flags.writeable = False  # shared by all that ask for it
    return table


def search_cells(config: GridSweep) -> Columns:
    """Return the parameters of each search but κ, and the position of the arm it looks at."""
    others = {axis: values for axis, values in config.axes.items() if axis != "kappa"}
    arms = searched_positions(config)
    lengths = [*map(len, others.values()), len(arms)]
    *positions, arm = np.unravel_index(np.arange(config.n_searches), lengths)
    columns: Columns = {
        axis: np.array([float(value) for value in values])[position]
        for (axis, values), position in zip(others.items(), positions, strict=True)
    }
    return {**columns, "arm": arms[arm]}


def stored_columns(config: SweepConfig, metrics: Iterable[Metric]) -> np.dtype[np.void]:
    """Return the type of a stored row: these metrics, and κ where a search chooses it."""
    columns = [(metric.name, metric.dtype) for metric in metrics]
    return np.dtype([*columns, ("kappa", "f8")] if config.searches else columns)


def _log_scale(ends: Range) -> Callable[[Decimal], Decimal]:
    low, high = ends
    width = _WORKING.ln(high / low)
    return lambda share: low * _WORKING.exp(_WORKING.multiply(share, width))


def _linear_scale(ends: Range) -> Callable[[Decimal], Decimal]:
    low, high = ends
    return lambda share: low + share * (high - low)


def _between(value: Decimal, ends: Range) -> float:
    """Round, and keep within a range whose ends have more digits than that."""
    return float(min(max(_ROUNDED.plus(value), ends[0]), ends[1]))


def _grid_cells(config: GridSweep, places: Indices) -> Columns:
    positions = np.unravel_index(places, [len(values) for values in config.axes.values()])
    return {
        axis: np.array([float(value) for value in values])[position]
        for (axis, values), position in zip(config.axes.items(), positions, strict=True)
    }


def _lhs_cells(config: GridSweep, places: Indices) -> Columns:
    samples = latin_hypercube(config.lhs or 0, config.lhs_seed or 0, tuple(config.ranges.items()))
    return {
        axis: samples[axis][places] if axis in samples else np.full(len(places), float(values[0]))
        for axis, values in config.axes.items()
    }


def _point_cells(config: GridSweep, places: Indices) -> Columns:
    points = config.points or ()
    used, inverse = np.unique(places, return_inverse=True)
    return {
        axis: np.array([float(getattr(points[place], axis)) for place in used.tolist()])[inverse]
        for axis in config.axes
    }


def _frontier_cells(config: GridSweep, places: Indices) -> Columns:
    others = search_cells(config)
    search = places % config.n_searches
    used, inverse = np.unique(places, return_inverse=True)
    kappas = [float(config.probed.get(place, Decimal("NaN"))) for place in used.tolist()]
    columns = {axis: others[axis][search] for axis in config.axes if axis != "kappa"}
    return {"kappa": np.array(kappas)[inverse], **columns}


def _frontier_names(config: GridSweep, places: Indices) -> NDArray[np.str_]:
    """Return `frontier`, with the arm searched where there is a choice."""
    if len(config.arms) == 1:
        return np.full(len(places), "frontier")
    names = np.array([f"frontier-{arm}" for arm in config.searched_arms])
    return names[places % len(names)]


_CELLS: dict[str, Callable[[GridSweep, Indices], Columns]] = {
    "grid": _grid_cells,
    "lhs": _lhs_cells,
    "points": _point_cells,
    "frontier": _frontier_cells,
}
