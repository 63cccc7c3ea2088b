"""Answers to questions about results: tables, contrasts, effects, plans and warnings.

All of it is made of the columns of the runs recorded, which are handed over one after the other.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis import planning
from bilancio.analysis.conditions import where
from bilancio.analysis.contrasts import contrasts, level_pairs
from bilancio.analysis.effects import effects
from bilancio.analysis.intervals import Intervals, Lack
from bilancio.analysis.measures import Measure
from bilancio.analysis.selection import Bins, bins, order, pivot
from bilancio.analysis.verdicts import adjusted, verdicts
from bilancio.errors import InvalidInput, Problem
from bilancio.experiments.questions import Question, check_names
from bilancio.experiments.reduction import Bools, Groups, Surveyed, metric_of
from bilancio.text import plural

Columns = dict[str, NDArray[Any]]
Row = tuple[Any, ...]

SEED = "seed"
FEW_SEEDS = 5  # with fewer, an interval leans on the normal distribution alone
MANY_INTERVALS = 20  # of which one misses by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTable:
    """Rows under named columns; the first `n_keys` columns name the row."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    n_keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was asked for.

    Attributes
    ----------
    primary
        The measure that verdicts and the plan are about.
    table
        A row for each group: keys, `n`, `n_seeds`, `verdict` where one is given, and for each
        measure m the columns m, m_low, m_high.
    contrasts
        Differences between the levels of a parameter, paired by seed.
    effects
        Shares of the variance between cells.
    plan
        How many seeds a precision takes.
    warnings
        What to know before drawing conclusions, a sentence each.
    """

    primary: str = ""
    table: AnswerTable | None = None
    contrasts: AnswerTable | None = None
    effects: AnswerTable | None = None
    plan: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a question is asked about.

    Attributes
    ----------
    parameters
        Columns of the cells that one can group by.
    ranges
        Low, high and whether on a logarithmic scale, of each parameter that was sampled.
    seeds : int64 (n_seeds,)
        The seeds, in the order of the cube.
    verdict_words
        What the primary measure above and below 0 is called; None where that is not a question.
    watched
        Counts that say nothing where they are 0 in all runs of a cell: metric → what it counts.
    """

    cells: Surveyed
    arms: tuple[str, ...]
    parameters: tuple[str, ...]
    measures: tuple[Measure, ...]
    primary: str
    verdict_words: tuple[str, str] | None
    ranges: Mapping[str, tuple[Any, Any, bool]]
    seeds: NDArray[np.int64]
    watched: Mapping[str, str] = field(default_factory=dict)


