"""How runs are laid out over cells, seeds and arms.

Run *i* of a sweep belongs to arm ``i mod A``, seed ``(i div A) mod R`` and cell
``i div (A·R)``, with A arms and R seeds: the arms of one start stand next to each other.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.experiments.configs import GridSweep

Indices = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]


def grid_columns(config: GridSweep, indices: Indices) -> Columns:
    """Return cell, parameters of the cell, seed and position of the arm for runs of a grid.

    Parameters
    ----------
    config
        A sweep over the full grid of its axes, the last axis fastest.
    indices : int64 (n,)
        Runs.

    Returns
    -------
    dict of arrays (n,)
        `cell` (int64), one float64 column for each axis, `seed` (int64), `arm` (int64 position).
    """
    starts, arm = np.divmod(indices, len(config.arms))
    cell, replicate = np.divmod(starts, config.n_seeds)
    lengths = [len(values) for values in config.axes.values()]
    positions = np.unravel_index(cell, lengths)
    columns: Columns = {"cell": cell}
    for (name, values), position in zip(config.axes.items(), positions, strict=True):
        columns[name] = np.array([float(value) for value in values])[position]
    columns["seed"] = seeds_at(config, replicate)
    columns["arm"] = arm
    return columns


def seeds_at(config: GridSweep, replicates: Indices) -> NDArray[np.int64]:
    """Return the seeds of these replicates, counted from 0."""
    if config.seeds is None:
        return (config.base_seed or 0) + replicates
    return np.array(config.seeds, np.int64)[replicates]
