"""Which parameters of a crossed grid matter."""

import math

import numpy as np

from bilancio.analysis.effects import effects
from bilancio.analysis.grouping import grouped_cells
from bilancio.errors import InvalidInput, Problem
from bilancio.experiments.answers import AnswerTable, Subject, known, ratio, remarks, table_of
from bilancio.experiments.questions import Question
from bilancio.experiments.reduction import Bools, Groups

NOT_AXES = ("design", "cell")


class CrossedGrid:
    """Main effects and interactions of one measure over the cells of a crossed grid.

    Attributes
    ----------
    remarks
        Why there are no shares, or no intervals; once the table has been made.

    Parameters
    ----------
    chosen : bool (n_cells,)
        The cells that take part.

    Raises
    ------
    InvalidInput
        They are not a crossed grid.
    """

    def __init__(self, subject: Subject, asked: Question, chosen: Bools) -> None:
        cells = subject.cells
        chosen = chosen & ~cells.probes
        levels = {
            name: len(np.unique(cells.columns[name][chosen]))
            for name in subject.parameters
            if name not in NOT_AXES
        }
        self._axes = [name for name, length in levels.items() if length > 1]
        self._shape = tuple(levels[name] for name in self._axes)
        columns = [cells.columns[name] for name in self._axes]
        _, distinct = grouped_cells(columns, chosen)
        if not self._axes or not math.prod(self._shape) == len(distinct) == int(chosen.sum()):
            got = "true" if self._axes else "true, for one cell"
            allowed = "false, unless the cells (those of where) are a crossed grid or all of sobol"
            raise InvalidInput([Problem("effects", got, allowed)])
        self._name = asked.measures[0] if asked.measures else subject.primary
        measure = subject.measure(self._name)
        measures = [] if measure is None else [measure]
        self.groups = Groups(cells, columns, chosen, measures, kept=[self._name])
        self.remarks: tuple[str, ...] = ()

    def table(self) -> AnswerTable:
        """Return the share of each effect in the variance between cells, the largest first."""
        n_cells = math.prod(self._shape)
        if len(self.groups.keys) == n_cells and self._name in self.groups.sides:
            values = ratio(*self.groups.sides[self._name])
        else:  # some cell has no run yet
            values = np.full((n_cells, self.groups.whole.shape[1]), np.nan)
        found = effects(values, self._shape)
        self.remarks = remarks(self._name, found.shares)
        largest = np.argsort(-found.variance, kind="stable").tolist()
        keys = [
            (" × ".join(self._axes[place] for place in found.terms[term]) or "higher order",)
            for term in largest
        ]
        columns = {
            "share": known(found.shares.estimate[largest]),
            "share_low": known(found.shares.low[largest]),
            "share_high": known(found.shares.high[largest]),
            "variance": known(found.variance[largest]),
        }
        title = "shares of the variance between cells, without the noise of seeds"
        return table_of([f"effect on {self._name}"], keys, columns, title=title)