class Answering:
    """Answers one question from columns handed over one after the other.

    Raises
    ------
    InvalidInput
        The question names what there is not.
    """

    def __init__(self, subject: Subject, asked: Question) -> None:
        self._subject = subject
        self._asked = asked
        self._check()
        self._chosen = self._condition()
        self._binned: dict[str, Bins] = {}
        by = self._keys()
        self._by = by
        shown = [each for each in subject.measures if each.name in self._shown]
        primary = [each for each in subject.measures if each.name == subject.primary]
        needed = list({each.name: each for each in (*shown, *primary)}.values())
        chosen = self._chosen & self._inside_bins()
        self._groups = Groups(
            subject.cells,
            [self._column(name) for name in by],
            chosen,
            needed,
            kept=[each.name for each in needed] if SEED in asked.group_by else (),
        )
        self._overall = Groups(subject.cells, [], chosen & self._averaged, primary)
        self._compared = self._contrast_groups(needed)
        self._crossed = self._crossed_groups()
        self._constant: float | None = None
        self._idle: dict[str, tuple[int, int]] = {}
        self._all = [
            each
            for each in (self._groups, self._overall, self._compared, self._crossed)
            if each is not None
        ]

    # -- what is asked ------------------------------------------------------------------------

    @property
    def _shown(self) -> tuple[str, ...]:
        return self._asked.measures or tuple(each.name for each in self._subject.measures)

    def _check(self) -> None:
        asked, subject = self._asked, self._subject
        known = (*subject.parameters, SEED)
        check_names("group_by", asked.group_by, known)
        check_names("measures", asked.measures, [each.name for each in subject.measures])
        for name, given in {"contrast": asked.contrast, "pivot": asked.pivot}.items():
            check_names(name, [given] if given else [], subject.parameters)
        if asked.pivot and asked.pivot in asked.group_by:
            got = f"{asked.pivot}, which group_by names too"
            raise InvalidInput([Problem("pivot", got, "a parameter that makes no rows")])

    def _condition(self) -> Bools:
        cells = self._subject.cells
        n_cells = len(cells.designs)
        if self._asked.where is None:
            return np.ones(n_cells, bool)
        columns = {name: cells.columns[name] for name in self._subject.parameters}
        columns = columns or {"cell": np.arange(n_cells)}
        chosen: Bools = where(self._asked.where, columns)
        if n_cells and not chosen.any():
            problem = Problem("where", repr(self._asked.where), "a condition that some cell meets")
            raise InvalidInput([problem])
        return chosen

    def _keys(self) -> list[str]:
        """Return the columns that the rows of the table are named by, but for the seed."""
        asked = self._asked
        by = [name for name in asked.group_by if name != SEED]
        if asked.pivot:
            by.append(asked.pivot)
        designs = set(self._subject.cells.designs[self._chosen & ~self._subject.cells.probes])
        if not asked.group_by and not asked.pivot and len(designs) > 1:
            by.append("design")
        for name in by if asked.bins else ():
            if name in self._subject.ranges:
                low, high, logarithmic = self._subject.ranges[name]
                column = self._subject.cells.columns[name].astype(float)
                self._binned[name] = bins(column, low, high, asked.bins, logarithmic=logarithmic)
        if asked.bins and not self._binned:
            sampled = ", ".join(self._subject.ranges) or "nothing: no parameter was sampled"
            problem = Problem("bins", str(asked.bins), f"grouping by {sampled}")
            raise InvalidInput([problem])
        return by

    def _column(self, name: str) -> NDArray[Any]:
        if name in self._binned:
            return self._binned[name].bin
        return self._subject.cells.columns[name]

    def _inside_bins(self) -> Bools:
        """Return the cells that take part in the table.

        The probes of a search do only where there is nothing else, and what tells them apart is
        asked for, or the designs themselves are.
        """
        cells, asked = self._subject.cells, self._asked
        inside = np.ones(len(cells.designs), bool)
        for each in self._binned.values():
            inside &= each.bin >= 0
        names = {*asked.group_by, asked.pivot}
        probes_count = "design" in names or (names - {""} and cells.probes.all())
        return inside if probes_count else inside & ~cells.probes

    @property
    def _averaged(self) -> Bools:
        cells = self._subject.cells
        return ~cells.probes & ~np.isin(cells.designs, ["sobol-ab"])

    def _contrast_groups(self, needed: Sequence[Measure]) -> Groups | None:
        name = self._asked.contrast
        if not name:
            return None
        chosen = self._chosen & self._inside_bins()
        levels = np.unique(self._subject.cells.columns[name][chosen])
        if len(levels) < 2:  # noqa: PLR2004 - of which one is the reference
            got = f"{name}, of one level" + (f" ({levels[0]})" if len(levels) else "")
            several = [
                each
                for each in self._subject.parameters
                if len(np.unique(self._subject.cells.columns[each][chosen])) > 1
            ]
            allowed = ", ".join(several) or "nothing: no parameter has two levels"
            raise InvalidInput([Problem("contrast", got, allowed)])
        by = [each for each in self._by if each != name]
        columns = [*(self._column(each) for each in by), self._subject.cells.columns[name]]
        return Groups(
            self._subject.cells, columns, chosen, needed, kept=[each.name for each in needed]
        )

    def _crossed_groups(self) -> Groups | None:
        """Return a group for each cell of a crossed grid, in the order of the grid."""
        if not self._asked.effects:
            return None
        cells = self._subject.cells
        chosen = self._chosen & ~cells.probes
        axes = self._axes(chosen)
        lengths = [len(np.unique(cells.columns[name][chosen])) for name in axes]
        if not axes or math.prod(lengths) != int(chosen.sum()):
            got = "true" if axes else "true, for one cell"
            allowed = "false, unless the cells (those of where) are a crossed grid"
            raise InvalidInput([Problem("effects", got, allowed)])
        measure = self._effects_measure
        columns = [cells.columns[name] for name in axes]
        return Groups(cells, columns, chosen, [measure], kept=[measure.name])

    def _axes(self, chosen: Bools) -> list[str]:
        columns = self._subject.cells.columns
        named = [name for name in self._subject.parameters if name not in {"design", "cell"}]
        return [name for name in named if len(np.unique(columns[name][chosen])) > 1]

    @property
    def _effects_measure(self) -> Measure:
        name = self._asked.measures[0] if self._asked.measures else self._subject.primary
        return next(each for each in self._subject.measures if each.name == name)

    # -- taking the columns -------------------------------------------------------------------

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics whose columns are wanted."""
        names = [name for each in self._all for name in each.metrics]
        return tuple(dict.fromkeys([*names, *self._subject.watched]))

    def take(self, metric: str, cube: NDArray[np.float64]) -> None:
        """Take a metric by seed, cell and arm: float64 (n_seeds, n_cells, n_arms)."""
        for each in self._all:
            if metric in each.metrics:
                each.take(metric, cube, self._subject.arms)
        if metric in self._subject.watched:
            last = cube[:, self._chosen & self._averaged, -1]  # the arm in which things happen
            ran = ~np.isnan(last).all(axis=0)
            idle = ran & ~(last > 0).any(axis=0)
            self._idle[metric] = int(idle.sum()), int(ran.sum())
        primary = next(
            (each for each in self._subject.measures if each.name == self._subject.primary), None
        )
        if primary is not None and metric in {metric_of(name) for name in primary.columns}:
            known = cube[~np.isnan(cube)]
            constant = len(known) > 1 and known.min() == known.max()
            self._constant = float(known[0]) if constant else None

    # -- answering ----------------------------------------------------------------------------

    def answer(self) -> Answer:
        """Return the answer, once all columns wanted have been taken."""
        if SEED in self._asked.group_by:
            table = self._by_seed()
        elif self._asked.pivot:
            table = self._pivoted()
        else:
            table = self._table()
        return Answer(
            primary=self._subject.primary,
            table=self._ordered(table),
            contrasts=self._contrasts(),
            effects=self._effects(),
            plan=self._plan(),
            warnings=tuple(self._warnings()),
        )

    def _key(self, key: Row, names: Sequence[str] | None = None) -> Row:
        """Return a group's key with the labels of bins in place of their numbers."""
        return tuple(
            self._binned[name].labels[value] if name in self._binned else value
            for name, value in zip(names or self._by, key, strict=True)
        )

    def _table(self) -> AnswerTable:
        groups = self._groups
        words = self._subject.verdict_words if self._subject.primary in self._shown else None
        primary = groups.intervals.get(self._subject.primary)
        columns: dict[str, Sequence[Any]] = {
            "n": (groups.n_cells * groups.n_seeds).tolist(),
            "n_seeds": groups.n_seeds.tolist(),
        }
        if words is not None and primary is not None:
            columns["verdict"] = verdicts(primary, words)
        columns |= measure_columns(groups.intervals, self._shown)
        if words is not None and primary is not None and len(groups.keys) > 1:
            within = adjusted(primary)
            columns[f"{self._subject.primary}_low_adjusted"] = known(within.low)
            columns[f"{self._subject.primary}_high_adjusted"] = known(within.high)
        keys = [self._key(key) for key in groups.keys]
        return table_of(self._by, keys, columns)

    def _by_seed(self) -> AnswerTable:
        """Return a row for each group and whole seed; one seed shows no spread."""
        groups, by = self._groups, list(self._asked.group_by)
        group, seed = np.nonzero(groups.whole)
        columns: dict[str, Sequence[Any]] = {
            "n": groups.n_cells[group].tolist(),
            "n_seeds": [1] * len(group),
        }
        for name in self._shown:
            top, bottom = groups.sides[name]
            columns[name] = known(ratio(top, bottom)[group, seed])
        places = {name: place for place, name in enumerate(self._by)}
        keys = []
        for at, number in zip(group.tolist(), self._subject.seeds[seed].tolist(), strict=True):
            key = self._key(groups.keys[at])
            keys.append(tuple(number if each == SEED else key[places[each]] for each in by))
        return table_of(by, keys, columns)

    def _pivoted(self) -> AnswerTable:
        """Return one measure: a row for each group, a column for each value of a parameter."""
        name = (self._asked.measures or (self._subject.primary,))[0]
        keys = [self._key(key) for key in self._groups.keys]
        found = pivot(
            [key[:-1] for key in keys],
            [key[-1] for key in keys],
            self._groups.intervals[name].estimate if keys else np.empty(0),
        )
        values = [known(column) for column in found.cells.T]
        columns = {
            f"{self._asked.pivot}={shown_key(value)}": each
            for value, each in zip(found.columns, values, strict=True)
        }
        rows: list[Row] = [key for key in found.rows if isinstance(key, tuple)]
        return table_of(self._by[:-1], rows, columns)

    def _ordered(self, table: AnswerTable) -> AnswerTable:
        if not self._asked.order_by:
            return table
        columns = {
            name: np.array([row[place] for row in table.rows], object)
            for place, name in enumerate(table.columns)
        }
        places = order(self._asked.order_by, columns).tolist()
        rows = tuple(table.rows[place] for place in places)
        return AnswerTable(columns=table.columns, rows=rows, n_keys=table.n_keys)

    def _contrasts(self) -> AnswerTable | None:
        """Return the differences to the lowest level of a parameter, paired by seed."""
        if self._compared is None:
            return None
        groups, name = self._compared, self._asked.contrast
        by = [each for each in self._by if each != name]
        levels = sorted({key[-1] for key in groups.keys})
        contexts = sorted({key[:-1] for key in groups.keys})
        numbers = {key: place for place, key in enumerate(contexts)}
        level = np.array([levels.index(key[-1]) for key in groups.keys], np.int64)
        context = np.array([numbers[key[:-1]] for key in groups.keys], np.int64)
        pairs = level_pairs(level, context)
        found = {each: contrasts(groups.sides[each], pairs) for each in self._shown}
        primary = found.get(self._subject.primary)
        columns: dict[str, Sequence[Any]] = {
            "n_seeds": (groups.whole[pairs[:, 0]] & groups.whole[pairs[:, 1]]).sum(axis=1).tolist()
        }
        if primary is not None:
            columns["verdict"] = verdicts(primary, ("higher", "lower"))
        columns |= measure_columns(found, self._shown)
        keys = [
            (
                *self._key(groups.keys[first][:-1], by),
                groups.keys[first][-1],
                groups.keys[second][-1],
            )
            for first, second in pairs.tolist()
        ]
        return table_of([*by, name, "against"], keys, columns)

    def _effects(self) -> AnswerTable | None:
        """Return main effects and interactions as shares of the variance between cells."""
        if self._crossed is None:
            return None
        groups, name = self._crossed, self._effects_measure.name
        chosen = self._chosen & ~self._subject.cells.probes
        axes = self._axes(chosen)
        lengths = tuple(len(np.unique(self._subject.cells.columns[axis][chosen])) for axis in axes)
        if len(groups.keys) < math.prod(lengths):
            values = np.full((math.prod(lengths), groups.whole.shape[1]), np.nan)
        else:
            values = ratio(*groups.sides[name])
        found = effects(values, lengths)
        terms = [
            (" × ".join(axes[place] for place in term) or "higher order",) for term in found.terms
        ]
        columns: dict[str, Sequence[Any]] = {
            "share": known(found.shares.estimate),
            "share_low": known(found.shares.low),
            "share_high": known(found.shares.high),
            "variance": known(found.variance),
        }
        return table_of([f"effect on {name}"], terms, columns)

    def _plan(self) -> dict[str, Any] | None:
        """Return how many seeds would give a precision, overall and in the widest row."""
        overall = self._overall.intervals.get(self._subject.primary)
        rows = self._groups.intervals.get(self._subject.primary)
        drawn = self._subject.cells.sampled[self._chosen & self._averaged].any()
        if overall is None or not len(overall.lack) or drawn or overall.lack[0] != Lack.NONE:
            return None
        half = float(overall.high[0] - overall.low[0]) / 2
        wanted = self._asked.precision or half / 2
        needed = int(planning.seeds_needed(overall, wanted)[0])
        said = (
            f"± {wanted:.2g} for {self._subject.primary}, which is ± {half:.2g} now, takes about "
            f"{needed:,} seeds in all"
        )
        plan: dict[str, Any] = {
            "measure": self._subject.primary,
            "half_width_now": half,
            "half_width": wanted,
            "n_seeds": needed,
        }
        if rows is not None and len(rows.lack) > 1 and (rows.lack == Lack.NONE).any():
            by_row = planning.seeds_needed(rows, wanted)
            widest = int(by_row.argmax())
            key = dict(zip(self._by, self._key(self._groups.keys[widest]), strict=True))
            plan |= {"widest": key, "n_seeds_widest": int(by_row[widest])}
            where_ = ", ".join(f"{name} {shown_key(value)}" for name, value in key.items())
            said += f", and {int(by_row[widest]):,} in the widest row ({where_})"
        return plan | {"sentence": f"{said}."}

    def _warnings(self) -> list[str]:
        overall, primary = self._overall, self._subject.primary
        n_seeds = int(overall.n_seeds[0]) if overall.keys else 0
        found = []
        if n_seeds == 1:
            found.append("One seed shows no spread: there is no interval, and no conclusion.")
        elif 1 < n_seeds < FEW_SEEDS:
            found.append(f"{n_seeds} seeds are few: intervals are wide and only roughly right.")
        if self._constant is not None:
            metric = metric_of(next(iter(self._primary_columns), primary))
            found.append(f"{metric} is {self._constant:g} in all runs.")
        for metric, (idle, all_cells) in self._idle.items():
            if idle:
                what = self._subject.watched[metric]
                found.append(f"No {what} in {idle:,} of {plural(all_cells, 'cell')}.")
        n_rows = (
            int((self._groups.intervals[primary].lack == Lack.NONE).sum())
            if (primary in self._groups.intervals)
            else 0
        )
        if n_rows >= MANY_INTERVALS:
            found.append(
                f"Of {n_rows:,} intervals about {max(round(n_rows / 20), 1):,} miss by chance"
                + ("; verdicts take that into account." if self._subject.verdict_words else ".")
            )
        return found

    @property
    def _primary_columns(self) -> tuple[str, ...]:
        return next(
            (each.columns for each in self._subject.measures if each.name == self._subject.primary),
            (),
        )


