"""Whole seeds, and the means over cells under each of them.

The runs of a sweep are a cube of seeds, cells and arms. A seed is whole in a group of cells when
each of them has a result in each arm; all that is said of the group is said of its whole seeds.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.measures import Values

Bools = NDArray[np.bool_]
Numbers = NDArray[np.int64]

_AT_ONCE = 1 << 18  # cells times seeds in work at a time: they fit a core's cache


def whole(recorded: Bools, group_of_cell: Numbers, n_groups: int) -> Bools:
    """Return which seeds are whole in each group.

    Parameters
    ----------
    recorded : bool (n_seeds, n_cells, n_arms)
        Whether a run has a result.
    group_of_cell : int64 (n_cells,)
        The group of each cell, counted from 0; -1 for a cell that is left out.
    n_groups
        Number of groups.

    Returns
    -------
    bool (n_groups, n_seeds)
        False throughout for a group without cells.
    """
    cells, group = _chosen(group_of_cell)
    present = np.bincount(group, minlength=n_groups) > 0
    found = np.repeat(present[:, np.newaxis], len(recorded), axis=1)
    for seeds, place in _blocks(len(recorded), group, n_groups):
        block = recorded[seeds]
        if block.all():
            continue
        missing = ~np.logical_and.reduce([block[:, :, arm] for arm in range(block.shape[2])])
        absent = np.flatnonzero(missing if cells is None else missing[:, cells])
        seed, group_there = np.divmod(place[absent], n_groups)
        found[group_there, seed + seeds.start] = False
    return found


def seed_means(cube: Values, whole: Bools, group_of_cell: Numbers, n_groups: int) -> Values:
    """Return the mean over the cells of each group under each seed.

    Parameters
    ----------
    cube : float64 (n_seeds, n_cells)
        One metric in one arm; NaN where it is missing or the run is not recorded.
    whole : bool (n_groups, n_seeds)
        Which seeds are whole in each group, as `whole` returns it.
    group_of_cell : int64 (n_cells,)
        The group of each cell, counted from 0; -1 for a cell that is left out.
    n_groups
        Number of groups.

    Returns
    -------
    float64 (n_groups, n_seeds)
        Means over the cells whose value is known; NaN where the seed is not whole in the group,
        or no value is known.

    Notes
    -----
    A seed's values are summed in the order of the cells, whatever else is in the cube: seeds
    that are added later change no mean of an earlier one.
    """
    cells, group = _chosen(group_of_cell)
    n_cells = np.bincount(group, minlength=n_groups).astype(np.float64)
    means = np.empty((n_groups, len(cube)))
    for seeds, place in _blocks(len(cube), group, n_groups):
        block = cube[seeds] if cells is None else cube[seeds][:, cells]
        flat = np.ascontiguousarray(block, np.float64).ravel()
        place = place[: len(flat)]  # noqa: PLW2901 - the last block is shorter
        shape = (len(block), n_groups)
        with np.errstate(invalid="ignore"):  # the mean over no cells is NaN
            found = _sums(flat, place, shape) / n_cells
            if (np.isnan(found) & whole[:, seeds].T).any():
                known = ~np.isnan(flat)
                n_known = np.bincount(place[known], minlength=found.size).reshape(shape)
                found = _sums(np.where(known, flat, 0), place, shape) / n_known
        means[:, seeds] = found.T
    means[~whole] = np.nan
    return means


def _chosen(group_of_cell: Numbers) -> tuple[Numbers | None, NDArray[np.intp]]:
    """Return the numbers of the cells that are in a group, None for all, and their groups."""
    group = np.asarray(group_of_cell, np.intp)
    if group.min(initial=0) >= 0:
        return None, group
    cells = np.flatnonzero(group >= 0)
    return cells, group[cells]


def _blocks(
    n_seeds: int, group: NDArray[np.intp], n_groups: int
) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """Yield stretches of seeds, and the place of each of their cells among seeds × groups."""
    step = min(n_seeds, max(1, _AT_ONCE // max(len(group), n_groups, 1)))
    place = group
    if step > 1:
        place = (np.arange(step, dtype=np.intp)[:, np.newaxis] * n_groups + group).ravel()
    for start in range(0, n_seeds, step or 1):
        yield slice(start, min(start + step, n_seeds)), place


def _sums(flat: Values, place: NDArray[np.intp], shape: tuple[int, int]) -> Values:
    sums = np.bincount(place, weights=flat, minlength=shape[0] * shape[1])
    return sums.astype(np.float64, copy=False).reshape(shape)
