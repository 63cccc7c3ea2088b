"""Which cell of which design a run belongs to.

`layout` numbers the runs whose cells are known from the start over seeds, cells and arms. Their
cells are counted through the designs, in this order:

* grid: every combination of the lists, the last parameter fastest;
* lhs: the samples of the Latin hypercube, as drawn;
* points: as listed;
* sobol: the base samples A, those of B, then for each range those of A with its values in B.

The runs of a frontier follow: probe after probe, of each all seeds, in the arm that is searched
only; in the sweeps of version 0.1 in all arms. With F searches, probe p of search f is the cell
``p·F + f`` after those above, for p below `GridSweep.max_probes`. Searches go over the
combinations of all lists but that of the axis, the arm searched fastest. Each probe has its place
whether it is needed or not, and its value on the axis, which depends on results, is stored with it;
a round of probes of all searches is one stretch.
"""

import functools
from collections.abc import Callable, Iterable
from decimal import Context, Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.layout import Places
from bilancio.experiments.search_sweep import SearchSweep
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.metrics import Metric

Indices = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]

DIGITS = 6
SOBOL_BITS = 30  # of which each is drawn; the default of scipy, stated so that it stays
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
        `cell` (int64); `design` (text) unless all cells are of the grid; a column for each axis:
        float64, int64 for whole numbers, booleans, or text for words. What a search chooses is
        float64, NaN for a probe that is not planned in *config*. `seed` (int64); `arm` (int64
        position).
    """
    replicate, cell, arm = _places(config, indices)
    named = set(config.blocks) != {"grid"}
    names = np.full(len(indices) if named else 0, "", f"U{_longest_name(config)}")
    values = {axis: np.zeros(len(indices), dtype) for axis, dtype in _types(config).items()}
    first = 0
    for design, n_cells in config.blocks.items():
        here = (cell >= first) & (cell < first + n_cells)
        if here.any():
            places = cell[here] - first
            if named:
                names[here] = _NAMES[design](config, places) if design in _NAMES else design
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


def probe_columns(config: SearchSweep, indices: Indices, metrics: NDArray[np.void]) -> Columns:
    """Return the parameters of each cell of a frontier, as `run_columns` does.

    Parameters
    ----------
    indices : int64 (n,)
        Runs recorded of its probes.
    metrics : structured (n,)
        Their rows, which say what the search chose for them.

    Returns
    -------
    dict of arrays (n_probes,)
        What a search chooses is NaN for probes without runs.
    """
    together = config.n_seeds * config.arms_of_a_probe
    columns = run_columns(config, config.fixed_runs + np.arange(n_probes(config)) * together)
    if len(indices):
        axis = searched_axis(config)
        columns[axis][probe_places(config, indices).cell] = metrics[axis]
    return columns


def probe_cube(config: SearchSweep, indices: Indices, column: Any, empty: Any) -> NDArray[Any]:
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


def probed_arms(config: SearchSweep) -> NDArray[np.bool_]:
    """Return the arms that each probe of a frontier is run in: bool (n_probes, n_arms)."""
    shape = (n_probes(config), len(config.arms))
    if config.probes_all_arms:
        return np.ones(shape, bool)
    searched = np.resize(searched_positions(config), shape[0])
    return np.asarray(searched[:, None] == np.arange(shape[1]))


def _places(config: GridSweep, indices: Indices) -> Places:
    """Return the places of runs; the cells of a frontier are counted on from the others'."""
    layout = config.layout
    if len(indices) == 0 or indices.max() < layout.n_runs or not isinstance(config, SearchSweep):
        return layout.locate(indices)
    searched = indices >= layout.n_runs
    seed, cell, arm = (np.empty_like(indices) for _ in Places._fields)
    seed[~searched], cell[~searched], arm[~searched] = layout.locate(indices[~searched])
    found = probe_places(config, indices[searched])
    seed[searched], cell[searched], arm[searched] = found
    cell[searched] += layout.n_cells
    return Places(seed, cell, arm)


def probe_places(config: SearchSweep, indices: Indices) -> Places:
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


def searched_positions(config: SearchSweep) -> Indices:
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
    if isinstance(config, SearchSweep) and alone.any():
        probes = starts[alone]
        runs[alone] = np.where(probe_places(config, probes).arm == arm, probes, -1)
    return runs