def table_of(
    by: Sequence[str], keys: Sequence[Row], columns: Mapping[str, Sequence[Any]]
) -> AnswerTable:
    """Return a table of rows, given their keys and the columns of their values."""
    values = list(zip(*columns.values(), strict=True)) if columns else [()] * len(keys)
    rows = tuple((*key, *value) for key, value in zip(keys, values, strict=True))
    return AnswerTable(columns=(*by, *columns), rows=rows, n_keys=len(by))


def measure_columns(
    intervals: Mapping[str, Intervals], shown: Sequence[str]
) -> dict[str, Sequence[Any]]:
    """Return m, m_low and m_high of each measure m."""
    columns: dict[str, Sequence[Any]] = {}
    for name in shown:
        found = intervals.get(name)
        if found is None:
            continue
        columns[name] = known(found.estimate)
        columns[f"{name}_low"] = known(found.low)
        columns[f"{name}_high"] = known(found.high)
    return columns


def shown_key(value: Any) -> str:
    """Write a parameter's value as it was given: 1.0 as 1."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def known(values: NDArray[np.float64]) -> list[float | None]:
    """Return numbers as JSON holds them: None where there is none or it is infinite."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def ratio(top: NDArray[np.float64], bottom: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return a measure by group and seed; NaN where a denominator is 0."""
    if bottom is None:
        return top
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom != 0)
