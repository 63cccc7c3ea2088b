"""Which cell of which design a run belongs to.

`layout` numbers the runs whose cells are known from the start over seeds, cells and arms. Their
cells are counted through the designs, in this order:

* grid: every combination of the lists, the last parameter fastest;
* lhs: the samples of the Latin hypercube, as drawn;
* points: as listed.

The runs of a frontier follow: probe after probe, of each all seeds. With F searches, probe p of
search f is the cell ``p·F + f`` after those above, for p below `GridSweep.max_probes`. Searches
go over the combinations of all lists but κ's, the arm searched fastest. Each probe has its place
whether it is needed or not, and its κ, which depends on results, is stored with them; a round of
probes of all searches is one stretch.
"""

import functools
from collections.abc import Callable, Iterable
from decimal import Context, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.layout import Layout, Places
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


def search_layout(config: SweepConfig) -> Layout | None:
    """Return how the runs of a frontier's probes are numbered, after the others."""
    n_probes = config.blocks.get("frontier", 0) if isinstance(config, GridSweep) else 0
    if not isinstance(config, GridSweep) or not n_probes:
        return None
    return Layout(config.n_seeds, n_probes, len(config.arms), by_cell=True)


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
    layout = search_layout(config)
    assert layout is not None, "the sweep has a frontier"
    first = config.layout.n_runs
    columns = run_columns(config, first + layout.index(0, np.arange(layout.n_cells), 0))
    if len(indices):
        columns["kappa"][layout.locate(indices - first).cell] = metrics["kappa"]
    return columns


def probed_arms(config: GridSweep) -> NDArray[np.bool_]:
    """Return the arms that each probe of a frontier is run in: bool (n_probes, n_arms)."""
    n_probes = config.blocks.get("frontier", 0)
    return np.ones((n_probes, len(config.arms)), bool)


def _places(config: GridSweep, indices: Indices) -> Places:
    """Return the places of runs; the cells of a frontier are counted on from the others'."""
    layout, searching = config.layout, search_layout(config)
    if searching is None or len(indices) == 0 or indices.max() < layout.n_runs:
        return layout.locate(indices)
    searched = indices >= layout.n_runs
    seed, cell, arm = (np.empty_like(indices) for _ in Places._fields)
    seed[~searched], cell[~searched], arm[~searched] = layout.locate(indices[~searched])
    found = searching.locate(indices[searched] - layout.n_runs)
    seed[searched], cell[searched], arm[searched] = found
    cell[searched] += layout.n_cells
    return Places(seed, cell, arm)


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
    arms = [config.arms.index(arm) for arm in config.searched_arms]
    lengths = [*map(len, others.values()), len(arms)]
    *positions, arm = np.unravel_index(np.arange(config.n_searches), lengths)
    columns: Columns = {
        axis: np.array([float(value) for value in values])[position]
        for (axis, values), position in zip(others.items(), positions, strict=True)
    }
    return {**columns, "arm": np.array(arms)[arm]}


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
