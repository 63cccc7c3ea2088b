"""Which parameters of a Sobol design the variance over the ranges comes from."""

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.sobol import sobol_indices
from bilancio.experiments.answers import (
    SOBOL_STEPS,
    AnswerTable,
    Subject,
    known,
    ratio,
    remarks,
    table_of,
)
from bilancio.experiments.design import SobolCells
from bilancio.experiments.questions import Question
from bilancio.experiments.reduction import Groups


class SobolDesign:
    """First- and total-order indices of one measure.

    Attributes
    ----------
    remarks
        Why there are no indices, or no intervals; once the table has been made.

    Parameters
    ----------
    cells
        Where the design's cells are among all cells.
    """

    def __init__(self, subject: Subject, asked: Question, cells: SobolCells) -> None:
        self._cells = cells
        self._name = asked.measures[0] if asked.measures else subject.primary
        measure = subject.measure(self._name)
        mine = np.isin(subject.cells.designs, ["sobol", SOBOL_STEPS])
        self._places = np.flatnonzero(mine)
        number = np.arange(len(mine))
        measures = [] if measure is None else [measure]
        self.groups = Groups(subject.cells, [number], mine, measures, kept=[self._name])
        self.remarks: tuple[str, ...] = ()

    def table(self) -> AnswerTable:
        """Return the indices of each parameter, over the seeds that are whole in all cells."""
        outputs = self._cells.outputs(self._values().T)
        if outputs[0].shape[1] == 1:  # one seed: what it gave is taken as exact
            outputs = outputs[0][:, 0], outputs[1][:, 0], outputs[2][:, :, 0]
        found = sobol_indices(*outputs)
        self.remarks = remarks(self._name, found.first)
        columns = {
            "first_order": known(found.first.estimate),
            "first_order_low": known(found.first.low),
            "first_order_high": known(found.first.high),
            "total_order": known(found.total.estimate),
            "total_order_low": known(found.total.low),
            "total_order_high": known(found.total.high),
        }
        keys = [(name,) for name in self._cells.names]
        title = "shares of the variance over the ranges, without the noise of seeds"
        return table_of([f"effect on {self._name}"], keys, columns, title=title)

    def _values(self) -> NDArray[np.float64]:
        """Return the measure by cell, of all cells of the sweep, and whole seed."""
        n_cells = int(self._places[-1]) + 1
        if self._name not in self.groups.sides or not self.groups.keys:
            return np.full((n_cells, 1), np.nan)
        by_group = ratio(*self.groups.sides[self._name])
        values = np.full((n_cells, by_group.shape[1]), np.nan)
        values[[key[0] for key in self.groups.keys]] = by_group
        whole = ~np.isnan(values[self._places]).any(axis=0)
        return values[:, whole] if whole.any() else values[:, :1]
