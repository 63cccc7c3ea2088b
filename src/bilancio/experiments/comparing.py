"""Two sweeps of the same cells and seeds, compared seed by seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.conditions import where
from bilancio.analysis.contrasts import differences
from bilancio.analysis.grouping import grouped_cells
from bilancio.analysis.intervals import Intervals
from bilancio.analysis.verdicts import verdicts
from bilancio.errors import InvalidInput, Problem
from bilancio.experiments.answers import AnswerTable, Subject, measure_columns, table_of
from bilancio.experiments.questions import Question, check_names
from bilancio.experiments.reduction import Bools, Groups, Sides
from bilancio.text import plural

VERDICTS = ("higher", "lower")
HIDDEN = ("cell", "design")  # what a cell is called in its own sweep only


class Side:
    """One of the two sweeps.

    Attributes
    ----------
    subject
        What is asked about.
    fixed
        Values of the parameters that it does not vary, by name.
    """

    def __init__(self, subject: Subject, fixed: Mapping[str, Any]) -> None:
        self.subject = subject
        self._fixed = fixed
        self._groups: Groups | None = None

    def copy(self) -> "Side":
        """Return the same sweep, to be grouped in another way."""
        return Side(self.subject, self._fixed)

    @property
    def names(self) -> list[str]:
        """The parameters that vary."""
        return [name for name in self.subject.parameters if name not in HIDDEN]

    def column(self, name: str) -> NDArray[Any] | None:
        """Return a parameter by cell; None where the sweep does not have it."""
        if name in self.subject.cells.columns:
            return self.subject.cells.columns[name]
        value = self._fixed.get(name)
        if value is None:
            return None
        return np.full(len(self.subject.cells.designs), value)

    def group(self, by: Sequence[NDArray[Any]], chosen: Bools, measures: Sequence[str]) -> None:
        """Decide on the groups whose values are wanted."""
        mine = [each for each in self.subject.measures if each.name in measures]
        kept = [each.name for each in mine]
        self._groups = Groups(self.subject.cells, by, chosen, mine, kept=kept)

    @property
    def groups(self) -> Groups:
        """The groups decided on."""
        assert self._groups is not None, "the sides are grouped together"
        return self._groups

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics whose columns are wanted."""
        return self.groups.metrics

    def take(self, metric: str, cube: NDArray[np.float64]) -> None:
        """Take a metric by seed, cell and arm."""
        self.groups.take(metric, cube, self.subject.arms)


