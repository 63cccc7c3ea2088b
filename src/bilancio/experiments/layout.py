"""Which run is which: the numbering of runs over seeds, cells and arms.

Run *i* belongs to arm ``i mod A`` and start ``i div A``, with A arms: the arms of one start stand
next to each other. Starts go over all cells under the first seed, then over all cells under the
next one: any prefix of a job is a sample of all cells, and a job grows by appending seeds.
"""

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # sweeps are counted without loading numpy
    from numpy.typing import NDArray


class Places(NamedTuple):
    """Where runs lie: positions of their seed, cell and arm, int64 (n,) each."""

    seed: "NDArray[Any]"
    cell: "NDArray[Any]"
    arm: "NDArray[Any]"


@dataclass(frozen=True, slots=True)
class Layout:
    """The runs of a sweep whose cells are known from the start.

    Attributes
    ----------
    n_seeds, n_cells, n_arms
        Each cell has a run under each seed in each arm.
    by_cell
        Whether starts go over all seeds of the first cell, then over those of the next one, as
        the sweeps of version 0.1 do.
    """

    n_seeds: int
    n_cells: int
    n_arms: int
    _: KW_ONLY
    by_cell: bool = False

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return self.n_seeds * self.n_cells * self.n_arms

    def locate(self, indices: "NDArray[Any]") -> Places:
        """Return the places of these runs.

        Parameters
        ----------
        indices : int64 (n,)
            Runs, each from 0 to `n_runs` − 1.
        """
        starts, arm = indices // self.n_arms, indices % self.n_arms
        if self.by_cell:
            return Places(starts % self.n_seeds, starts // self.n_seeds, arm)
        return Places(starts // self.n_cells, starts % self.n_cells, arm)

    def index(self, seed: Any, cell: Any, arm: Any) -> Any:
        """Return the runs at these places; the inverse of `locate`."""
        start = cell * self.n_seeds + seed if self.by_cell else seed * self.n_cells + cell
        return start * self.n_arms + arm

    def cube(self, column: "NDArray[Any]") -> "NDArray[Any]":
        """Return a view of a column with a value for each run, by seed, cell and arm.

        Parameters
        ----------
        column : (n_runs,)

        Returns
        -------
        array (n_seeds, n_cells, n_arms)
        """
        if self.by_cell:
            return column.reshape(self.n_cells, self.n_seeds, self.n_arms).transpose(1, 0, 2)
        return column.reshape(self.n_seeds, self.n_cells, self.n_arms)