def _alone(config: SweepConfig, indices: Indices) -> NDArray[np.bool_]:
    """Return which runs are probes that are run in one arm of several."""
    if not isinstance(config, SearchSweep) or config.arms_of_a_probe == len(config.arms):
        return np.zeros(len(indices), bool)
    return np.asarray(indices >= config.fixed_runs)


def seeds_at(config: GridSweep, replicates: Indices) -> NDArray[np.int64]:
    """Return the seeds of these replicates, counted from 0."""
    if config.seeds is None:
        return (config.base_seed or 0) + replicates
    return np.array(config.seeds, np.int64)[replicates]


class SampledRange(NamedTuple):
    """The range of a parameter, and how samples lie in it.

    Attributes
    ----------
    name, low, high
        The parameter, and the ends of its range.
    logarithmic
        Whether samples are spread over the logarithm; the low end is positive.
    whole
        Whether samples are whole numbers; each from *low* to *high* is as likely.
    """

    name: str
    low: Decimal
    high: Decimal
    logarithmic: bool = False
    whole: bool = False


def sampled_ranges(config: GridSweep) -> tuple[SampledRange, ...]:
    """Return the ranges that the samples of a sweep are drawn from, in the order of its axes."""
    known = config.parameters_that_vary()
    return tuple(
        SampledRange(
            name, Decimal(low), Decimal(high), known[name].logarithmic, known[name].dtype == "i8"
        )
        for name, (low, high) in config.ranges.items()
    )


@functools.lru_cache(maxsize=8)
def latin_hypercube(n: int, seed: int, ranges: tuple[SampledRange, ...]) -> Columns:
    """Return the samples of a Latin hypercube: each n-th of each range has one of them.

    Values are decimals of six digits, computed as decimals: the same on every machine.

    Parameters
    ----------
    n
        Number of samples.
    seed
        Of NumPy's default generator, which draws them.
    ranges
        What is sampled.

    Returns
    -------
    dict of arrays (n,)
        float64, of whole numbers int64.

    References
    ----------
    McKay, Beckman, Conover, *A comparison of three methods for selecting values of input
    variables* (1979); drawn by `scipy.stats.qmc.LatinHypercube`.
    """
    from scipy.stats import qmc  # takes seconds to load; grids do not need it

    drawn = qmc.LatinHypercube(len(ranges), rng=np.random.default_rng(seed)).random(n)
    return {each.name: _scaled(column, each) for each, column in zip(ranges, drawn.T, strict=True)}


@functools.lru_cache(maxsize=8)
def sobol_samples(n: int, seed: int, ranges: tuple[SampledRange, ...]) -> tuple[Columns, Columns]:
    """Return the base samples A and B of Saltelli's design: independent points of one sequence.

    Values are decimals of six digits, computed as decimals: the same on every machine.

    Parameters
    ----------
    n
        Number of samples in each, a power of two.
    seed
        Of NumPy's default generator, which scrambles the sequence.
    ranges
        What is sampled.

    Returns
    -------
    A, B : dict of arrays (n,)
        float64, of whole numbers int64.

    References
    ----------
    Saltelli et al., *Variance based sensitivity analysis of model output* (2010), whose radial
    design this is; the sequence is that of `scipy.stats.qmc.Sobol`, taken apart as by
    `scipy.stats.sobol_indices`.
    """
    from scipy.stats import qmc  # takes seconds to load; grids do not need it

    sequence = qmc.Sobol(2 * len(ranges), rng=np.random.default_rng(seed), bits=SOBOL_BITS)
    drawn = sequence.random(n).T
    a, b = (
        {each.name: _scaled(column, each) for each, column in zip(ranges, half, strict=True)}
        for half in (drawn[: len(ranges)], drawn[len(ranges) :])
    )
    return a, b


