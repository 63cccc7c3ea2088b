"""Single runs of a sweep, or the pairs of its arms: which ones, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.conditions import Condition, renamed, where
from bilancio.analysis.measures import Measure
from bilancio.errors import InvalidInput, Problem
from bilancio.experiments.answers import AnswerTable, Subject, ratio
from bilancio.experiments.questions import Question, check_names
from bilancio.experiments.reduction import Bools, column_of, metric_of
from bilancio.experiments.vocabulary import columns_of
from bilancio.experiments.wording import Wording
from bilancio.model.metrics import Metric
from bilancio.text import key_text, number

RUN, SEED, ARM = "run", "seed", "arm"
NOT_SHOWN = ("design", "cell")
FEWEST, SHOWN = 2, 3  # arms of a pair; measures of runs where none were chosen
NOT_BESIDE = ("group_by", "contrast", "effects", "pivot", "bins", "precision")

Places = NDArray[np.int64]
Values = NDArray[Any]


class Chosen(NamedTuple):
    """Where the runs lie that are shown: places of seed, cell and arm, int64 (n,) each.

    The arm of a pair is the last one. `total` counts all that meet the condition.
    """

    seed: Places
    cell: Places
    arm: Places
    total: int


class SingleRuns:
    """The runs that meet a condition, in an order; pairs where differences of arms are asked for.

    The columns that decide are taken first (`wanted`), then the values of the runs that are shown
    (`shown`).

    Parameters
    ----------
    metrics
        Those recorded.
    there : bool (n_seeds, n_cells, n_arms)
        Which runs have results.
    seeded
        Whether runs have seeds that are known.

    Attributes
    ----------
    pairs
        Whether a row is a pair of runs: all arms of a cell under a seed.
    asked, read
        The question with the names that its words were read as, and these by word.

    Raises
    ------
    InvalidInput
        The question names what there is not, or what single runs do not have.
    """

    def __init__(
        self,
        subject: Subject,
        metrics: Sequence[Metric],
        there: Bools,
        asked: Question,
        *,
        seeded: bool = True,
    ) -> None:
        _refuse_averages(asked)
        self._subject = subject
        self._metrics = {metric.name: metric for metric in metrics}
        self._rows = [*subject.parameters, *([SEED] if seeded else [])]
        given, of_pairs, of_runs = _words_of(asked), self._of_pairs(), self._of_runs()
        self.pairs = len(subject.arms) >= FEWEST and not (
            not self._known(given, [*of_pairs]) and self._known(given, [ARM, *of_runs])
        )
        self._measures = of_pairs if self.pairs else of_runs
        if not self.pairs and len(subject.arms) >= FEWEST:
            self._rows.append(ARM)
        words = Wording(subject.effect, subject.families if self.pairs else {})
        self.asked, self.read = self._worded(asked, words), words.read
        self._there: Bools = np.asarray(there.all(axis=2) if self.pairs else there)
        self._cubes: dict[str, Values] = {}

    # -- what there is -----------------------------------------------------------------------

    def _of_pairs(self) -> dict[str, Measure]:
        """Return what is known of pairs: the measures, and each metric of each arm."""
        arms = self._subject.arms
        found = {each.name: each for each in self._subject.measures}
        for metric in self._metrics.values():
            for arm in arms if metric.codes is None and len(arms) >= FEWEST else ():
                name, weight, unit = metric.measured
                column = column_of(metric.name, arm, arms)
                one = Measure(name=f"{name}_{arm}", numerator={column: weight}, unit=unit)
                if not any(each.columns == one.columns for each in found.values()):
                    found[one.name] = one
        return found

    def _of_runs(self) -> dict[str, Measure]:
        """Return what is known of single runs: of one arm the measures, then the metrics."""
        one_arm = len(self._subject.arms) < FEWEST
        found = {each.name: each for each in self._subject.measures if one_arm}
        for metric in self._metrics.values():
            name, weight, unit = metric.measured
            found.setdefault(name, Measure(name=name, numerator={metric.name: weight}, unit=unit))
        return found

    def _known(self, words: Sequence[str], names: Sequence[str]) -> bool:
        return all(columns_of(word, [*self._rows, *names], self._subject.effect) for word in words)

    def _worded(self, asked: Question, words: Wording) -> Question:
        known = [*self._rows, *self._measures]
        order = []
        for each in asked.order_by:
            name = words.name("order_by", each.removeprefix("-").strip(), known)
            order.append(f"-{name}" if each.startswith("-") else name)
        named: list[str] = []
        columns = self._subject.cells.columns
        condition = words.condition(asked.where, known, columns, named.append)
        measures = words.names(asked.measures, self._measures)
        check_names("measures", measures, list(self._measures))
        check_names("order_by", [each.removeprefix("-") for each in order], known)
        check_names("where", list(dict.fromkeys(named)), known)
        self._in_condition = tuple(dict.fromkeys(named))
        return replace(asked, measures=measures, order_by=tuple(order), where=condition)

    @property
    def known(self) -> tuple[str, ...]:
        """The measures that can be asked for."""
        return tuple(self._measures)

    # -- which runs --------------------------------------------------------------------------

    @property
    def _deciding(self) -> list[str]:
        order = [each.removeprefix("-") for each in self.asked.order_by]
        return [name for name in (*order, *self._in_condition) if name in self._measures]

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics by which runs are chosen and ordered."""
        return self._metrics_of(self._deciding)

    @property
    def columns(self) -> tuple[str, ...]:
        """The measures that are shown: those asked for, else the order's and the primary ones."""
        order = [each.removeprefix("-") for each in self.asked.order_by]
        first = [name for name in order if name in self._measures]
        if self.asked.measures:
            return tuple(dict.fromkeys([*self.asked.measures, *first]))
        primary = self._subject.measure(self._subject.primary)
        metrics = {metric_of(each) for each in primary.columns} if primary else set()
        alike = [
            name
            for name, each in self._measures.items()
            if each.denominator is None
            and {metric_of(column) for column in each.columns} <= metrics
        ]
        more = [] if self.pairs else list(self._measures)[: SHOWN - len(alike)]
        return tuple(dict.fromkeys([*first, *alike, *more]))

    @property
    def shown(self) -> tuple[str, ...]:
        """The metrics that the columns shown are made of."""
        return self._metrics_of(self.columns)

    def _metrics_of(self, names: Sequence[str]) -> tuple[str, ...]:
        columns = (column for name in names for column in self._measures[name].columns)
        return tuple(dict.fromkeys(metric_of(column) for column in columns))

    def take(self, metric: str, cube: NDArray[np.float64]) -> None:
        """Take a metric that is wanted, by seed, cell and arm."""
        self._cubes[metric] = cube

    def chosen(self, rows: slice) -> Chosen:
        """Return the runs of a page, once all metrics wanted have been taken.

        Parameters
        ----------
        rows
            Of all that meet the condition, in their order.
        """
        mask = self._there & self._meets(self.asked.where)
        flat = np.flatnonzero(mask)
        total = len(flat)
        if self.asked.order_by and total:
            flat = flat[self._order(flat, rows.stop)]
        self._cubes.clear()
        seed, cell, *arm = np.unravel_index(flat[rows], mask.shape)
        last = np.full(len(seed), len(self._subject.arms) - 1)
        return Chosen(seed, cell, arm[0] if arm else last, total)

    def _meets(self, condition: Condition | None) -> Bools:
        if condition is None:
            return np.ones((), bool)
        if set(self._in_condition) <= set(self._subject.parameters):
            columns = self._subject.cells.columns
            met = where(condition, {name: columns[name] for name in self._in_condition})
            return met[None, :] if self.pairs else met[None, :, None]
        shape = self._there.shape
        full = {
            name: np.broadcast_to(self._column(name), shape).reshape(-1)
            for name in self._in_condition
        }
        return where(condition, full).reshape(shape)

    def _column(self, name: str) -> Values:
        """Return a parameter, the seed, the arm or a measure, as runs lie."""
        more = () if self.pairs else (1,)
        if name in self._subject.parameters:
            return self._subject.cells.columns[name].reshape(1, -1, *more)
        if name == SEED:
            return self._subject.seeds.reshape(-1, 1, *more)
        if name == ARM:
            return np.array(self._subject.arms).reshape(1, 1, -1)
        arms = self._subject.arms
        runs: dict[str, Values] = {}
        for metric in self._metrics_of([name]):
            cube = self._cubes[metric]
            runs |= (
                {column_of(metric, arm, arms): cube[:, :, at] for at, arm in enumerate(arms)}
                if self.pairs
                else {metric: cube}
            )
        return self._value(name, runs)

    def _value(self, name: str, runs: Mapping[str, Values]) -> Values:
        """Return a measure, given its columns; words where its numbers stand for words."""
        values = ratio(*self._measures[name].per_seed(runs))
        words = self._words(name)
        return values if words is None else words[_places(values, words)]

    def _words(self, name: str) -> Values | None:
        """Return what the numbers of a measure stand for, and last what none stands for."""
        metric = self._metrics.get(metric_of(self._measures[name].columns[0]))
        if metric is None or metric.codes is None:
            return None
        return np.array([*(code.value for code in metric.codes), ""])

    def _key(self, name: str) -> Values:
        """Return numbers in the order of a column: words of all runs would be very large."""
        words = self._words(name) if name in self._measures else None
        if words is not None:
            (metric,) = self._metrics_of([name])
            ranks = np.unique(words, return_inverse=True)[1]
            return ranks[_places(self._cubes[metric], words)]
        column = self._column(name)
        if column.dtype.kind in "fiu":
            return column
        return np.unique(column.astype(str), return_inverse=True)[1].reshape(column.shape)

    def _order(self, flat: Places, most: int | None) -> Places:
        """Return the order of runs; of many only the first so many are put in order."""
        keys = []
        for given in self.asked.order_by:
            column = np.broadcast_to(self._key(given.removeprefix("-")), self._there.shape)
            values = column.reshape(-1)[flat]
            keys.append(-values.astype(np.float64) if given.startswith("-") else values)
        places = np.arange(len(flat))
        if most is not None and most < len(flat):
            limit = np.partition(keys[0], most)[most]
            if limit == limit:  # noqa: PLR0124 - with NaN all are looked at
                places = np.flatnonzero(keys[0] <= limit)
        return places[np.lexsort([key[places] for key in reversed(keys)])]

    # -- the table ---------------------------------------------------------------------------

    def table(
        self, chosen: Chosen, values: Mapping[str, Values], runs: Places | None
    ) -> AnswerTable:
        """Return the runs chosen.

        Parameters
        ----------
        values : float64 (n, n_arms) each
            The metrics that are shown.
        runs : int64 (n,)
            Their numbers; of a pair that of its last arm. None where runs have none.
        """
        subject, arms = self._subject, self._subject.arms
        keys: dict[str, list[Any]] = {} if runs is None else {RUN: runs.tolist()}
        for name in self._rows:
            if name == SEED:
                keys[name] = subject.seeds[chosen.seed].tolist()
            elif name == ARM:
                keys[name] = [arms[place] for place in chosen.arm.tolist()]
            elif name not in NOT_SHOWN and (
                _varies(subject.cells.columns[name]) or SEED not in self._rows
            ):  # without seeds nothing else names a run
                keys[name] = subject.cells.columns[name][chosen.cell].tolist()
        every = np.arange(len(chosen.arm))
        columns = dict(keys)
        for name in self.columns:
            given: dict[str, Values] = {}
            for metric in self._metrics_of([name]):
                given |= (
                    {
                        column_of(metric, arm, arms): values[metric][:, at]
                        for at, arm in enumerate(arms)
                    }
                    if self.pairs
                    else {metric: values[metric][every, chosen.arm]}
                )
            columns[name] = self._readable(name, self._value(name, given))
        rows = tuple(zip(*columns.values(), strict=True)) if columns else ()
        return AnswerTable(columns=tuple(columns), rows=rows, n_keys=len(keys))

    def _readable(self, name: str, values: Values) -> list[Any]:
        if values.dtype.kind != "f":
            return [each or None for each in values.tolist()]
        measure = self._measures[name]
        metrics = [self._metrics.get(metric_of(each)) for each in measure.columns]
        whole = all(each is not None and each.dtype.lstrip("<>=|")[:1] in "iub" for each in metrics)
        whole = whole and measure.denominator is None
        whole = whole and all(abs(weight) == 1 for weight in measure.numerator.values())
        return [
            None if not np.isfinite(each) else int(each) if whole else each
            for each in values.tolist()
        ]

    def said(self, table: AnswerTable, total: int) -> str:
        """Say how many there are, and which is the first."""
        one = "pair" if self.pairs else "run"
        which = " that meet the condition" if self.asked.where is not None else ""
        if not total:
            return f"No {one}{which.replace('meet', 'meets')} has results."
        noun = one if total == 1 else f"{one}s"
        counted = f"Showing {len(table.rows):,} of {total:,} {noun}{which}"
        name = (self.asked.order_by or ("",))[0]
        column = name.removeprefix("-")
        if column not in table.columns or not table.rows:
            return f"{counted}."
        first = dict(zip(table.columns, table.rows[0], strict=True))
        keys = [each for each in table.columns[: table.n_keys] if each not in {RUN, column}]
        at = ", ".join(f"{each} {key_text(first[each])}" for each in keys)
        most = "highest" if name.startswith("-") else "lowest"
        value = number(first[column]) or "none"
        return f"{counted}, {most} {column} first: {value}{at and f' at {at}'}."


def _refuse_averages(asked: Question) -> None:
    """Refuse what is asked of averages over runs."""
    for name in NOT_BESIDE:
        value = getattr(asked, name)
        if value:
            got = ", ".join(value) if isinstance(value, tuple) else str(value)
            allowed = "nothing beside of: runs; where and order_by choose among runs"
            raise InvalidInput([Problem(name, got, allowed)])


def _words_of(asked: Question) -> list[str]:
    """Return the names that a question holds."""
    found = [*asked.measures, *(each.removeprefix("-").strip() for each in asked.order_by)]
    if asked.where is not None:

        def collect(word: str) -> str:
            found.append(word)
            return word

        renamed(asked.where, collect)
    return found


def _places(codes: Values, words: Values) -> Places:
    """Return where the word of each code is; that of none is the last."""
    places: Places = np.where(np.isnan(codes), len(words) - 1, codes).astype(np.int64)
    return places


def _varies(column: Values) -> bool:
    values = column[np.isfinite(column)] if column.dtype.kind == "f" else column
    return len(np.unique(values)) > 1