class Comparing:
    """Compares two sweeps over the cells and seeds that both have.

    Attributes
    ----------
    shown
        The measures that are compared.

    Raises
    ------
    InvalidInput
        They have no cell, no seed or no measure in common, or the question names what there is
        not.
    """

    def __init__(self, first: Side, second: Side, asked: Question) -> None:
        self.sides = (first, second)
        self._names = self._common_parameters()
        check_names("group_by", asked.group_by, self._names)
        others = {each.name for each in second.subject.measures}
        known = [each.name for each in first.subject.measures if each.name in others]
        if not known:
            raise _nothing("a measure", "other")
        check_names("measures", asked.measures, known)
        self.shown = asked.measures or tuple(known)
        self._by = asked.group_by
        seeds = (first.subject.seeds, second.subject.seeds)
        _, *self._places = np.intersect1d(seeds[0], seeds[1], return_indices=True)
        if not len(self._places[0]):
            raise _nothing("a seed", "other")
        for side, chosen in zip(self.sides, self._common_cells(asked), strict=True):
            by = [_given(side.column(name)) for name in self._by]
            side.group(by, chosen, self.shown)

    def _common_parameters(self) -> list[str]:
        first, second = self.sides
        names = dict.fromkeys([*first.names, *second.names])
        return [
            name
            for name in names
            if first.column(name) is not None and second.column(name) is not None
        ]

    def _common_cells(self, asked: Question) -> list[Bools]:
        """Return which cells of each sweep take part: those that the other one has, too."""
        columns = [[_given(side.column(name)) for name in self._names] for side in self.sides]
        lengths = [len(side.subject.cells.designs) for side in self.sides]
        joined = [np.concatenate(both) for both in zip(*columns, strict=True)]
        usable = np.concatenate([~side.subject.cells.probes for side in self.sides])
        number, _ = grouped_cells(joined, usable)
        mine, other = number[: lengths[0]], number[lengths[0] :]
        shared = np.intersect1d(mine[mine >= 0], other[other >= 0])
        chosen = []
        for numbers, given in zip((mine, other), columns, strict=True):
            _, firsts = np.unique(numbers, return_index=True)  # a cell of two designs counts once
            is_first = np.zeros(len(numbers), bool)
            is_first[firsts] = True
            inside = np.isin(numbers, shared) & is_first
            if asked.where is not None:
                inside &= where(asked.where, dict(zip(self._names, given, strict=True)))
            if not inside.any():
                field = "where" if len(shared) else "other"
                raise _nothing("a cell", field)
            chosen.append(inside)
        return chosen

    def table(self) -> AnswerTable:
        """Return the differences, first − second, once all columns wanted have been taken."""
        first, second = (side.groups for side in self.sides)
        rows = {key: place for place, key in enumerate(second.keys)}
        pairs = [
            (place, rows[key])
            for place, key in enumerate(first.keys)
            if key in rows and first.n_cells[place] == second.n_cells[rows[key]]
        ]
        places = [np.array(each, np.int64) for each in zip(*pairs, strict=True)] or [
            np.empty(0, np.int64),
            np.empty(0, np.int64),
        ]
        found: dict[str, Intervals] = {}
        for name in self.shown:
            sides = [
                self._aligned(groups.sides[name], rows_, seeds)
                for groups, rows_, seeds in zip((first, second), places, self._places, strict=True)
            ]
            found[name] = differences(sides[0], sides[1])
        whole = [
            groups.whole[rows_][:, seeds]
            for groups, rows_, seeds in zip((first, second), places, self._places, strict=True)
        ]
        columns: dict[str, Sequence[Any]] = {
            "n_cells": first.n_cells[places[0]].tolist(),
            "n_seeds": (whole[0] & whole[1]).sum(axis=1).tolist(),
        }
        primary = self.sides[0].subject.primary
        if primary in found:
            columns["verdict"] = verdicts(found[primary], VERDICTS)
        columns |= measure_columns(found, self.shown)
        keys = [first.keys[place] for place in places[0].tolist()]
        return table_of(self._by, keys, columns)

    @staticmethod
    def _aligned(sides: Sides, rows: NDArray[np.int64], seeds: NDArray[np.intp]) -> Sides:
        top, bottom = sides
        return top[rows][:, seeds], None if bottom is None else bottom[rows][:, seeds]


def headline(table: AnswerTable, measure: str, first: str, second: str) -> str:
    """Say in a sentence how two sweeps differ, given a table of one row."""
    if not table.rows:
        return f"{first} and {second} have no whole seed in common yet."
    row = dict(zip(table.columns, table.rows[0], strict=True))
    difference, low, high = (row.get(f"{measure}{end}") for end in ("", "_low", "_high"))
    if difference is None:
        return f"{measure} is not known in both {first} and {second}."
    size = "the same" if not difference else f"{abs(difference):.4g}"
    word = "" if not difference else " higher" if difference > 0 else " lower"
    than = "than in" if difference else "as in"
    interval = "" if low is None else f" (95 % interval {low:.4g} to {high:.4g})"
    return (
        f"{measure} is {size}{word} in {first} {than} {second}{interval}, over "
        f"{plural(row['n_cells'], 'cell')} and {plural(row['n_seeds'], 'seed')} that both have."
    )


def _given(column: NDArray[Any] | None) -> NDArray[Any]:
    assert column is not None, "only parameters of both sweeps are looked at"
    return column


def _nothing(what: str, field: str) -> InvalidInput:
    got, allowed = f"a job without {what} in common", f"a job that shares {what}"
    if field == "where":
        got, allowed = "a condition that no shared cell meets", "a condition that some cell meets"
    return InvalidInput([Problem(field, got, allowed)])