class SobolCells(NamedTuple):
    """Where the cells of Saltelli's design are, counted among all cells of a sweep.

    Attributes
    ----------
    names
        The k parameters that have a range.
    a, b : int64 (n,)
        The cells of the base samples.
    ab : int64 (k, n)
        For each parameter the cells of A with its values in B.
    """

    names: tuple[str, ...]
    a: Indices
    b: Indices
    ab: Indices

    def outputs(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return what A, B and AB gave, as `analysis.sobol.sobol_indices` takes it.

        Parameters
        ----------
        values : float64 (n_seeds, n_cells)
            A measure of all cells, or the column of one arm: ``layout.cube(column)[:, :, arm]``.

        Returns
        -------
        f_a, f_b : float64 (n, n_seeds)
        f_ab : float64 (k, n, n_seeds)
        """
        by_cell = values.T
        return by_cell[self.a], by_cell[self.b], by_cell[self.ab]


def sobol_cells(config: GridSweep) -> SobolCells:
    """Return where the cells of a sweep's Sobol design are.

    Raises
    ------
    ValueError
        The sweep has no such design.
    """
    if config.sobol is None:
        message = "sobol: got nothing; allowed: a sweep with a Sobol design."
        raise ValueError(message)
    names = tuple(config.ranges)
    before = 0
    for design, n_cells in config.blocks.items():
        if design == "sobol":
            break
        before += n_cells
    cells = before + np.arange((len(names) + 2) * config.sobol).reshape(-1, config.sobol)
    return SobolCells(names, cells[0], cells[1], cells[2:])


def search_cells(config: SearchSweep) -> Columns:
    """Return what each search holds fixed: parameters, and the position of its arm."""
    others = config.searched_over
    arms = searched_positions(config)
    lengths = [*map(len, others.values()), len(arms)]
    *positions, arm = np.unravel_index(np.arange(config.n_searches), lengths)
    known = config.parameters_that_vary()
    columns: Columns = {
        axis: known[axis].column(values)[position]
        for (axis, values), position in zip(others.items(), positions, strict=True)
    }
    return {**columns, "arm": arms[arm]}


def searched_axis(config: SweepConfig) -> str:
    """Return the parameter that a search chooses; empty text where there is no search."""
    target = config.search_target if isinstance(config, SearchSweep) else None
    return "" if target is None else target.axis


def stored_columns(config: SweepConfig, metrics: Iterable[Metric]) -> np.dtype[np.void]:
    """Return the type of a stored row: these metrics, and the parameter that a search chooses."""
    columns = [(metric.name, metric.dtype) for metric in metrics]
    axis = searched_axis(config)
    return np.dtype([*columns, (axis, "f8")] if axis else columns)


def check_planned(config: SweepConfig, columns: Columns) -> None:
    """Refuse to compute runs whose parameters a search has yet to choose.

    Parameters
    ----------
    columns
        Of the runs, as `run_columns` gives them.

    Raises
    ------
    ValueError
    """
    axis = searched_axis(config)
    if axis and np.isnan(columns[axis]).any():
        message = f"a probe of a search was to be computed before its {axis} was planned"
        raise ValueError(message)


def as_stored(
    config: SweepConfig, metrics: Iterable[Metric], found: NDArray[np.void], columns: Columns
) -> NDArray[np.void]:
    """Return rows as they are stored: these metrics, and the parameter that a search chooses.

    Parameters
    ----------
    found : structured (n,)
        What the runs gave.
    columns
        Of the runs, as `run_columns` gives them.
    """
    kept = np.empty(len(found), stored_columns(config, metrics))
    axis = searched_axis(config)
    for name in kept.dtype.names or ():
        kept[name] = columns[name] if name == axis else found[name]
    return kept


def _longest_name(config: GridSweep) -> int:
    """Return how long the names of designs are at most."""
    return max(map(len, (*config.designs, "sobol-ab", *(f"frontier-{arm}" for arm in config.arms))))


def _types(config: GridSweep) -> dict[str, np.dtype[Any]]:
    """Return the type of the column of each axis, words as long as the longest one."""
    known = config.parameters_that_vary()
    types = {}
    for axis, values in config.axes.items():
        every = list(values)
        if known[axis].dtype == "U":
            every += {point[axis] for point in config.points or ()}
        types[axis] = known[axis].column(every).dtype
    if axis := searched_axis(config):
        types[axis] = np.dtype(np.float64)
    return types


def _scaled(shares: NDArray[np.float64], sampled: SampledRange) -> NDArray[Any]:
    """Return the values at some shares, from 0 to 1, of a range."""
    low = sampled.low
    high = sampled.high + 1 if sampled.whole else sampled.high
    if sampled.logarithmic:
        width = _WORKING.ln(high / low)
        found = [
            low * _WORKING.exp(_WORKING.multiply(Decimal(share), width))
            for share in shares.tolist()
        ]
    else:
        found = [low + Decimal(share) * (high - low) for share in shares.tolist()]
    # Rounding must not leave a range whose ends have more digits than samples.
    if sampled.whole:
        column: NDArray[Any] = np.array([min(int(each), int(sampled.high)) for each in found])
    else:
        rounded = (_ROUNDED.plus(each) for each in found)
        column = np.array([float(min(max(each, low), high)) for each in rounded])
    column.flags.writeable = False  # shared by all that ask for it
    return column


def _grid_cells(config: GridSweep, places: Indices) -> Columns:
    if not config.axes:  # one cell
        return {}
    positions = np.unravel_index(places, [len(values) for values in config.axes.values()])
    known = config.parameters_that_vary()
    return {
        axis: known[axis].column(values)[position]
        for (axis, values), position in zip(config.axes.items(), positions, strict=True)
    }


def _lhs_cells(config: GridSweep, places: Indices) -> Columns:
    samples = latin_hypercube(config.lhs or 0, config.lhs_seed or 0, sampled_ranges(config))
    return _with_single_values(config, {name: each[places] for name, each in samples.items()})


def _sobol_cells(config: GridSweep, places: Indices) -> Columns:
    n = config.sobol or 0
    a, b = sobol_samples(n, config.sobol_seed or 0, sampled_ranges(config))
    block, sample = np.divmod(places, n)
    return _with_single_values(
        config,
        {
            name: np.where((block == 1) | (block == number), b[name][sample], a[name][sample])
            for number, name in enumerate(a, start=2)
        },
    )


def _with_single_values(config: GridSweep, sampled: Columns) -> Columns:
    """Return samples, with the one value of each parameter that has no range."""
    known = config.parameters_that_vary()
    n = len(next(iter(sampled.values())))
    return {
        axis: sampled[axis] if axis in sampled else known[axis].column(values).repeat(n)
        for axis, values in config.axes.items()
    }


def _point_cells(config: GridSweep, places: Indices) -> Columns:
    points = config.points or ()
    used, inverse = np.unique(places, return_inverse=True)
    known = config.parameters_that_vary()
    return {
        axis: known[axis].column([points[place][axis] for place in used.tolist()])[inverse]
        for axis in config.axes
    }


def _frontier_cells(config: GridSweep, places: Indices) -> Columns:
    assert isinstance(config, SearchSweep), "others have no searches"
    others = search_cells(config)
    search = places % config.n_searches
    used, inverse = np.unique(places, return_inverse=True)
    probed = [float(config.probed_values.get(place, Decimal("NaN"))) for place in used.tolist()]
    columns = {axis: others[axis][search] for axis in config.searched_over}
    return {searched_axis(config): np.array(probed)[inverse], **columns}


def _frontier_names(config: GridSweep, places: Indices) -> NDArray[np.str_]:
    """Return `frontier`, with the arm searched where there is a choice."""
    assert isinstance(config, SearchSweep), "others have no searches"
    if len(config.arms) == 1 or (
        config.search_target is not None and config.search_target.metric is None
    ):
        return np.full(len(places), "frontier")
    names = np.array([f"frontier-{arm}" for arm in config.searched_arms])
    return names[places % len(names)]


def _sobol_names(config: GridSweep, places: Indices) -> NDArray[np.str_]:
    """Return `sobol` for the base samples, which are spread over the ranges, else `sobol-ab`."""
    return np.where(places < 2 * (config.sobol or 0), "sobol", "sobol-ab")


_NAMES = {"frontier": _frontier_names, "sobol": _sobol_names}
_CELLS: dict[str, Callable[[GridSweep, Indices], Columns]] = {
    "grid": _grid_cells,
    "lhs": _lhs_cells,
    "points": _point_cells,
    "sobol": _sobol_cells,
    "frontier": _frontier_cells,
}
