"""The levels of a parameter compared with its lowest one, paired by seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.contrasts import contrasts, level_pairs
from bilancio.analysis.measures import Measure
from bilancio.analysis.verdicts import verdicts
from bilancio.errors import InvalidInput, Problem
from bilancio.experiments.answers import AnswerTable, Row, Subject, measure_columns, table_of
from bilancio.experiments.reduction import Bools, Groups

VERDICTS = ("higher", "lower")


class LevelContrasts:
    """Differences between the levels of a parameter and its lowest one.

    Cells that were sampled from ranges have no levels in common, and those that a search tried
    differ in what it searches: both are left out.

    Parameters
    ----------
    name
        The parameter.
    by
        Columns of the cells that name the other rows: parameter → column.
    chosen : bool (n_cells,)
        The cells that take part.
    measures
        What is compared.

    Raises
    ------
    InvalidInput
        The parameter has one level.
    """

    def __init__(
        self,
        subject: Subject,
        name: str,
        by: Mapping[str, NDArray[Any]],
        chosen: Bools,
        measures: Sequence[Measure],
    ) -> None:
        self._subject = subject
        self._name = name
        self._by = [each for each in by if each != name]
        columns = subject.cells.columns
        left_out = {
            "which was sampled from a range": subject.cells.sampled,
            "which only a search has gone through": subject.cells.probes,
        }
        passed = [words for words, cells in left_out.items() if _several(columns[name][cells])]
        chosen = chosen & ~subject.cells.sampled & ~subject.cells.probes
        levels = np.unique(columns[name][chosen])
        if len(levels) < 2:  # noqa: PLR2004 - of which one is the reference
            level = f" ({levels[0]})" if len(levels) else ""
            got = f"{name}, {passed[0] if passed else f'of one level{level}'}"
            several = [each for each in subject.parameters if _several(columns[each][chosen])]
            allowed = ", ".join(several) or "nothing: no parameter has two levels"
            raise InvalidInput([Problem("contrast", got, allowed)])
        keys = [*(by[each] for each in self._by), columns[name]]
        kept = [each.name for each in measures]
        self.groups = Groups(subject.cells, keys, chosen, measures, kept=kept)

    def table(self, shown: Sequence[str], labelled: Mapping[str, Sequence[str]]) -> AnswerTable:
        """Return a row for each level but the lowest.

        Parameters
        ----------
        labelled
            Labels of the columns that hold numbers of bins.
        """
        groups = self.groups
        levels = sorted({key[-1] for key in groups.keys})
        contexts = {key: place for place, key in enumerate(sorted({k[:-1] for k in groups.keys}))}
        level = np.array([levels.index(key[-1]) for key in groups.keys], np.int64)
        context = np.array([contexts[key[:-1]] for key in groups.keys], np.int64)
        pairs = level_pairs(level, context)
        found = {each: contrasts(groups.sides[each], pairs) for each in shown if pairs.size}
        columns: dict[str, Sequence[Any]] = {
            "n_seeds": (groups.whole[pairs[:, 0]] & groups.whole[pairs[:, 1]]).sum(axis=1).tolist()
        }
        if self._subject.primary in found:
            columns["verdict"] = verdicts(found[self._subject.primary], VERDICTS)
        columns |= measure_columns(found, shown)
        keys: list[Row] = [
            (
                *(
                    labelled[name][value] if name in labelled else value
                    for name, value in zip(self._by, groups.keys[first][:-1], strict=True)
                ),
                groups.keys[first][-1],
                groups.keys[second][-1],
            )
            for first, second in pairs.tolist()
        ]
        title = f"{self._name} against its lowest level: differences, paired by seed"
        return table_of([*self._by, self._name, "against"], keys, columns, title=title)


def _several(values: NDArray[Any]) -> bool:
    return len(np.unique(values)) > 1
