"""Two sweeps of the same cells and seeds, compared seed by seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.conditions import where
from bilancio.analysis.contrasts import differences
from bilancio.analysis.grouping import grouped_cells
from bilancio.analysis.intervals import Intervals, two_way_differences
from bilancio.analysis.verdicts import verdicts
from bilancio.errors import InvalidInput, Problem
from bilancio.experiments.answers import AnswerTable, Subject, measure_columns, table_of
from bilancio.experiments.conclusions import difference, undecided
from bilancio.experiments.questions import Question, check_names
from bilancio.experiments.reduction import Bools, Groups, Sides, column_of, replace_rows
from bilancio.experiments.wording import Wording
from bilancio.text import SHOWN_VALUES, key_text, plural, values

VERDICTS = ("higher", "lower")
HIDDEN = ("cell", "design")  # what a cell is called in its own sweep only
OF_RANGES = "mean over the ranges"

Places = NDArray[np.intp]


class Side:
    """One of the two sweeps.

    Attributes
    ----------
    subject
        What is asked about.
    fixed
        Values of the parameters that it does not vary, by name.
    kind
        The type of sweep that it is, to be told where it cannot be compared.
    """

    def __init__(self, subject: Subject, fixed: Mapping[str, Any], kind: str = "") -> None:
        self.subject = subject
        self.kind = kind
        self._fixed = fixed
        self._groups: Groups | None = None
        self._drawn: Places = np.empty(0, np.intp)
        self._runs: dict[str, Sides] = {}

    def copy(self) -> "Side":
        """Return the same sweep, to be grouped in another way."""
        return Side(self.subject, self._fixed, self.kind)

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

    def group(
        self,
        by: Sequence[NDArray[Any]],
        chosen: Bools,
        measures: Sequence[str],
        drawn: Places,
    ) -> None:
        """Decide on the groups whose values are wanted.

        Parameters
        ----------
        drawn
            Cells whose values are wanted run by run, in the order of the other sweep's.
        """
        self._drawn = drawn
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
        arms = self.subject.arms
        self.groups.take(metric, cube, arms)
        if len(self._drawn):
            of_arm = {column_of(metric, arm, arms): at for at, arm in enumerate(arms)}
            mine = [each for each in self.subject.measures if set(each.columns) <= set(of_arm)]
            for each in mine:
                if each.name in self.groups.sides:
                    runs = {name: cube[:, self._drawn, of_arm[name]] for name in each.columns}
                    self._runs[each.name] = each.per_seed(runs)

    def handed_over(self, measure: str) -> Sides:
        """Return the values of a measure by seed and cell, and let go of them."""
        return self._runs.pop(measure)

    def has(self, measure: str) -> bool:
        """Return whether values of a measure by seed and cell are held."""
        return measure in self._runs


class Comparing:
    """Compares two sweeps over the cells and seeds that both have.

    Attributes
    ----------
    shown
        The measures that are compared.
    names
        The parameters that tell cells apart, and those of one value that both have.
    n_cells
        How many cells the averages of each sweep are over, and how many of them both have.
    differing
        Parameters with one value in each sweep, and not the same: name → both values.
    asked, read
        The question with the names that its words were read as, and these by word.

    Raises
    ------
    InvalidInput
        They have no cell, no seed or no measure in common, or the question names what there is
        not.
    """

    def __init__(self, first: Side, second: Side, asked: Question) -> None:
        self.sides = (first, second)
        self.differing: dict[str, tuple[Any, Any]] = {}
        self.n_cells = (0, 0, 0)
        self.names = self._common_parameters()
        others = {each.name for each in second.subject.measures}
        known = [each.name for each in first.subject.measures if each.name in others]
        families = {
            metric: tuple(name for name in names if name in others)
            for metric, names in first.subject.families.items()
        }
        words = Wording(first.subject.effect, families)
        columns = {name: _given(first.column(name)) for name in self.names}
        asked = words.question(asked, self.names, known, columns)
        self.asked, self.read = asked, words.read
        check_names("group_by", asked.group_by, self.names)
        if not known:
            one, other = map(_measured, self.sides)
            raise _nothing("a measure", "jobs", f"one{one}, the other{other}")
        check_names("measures", asked.measures, known)
        self.shown = asked.measures or tuple(known)
        self._by = asked.group_by
        seeds = (first.subject.seeds, second.subject.seeds)
        _, *self._places = np.intersect1d(seeds[0], seeds[1], return_indices=True)
        if not len(self._places[0]):
            raise _nothing(
                "a seed",
                "jobs",
                f"{_values(seeds[0])} in the one, {_values(seeds[1])} in the other",
            )
        chosen, drawn = self._common_cells(asked)
        for side, mine, places in zip(self.sides, chosen, drawn, strict=True):
            by = [_given(side.column(name)) for name in self._by]
            side.group(by, mine, self.shown, places)
        self._rows = self._common_rows()
        self._group_of_drawn, self.of_ranges = self._groups_of_ranges(drawn)
        self._over_ranges: dict[str, Intervals] = {}

    def _common_parameters(self) -> list[str]:
        """Return the parameters that tell cells apart, and those of one value that both have.

        What has one value in each sweep, but another one, is a difference between the sweeps.
        """
        first, second = self.sides
        names = []
        for name in dict.fromkeys([*first.names, *second.names]):
            values = [_distinct(side.column(name)) for side in self.sides]
            if not all(map(len, values)):
                if any(len(each) > 1 for each in values):
                    why = f"{name} has several values in one, and is not set in the other"
                    raise _nothing("a cell", "jobs", why)
            elif len(values[0]) == len(values[1]) == 1 and values[0][0] != values[1][0]:
                self.differing[name] = (values[0][0], values[1][0])
            else:
                names.append(name)
        return names

    def _common_cells(self, asked: Question) -> tuple[list[Bools], list[Places]]:
        """Return which cells of each sweep take part: those that the other one has, too.

        Besides, those of them that both have drawn from ranges, in the same order.
        """
        columns = [[_given(side.column(name)) for name in self.names] for side in self.sides]
        n_first = len(self.sides[0].subject.cells.designs)
        joined = [np.concatenate(both) for both in zip(*columns, strict=True)]
        usable = np.concatenate([side.subject.averaged for side in self.sides])
        number, _ = grouped_cells(joined, usable)
        numbers = number[:n_first], number[n_first:]
        first, second = (np.unique(each[each >= 0]) for each in numbers)
        shared = np.intersect1d(first, second)
        self.n_cells = (len(first), len(second), len(shared))
        if not len(shared):
            raise _nothing("a cell", "jobs", self._why_no_cell(columns))
        chosen, sampled = [], []
        for side, mine, given in zip(self.sides, numbers, columns, strict=True):
            _, firsts = np.unique(mine, return_index=True)  # a cell of two designs counts once
            is_first = np.zeros(len(mine), bool)
            is_first[firsts] = True
            inside = np.isin(mine, shared) & is_first
            if asked.where is not None:
                inside &= where(asked.where, dict(zip(self.names, given, strict=True)))
            if not inside.any():
                raise _nothing("a cell", "where")
            chosen.append(inside)
            sampled.append(mine[inside & side.subject.cells.sampled])
        both = np.intersect1d(sampled[0], sampled[1])
        pairs = zip(chosen, numbers, strict=True)
        return chosen, [_places_of(both, inside, mine) for inside, mine in pairs]

    def _why_no_cell(self, columns: Sequence[Sequence[NDArray[Any]]]) -> str:
        """Say why two sweeps share no cell, as far as one can tell."""
        if all(side.subject.cells.sampled.any() for side in self.sides):
            return (
                "points that were drawn from ranges are the same in sweeps of the same ranges, "
                "number of points and base seed"
            )
        for name, mine, other in zip(self.names, *columns, strict=True):
            if not len(np.intersect1d(mine, other)):
                return f"{name} is {_values(mine)} in the one, {_values(other)} in the other"
        return "the same values are combined in other ways"

    def _common_rows(self) -> tuple[Places, Places]:
        """Return the groups that both sweeps have, with the same cells: places in each."""
        first, second = (side.groups for side in self.sides)
        rows = {key: place for place, key in enumerate(second.keys)}
        pairs = [
            (place, rows[key])
            for place, key in enumerate(first.keys)
            if key in rows and first.n_cells[place] == second.n_cells[rows[key]]
        ]
        mine, other = np.array(pairs, np.intp).reshape(-1, 2).T
        return mine, other

    def _groups_of_ranges(self, drawn: Sequence[Places]) -> tuple[NDArray[np.int64], Places]:
        """Return the row of each cell that was drawn, and the rows that have no other cells."""
        groups = self.sides[0].groups
        row_of = np.full(len(groups.keys) + 1, -1, np.int64)  # the last one is of no group
        row_of[self._rows[0]] = np.arange(len(self._rows[0]))
        row = row_of[groups.group[drawn[0]]]
        counts = np.bincount(row[row >= 0], minlength=len(self._rows[0]))
        whole = (counts == groups.n_cells[self._rows[0]]) & (counts > 1)
        of_ranges = np.flatnonzero(whole)
        place = np.full(len(whole) + 1, -1, np.int64)
        place[of_ranges] = np.arange(len(of_ranges))
        return place[row], of_ranges

    @property
    def several(self) -> list[str]:
        """The parameters that have more than one value among the cells that both have."""
        side = self.sides[0]
        inside = side.groups.group >= 0
        return [
            name for name in self.names if len(_distinct(_given(side.column(name))[inside])) > 1
        ]

    def settle(self) -> None:
        """Compare the measures that both sweeps have handed over, and let go of their runs."""
        if not len(self.of_ranges):
            return
        whole = self._whole[self.of_ranges]
        for name in self.shown:
            if not all(side.has(name) for side in self.sides):
                continue
            first, second = (
                _of_seeds(side.handed_over(name), seeds)
                for side, seeds in zip(self.sides, self._places, strict=True)
            )
            of_cell = self._group_of_drawn
            self._over_ranges[name] = two_way_differences(first, second, whole, of_cell)

    def whole_seeds(self) -> tuple[frozenset[int], frozenset[int]]:
        """Return the seeds under which each sweep has all results that its averages are over."""
        first, second = (
            frozenset(side.subject.seeds[_whole_seeds(side.subject)].tolist())
            for side in self.sides
        )
        return first, second

    @property
    def _whole(self) -> Bools:
        """Which of the seeds that both have are whole in both: bool (n_rows, n_seeds)."""
        first, second = (
            side.groups.whole[rows][:, seeds]
            for side, rows, seeds in zip(self.sides, self._rows, self._places, strict=True)
        )
        return np.asarray(first & second)

    def table(self) -> AnswerTable:
        """Return the differences, first − second, once all columns wanted have been taken."""
        first = self.sides[0].groups
        found: dict[str, Intervals] = {}
        for name in self.shown:
            sides = [
                self._aligned(side.groups.sides[name], rows, seeds)
                for side, rows, seeds in zip(self.sides, self._rows, self._places, strict=True)
            ]
            found[name] = differences(sides[0], sides[1])
            if name in self._over_ranges:
                replace_rows(found[name], self.of_ranges, self._over_ranges[name])
        columns: dict[str, Sequence[Any]] = {
            "n_cells": first.n_cells[self._rows[0]].tolist(),
            "n_seeds": self._whole.sum(axis=1).tolist(),
        }
        primary = self.sides[0].subject.primary
        if primary in found:
            columns["verdict"] = verdicts(found[primary], VERDICTS)
        columns |= measure_columns(found, self.shown)
        keys = [first.keys[place] for place in self._rows[0].tolist()]
        title = f"intervals are of the {OF_RANGES}" if len(self.of_ranges) else ""
        return table_of(self._by, keys, columns, title=title)

    @staticmethod
    def _aligned(sides: Sides, rows: NDArray[np.int64], seeds: NDArray[np.intp]) -> Sides:
        top, bottom = sides
        return top[rows][:, seeds], None if bottom is None else bottom[rows][:, seeds]


def headline(table: AnswerTable, measure: str, first: str, second: str, *, of_ranges: bool) -> str:
    """Say in a sentence how two sweeps differ, given a table of one row.

    Parameters
    ----------
    of_ranges
        Whether its interval is of the mean over ranges.
    """
    row = _only_row(table)
    if not row:
        return f"{first} and {second} have no whole seed in common yet."
    if row.get(measure) is None:
        return f"{measure} is not known in both {first} and {second}."
    size, than, interval = difference(row, measure, of_what=OF_RANGES if of_ranges else "")
    around = ", ".join(filter(None, (interval, undecided(row))))
    around = f" ({around})" if around else ""
    return (
        f"{measure} is {size} in {first} {than} in {second}{around}, over "
        f"{plural(row['n_cells'], 'cell')} and {plural(row['n_seeds'], 'seed')} that both have."
    )


def clause(table: AnswerTable, measure: str, second: str, *, of_ranges: bool) -> str:
    """Say the same of a sweep that was named, against a second one: 0.02 higher than in …."""
    row = _only_row(table)
    if not row:
        return f"no whole seed in common with {second} yet"
    if row.get(measure) is None:
        return f"{measure} not known in both it and {second}"
    size, than, interval = difference(row, measure, of_what=OF_RANGES if of_ranges else "")
    sure = ", ".join(filter(None, (interval, undecided(row))))
    shared = f"{plural(row['n_cells'], 'cell')}, {plural(row['n_seeds'], 'seed')}"
    return f"{size} {than} in {second} ({'; '.join(filter(None, (sure, shared)))})"


def _only_row(table: AnswerTable) -> dict[str, Any]:
    return dict(zip(table.columns, table.rows[0], strict=True)) if table.rows else {}


def _measured(side: Side) -> str:
    """Say what a sweep measures."""
    kind = f", a {side.kind} sweep," if side.kind else ""
    return f"{kind} measures {values([each.name for each in side.subject.measures])}"


def _distinct(column: NDArray[Any] | None) -> list[Any]:
    return [] if column is None else np.unique(column).tolist()


def _given(column: NDArray[Any] | None) -> NDArray[Any]:
    assert column is not None, "only parameters of both sweeps are looked at"
    return column


def _whole_seeds(subject: Subject) -> Bools:
    recorded = subject.cells.recorded[:, subject.averaged]
    return np.asarray(recorded.all(axis=(1, 2)))


def _of_seeds(sides: Sides, seeds: Places) -> Sides:
    top, bottom = sides
    return top[seeds], None if bottom is None else bottom[seeds]


def _places_of(wanted: NDArray[np.int64], inside: Bools, numbers: NDArray[np.int64]) -> Places:
    """Return where these numbers are among the cells inside, each once there."""
    places = np.flatnonzero(inside)
    places = places[np.argsort(numbers[places])]
    return places[np.searchsorted(numbers[places], wanted)]


def _values(column: NDArray[Any]) -> str:
    """Say which values a parameter has."""
    distinct = [key_text(value) for value in np.unique(column).tolist()]
    if len(distinct) > SHOWN_VALUES:
        return f"from {distinct[0]} to {distinct[-1]}"
    return ", ".join(distinct)


def _nothing(what: str, field: str, why: str = "") -> InvalidInput:
    got, allowed = f"a job without {what} in common", f"a job that shares {what}"
    if why:
        got = f"{got} ({why})"
    if field == "where":
        got, allowed = "a condition that no shared cell meets", "a condition that some cell meets"
    return InvalidInput([Problem(field, got, allowed)])
