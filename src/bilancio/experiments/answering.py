"""One question about results, answered from columns handed over one after the other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis import planning
from bilancio.analysis.conditions import renamed, where
from bilancio.analysis.intervals import Intervals, Lack, reason
from bilancio.analysis.selection import Bins, bins, order, pivot
from bilancio.analysis.verdicts import adjusted, verdicts
from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.experiments.answers import (
    Answer,
    AnswerTable,
    Row,
    Subject,
    known,
    measure_columns,
    ratio,
    table_of,
)
from bilancio.experiments.cautions import Cautions, one_armed
from bilancio.experiments.conclusions import of_contrasts, of_effects, of_first, of_part
from bilancio.experiments.crossed import NOT_AXES, CrossedGrid
from bilancio.experiments.levels import LevelContrasts
from bilancio.experiments.questions import Question, check_names
from bilancio.experiments.reduction import Bools, Groups, metric_of
from bilancio.experiments.sensitivity import SobolDesign
from bilancio.experiments.vocabulary import columns_of
from bilancio.experiments.wording import Wording
from bilancio.text import SHOWN_VALUES, key_text
from bilancio.validation import near

SEED, VERDICT = "seed", "verdict"
ONE_ARM = "one arm only"
MAX_COLUMNS = 200  # of a pivot


class Answering:
    """Answers one question from columns handed over one after the other.

    Raises
    ------
    InvalidInput
        The question names what there is not.
    """

    def __init__(self, subject: Subject, asked: Question) -> None:
        self._subject = subject
        self._words = Wording(subject.effect, subject.families)
        names = [each.name for each in subject.measures]
        asked = self._words.question(asked, subject.parameters, names, subject.cells.columns)
        self._asked = asked
        self._check()
        self._chosen = chosen_cells(subject, asked.where)
        self._binned: dict[str, Bins] = {}
        by = self._keys()
        self._by = by
        shown = [each for each in subject.measures if each.name in self._shown]
        primary = [each for each in subject.measures if each.name == subject.primary]
        needed = list({each.name: each for each in (*shown, *primary)}.values())
        planned = [each for each in needed if each.name in {subject.primary, self._planned}]
        chosen = self._chosen & self._inside()
        columns = {name: self._column(name) for name in by}
        if asked.pivot:
            _check_columns(asked.pivot, columns[asked.pivot][chosen])
        kept = [each.name for each in needed] if SEED in asked.group_by else ()
        self._groups = Groups(subject.cells, list(columns.values()), chosen, needed, kept=kept)
        self._overall = Groups(subject.cells, [], chosen & subject.averaged, planned)
        self._levels = (
            LevelContrasts(subject, asked.contrast, columns, chosen, needed)
            if asked.contrast
            else None
        )
        self._crossed = self._effects()
        self._cautions = Cautions(subject, self._chosen, part=asked.where is not None)
        others = [each.groups for each in (self._levels, self._crossed) if each is not None]
        self._all = [self._groups, self._overall, *others]

    def _effects(self) -> CrossedGrid | SobolDesign | None:
        """Return what tells which parameters matter: for a Sobol design without being asked."""
        if self._subject.sobol is not None:
            return SobolDesign(self._subject, self._asked, self._subject.sobol)
        if self._asked.effects:
            return CrossedGrid(self._subject, self._asked, self._chosen)
        return None

    # -- what is asked ------------------------------------------------------------------------

    @property
    def _shown(self) -> tuple[str, ...]:
        return self._asked.measures or tuple(each.name for each in self._subject.measures)

    @property
    def _planned(self) -> str:
        """The measure that a plan is about: the primary one, or the first of others."""
        return self._subject.primary if self._subject.primary in self._shown else self._shown[0]

    def _check(self) -> None:
        asked, subject = self._asked, self._subject
        known = (*subject.parameters, SEED)
        check_names("group_by", asked.group_by, known)
        check_names("measures", asked.measures, [each.name for each in subject.measures])
        for name, given in {"contrast": asked.contrast, "pivot": asked.pivot}.items():
            check_names(name, [given] if given else [], subject.parameters)
        self._refuse_conditions_on_rows()
        if asked.pivot and asked.pivot in asked.group_by:
            got = f"{asked.pivot}, which group_by names too"
            raise InvalidInput([Problem("pivot", got, "a parameter that makes no rows")])
        if asked.pivot and len(asked.measures) > 1:
            got = ", ".join(asked.measures)
            raise InvalidInput([Problem("measures", got, "one measure, beside pivot")])

    def _refuse_conditions_on_rows(self) -> None:
        """Refuse a condition on what the table says of a row: it chooses among cells."""
        names: list[str] = []

        def collect(name: str) -> str:
            names.append(name)
            return name

        if self._asked.where is not None:
            renamed(self._asked.where, collect)
        measured = [VERDICT, *(each.name for each in self._subject.measures)]
        for name in names:
            if name not in self._subject.parameters and columns_of(
                name, measured, self._subject.effect, self._subject.families
            ):
                got = f"{name}, a column of the table"
                allowed = (
                    f"parameters ({near(name, self._subject.parameters)}); order_by puts rows in "
                    "order by any column, and of: runs takes conditions on measures"
                )
                raise InvalidInput([Problem("where", got, allowed)])

    def _keys(self) -> list[str]:
        """Return the columns that the rows of the table are named by, but for the seed."""
        asked = self._asked
        by = [name for name in asked.group_by if name != SEED]
        if asked.order_by and not asked.group_by and not asked.pivot:
            by = self._varied()
        if asked.pivot:
            by.append(asked.pivot)
        designs = set(self._subject.cells.designs[self._chosen & self._subject.averaged])
        if not asked.group_by and not asked.pivot and len(designs) > 1:
            by.append("design")
        for name in by if asked.bins else ():
            if name in self._subject.ranges:
                low, high, logarithmic = self._subject.ranges[name]
                column = self._subject.cells.columns[name].astype(float)
                self._binned[name] = bins(column, low, high, asked.bins, logarithmic=logarithmic)
        if asked.bins and not self._binned:
            sampled = ", ".join(self._subject.ranges)
            allowed = f"grouping by {sampled}" if sampled else "none: no parameter was sampled"
            raise InvalidInput([Problem("bins", str(asked.bins), allowed)])
        return by

    def _varied(self) -> list[str]:
        """Return the parameters that have several values among the cells: one row has no order."""
        cells = self._chosen & self._subject.averaged
        return [
            name
            for name in self._subject.parameters
            if name not in NOT_AXES and len(np.unique(self._subject.cells.columns[name][cells])) > 1
        ]

    def _column(self, name: str) -> NDArray[Any]:
        if name in self._binned:
            return self._binned[name].bin
        return self._subject.cells.columns[name]

    def _inside(self) -> Bools:
        """Return the cells that take part in the table.

        The probes of a search, and the cells of a Sobol design that are no sample of the ranges,
        do only where designs or cells are asked for; probes also where there is nothing else.
        """
        cells, asked = self._subject.cells, self._asked
        inside = np.ones(len(cells.designs), bool)
        for each in self._binned.values():
            inside &= each.bin >= 0
        names = {*asked.group_by, asked.pivot}
        all_count = names & {"design", "cell"} or (names - {""} and cells.probes.all())
        return inside if all_count else inside & self._subject.averaged

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
        self._cautions.take(metric, cube)

    # -- answering ----------------------------------------------------------------------------

    def answer(self) -> Answer:
        """Return the answer, once all columns wanted have been taken."""
        if self._asked.pivot:
            table = self._pivoted()
        elif SEED in self._asked.group_by:
            table = self._by_seed()
        else:
            table = self._table()
        labelled = {name: each.labels for name, each in self._binned.items()}
        effects = None if self._crossed is None else self._crossed.table()
        remarked = () if self._crossed is None else self._crossed.remarks
        plan, not_planned = self._plan()
        contrasts = None if self._levels is None else self._levels.table(self._shown, labelled)
        table = self._ordered(table)
        return Answer(
            primary=self._subject.primary,
            table=table,
            contrasts=contrasts,
            effects=effects,
            said=self._conclusion(table, contrasts, effects),
            asked=self._asked,
            read=self._words.read,
            verdicts=_counts(table),
            plan=plan,
            meanings=self._meanings(),
            warnings=(
                *one_armed(self._groups, self._subject),
                *self._cautions.sentences(self._overall, self._rows, self._shown),
                *remarked,
                *not_planned,
            ),
        )

    def _conclusion(
        self, table: AnswerTable, contrasts: AnswerTable | None, effects: AnswerTable | None
    ) -> str:
        """Say what was found of what was asked for; nothing where that is the sweep as a whole."""
        asked, said = self._asked, []
        if contrasts is not None:
            said.append(of_contrasts(contrasts, self._planned))
        if effects is not None and asked.effects:
            said.append(of_effects(effects))
        if said:
            return " ".join(filter(None, said))
        if asked.where is not None:
            groups, name = self._overall, self._planned
            columns = {"n_seeds": groups.n_seeds.tolist()}
            row = table_of([], groups.keys, columns | measure_columns(groups.intervals, [name]))
            said.append(of_part(row, name, int(groups.n_cells.sum())))
        if asked.order_by and not asked.pivot and SEED not in asked.group_by:
            said.append(of_first(table, asked.order_by[0]))
        return " ".join(filter(None, said))

    def _meanings(self) -> dict[str, str]:
        """Return what the measures asked for are, which their names do not always say."""
        asked = [each for each in self._subject.measures if each.name in self._asked.measures]
        return {
            each.name: each.meaning + (f" Unit: {each.unit}." if each.unit not in {"", "1"} else "")
            for each in asked
            if each.meaning
        }

    @property
    def _rows(self) -> Groups | None:
        """The groups whose intervals the table shows."""
        return None if self._asked.pivot or SEED in self._asked.group_by else self._groups

    def _key(self, key: Row) -> Row:
        """Return a group's key with the labels of bins in place of their numbers."""
        return tuple(
            self._binned[name].labels[value] if name in self._binned else value
            for name, value in zip(self._by, key, strict=True)
        )

    def _table(self) -> AnswerTable:
        groups, shown = self._groups, self._shown
        named = self._asked.measures or self._asked.order_by
        if not named and groups.one_armed.any() and groups.one_armed.all():
            shown = tuple(each.name for each in self._subject.measures if not each.compares_arms)
        words = self._subject.verdict_words if self._subject.primary in shown else None
        primary = groups.intervals.get(self._subject.primary)
        columns: dict[str, Sequence[Any]] = {
            "n": (groups.n_cells * groups.n_seeds).tolist(),
            "n_seeds": groups.n_seeds.tolist(),
        }
        if words is not None and primary is not None:
            columns["verdict"] = np.where(
                groups.one_armed, ONE_ARM, np.array(verdicts(primary, words), object)
            ).tolist()
        columns |= measure_columns(groups.intervals, shown)
        if words is not None and primary is not None and len(groups.keys) > 1:
            within = adjusted(primary)
            columns[f"{self._subject.primary}_low_adjusted"] = known(within.low)
            columns[f"{self._subject.primary}_high_adjusted"] = known(within.high)
        keys = [self._key(key) for key in groups.keys]
        return table_of(self._by, keys, columns)

    def _by_seed(self) -> AnswerTable:
        """Return a row for each group and whole seed; one seed shows no spread."""
        groups = self._groups
        group, seed = np.nonzero(groups.whole)
        columns: dict[str, Sequence[Any]] = {
            "n": groups.n_cells[group].tolist(),
            "n_seeds": [1] * len(group),
        }
        for name in self._by_seed_shown():
            top, bottom = groups.sides[name]
            columns[name] = known(ratio(top, bottom)[group, seed])
        by = self._asked.group_by
        return table_of(by, self._keys_of(by, group, seed), columns)

    def _by_seed_shown(self) -> list[str]:
        """Return the measures of single seeds: those asked for, else the primary one's.

        These are it and what it is the difference of; rows are many, and have no intervals.
        """
        if self._asked.measures:
            return list(self._asked.measures)
        primary = self._subject.measure(self._subject.primary)
        if primary is None:
            return list(self._shown)
        metrics = {metric_of(each) for each in primary.columns}
        ordered = {each.removeprefix("-") for each in self._asked.order_by}
        return [
            each.name
            for each in self._subject.measures
            if each.name in ordered
            or (each.denominator is None and {*map(metric_of, each.columns)} <= metrics)
        ]

    def _keys_of(
        self, by: Sequence[str], group: NDArray[np.intp], seed: NDArray[np.intp]
    ) -> list[Row]:
        """Return the values of these columns, the seed among them, of groups under seeds."""
        places = {name: place for place, name in enumerate(self._by)}
        keys = []
        for at, number in zip(group.tolist(), self._subject.seeds[seed].tolist(), strict=True):
            key = self._key(self._groups.keys[at])
            keys.append(tuple(number if each == SEED else key[places[each]] for each in by))
        return keys

    def _pivoted(self) -> AnswerTable:
        """Return one measure: a row for each group, a column for each value of a parameter."""
        asked, groups = self._asked, self._groups
        name = (asked.measures or (self._subject.primary,))[0]
        by = asked.group_by
        if SEED in by:
            group, seed = np.nonzero(groups.whole)
            keys = self._keys_of([*by, asked.pivot], group, seed)
            values = ratio(*groups.sides[name])[group, seed]
        else:
            keys = [self._key(key) for key in groups.keys]
            values = groups.intervals[name].estimate if keys else np.empty(0)
        found = pivot([key[:-1] for key in keys], [key[-1] for key in keys], values)
        columns = {
            f"{asked.pivot}={key_text(value)}": known(column)
            for value, column in zip(found.columns, found.cells.T, strict=True)
        }
        rows: list[Row] = [key for key in found.rows if isinstance(key, tuple)]
        return table_of(by, rows, columns, title=f"{name} by {asked.pivot}")

    def _ordered(self, table: AnswerTable) -> AnswerTable:
        if not self._asked.order_by:
            return table
        columns = {
            name: np.array([self._sortable(name, row[place]) for row in table.rows], object)
            for place, name in enumerate(table.columns)
        }
        places = order(self._asked.order_by, columns).tolist()
        rows = tuple(table.rows[place] for place in places)
        return replace(table, rows=rows)

    def _sortable(self, name: str, value: Any) -> Any:
        """Return what a value is ordered by: a bin by its place, not by its label."""
        return self._binned[name].labels.index(value) if name in self._binned else value

    def _plan(self) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
        """Return how many seeds would give a precision, overall and in the widest row.

        Where none can be said, the second one says why, if a precision was asked about.
        """
        overall = self._overall.intervals.get(self._planned)
        drawn = self._subject.cells.sampled[self._chosen & self._subject.averaged].any()
        if drawn:
            why = "seeds alone do not narrow the interval of ranges; more samples do"
        elif overall is None or not len(overall.lack):
            why = reason(Lack.NOTHING, 0)
        elif not (why := overall.reason(0)):
            return self._planned_seeds(overall), ()
        if self._asked.precision is None:
            return None, ()
        return None, (f"No number of seeds can be given for ± {self._asked.precision:g}: {why}.",)

    def _planned_seeds(self, overall: Intervals) -> dict[str, Any]:
        measure = self._planned
        rows = self._groups.intervals.get(measure)
        half = float(overall.high[0] - overall.low[0]) / 2
        asked = self._asked.precision
        wanted = asked or half / 2
        needed = int(_in_all(overall, self._overall, wanted)[0])
        said = (
            f"The interval of {measure} is ± {half:.3g} now; "
            f"± {f'{asked:g}' if asked else f'{wanted:.2g}'} takes "
            f"{_seeds(needed, 'about ')} seeds in all"
        )
        plan: dict[str, Any] = {
            "measure": measure,
            "half_width_now": half,
            "half_width": wanted,
            "n_seeds": needed,
        }
        if rows is not None and len(rows.lack) > 1 and (rows.lack == Lack.NONE).any():
            by_row = _in_all(rows, self._groups, wanted)
            widest = int(by_row.argmax())
            key = dict(zip(self._by, self._key(self._groups.keys[widest]), strict=True))
            plan |= {"widest": key, "n_seeds_widest": int(by_row[widest])}
            where_ = ", ".join(f"{name} {key_text(value)}" for name, value in key.items())
            said += f", and {_seeds(int(by_row[widest]))} in the widest row ({where_})"
        return plan | {"sentence": f"{said}."}


def _in_all(found: Intervals, groups: Groups, half_width: float) -> NDArray[np.int64]:
    """Return how many seeds a half width takes, those without a value of the measure included."""
    needed = planning.seeds_needed(found, half_width)
    share = groups.n_seeds / np.maximum(found.n_seeds, 1)
    return np.ceil(np.minimum(needed * share, planning.MOST_SEEDS)).astype(np.int64)


def chosen_cells(subject: Subject, condition: str | Mapping[str, Any] | None) -> Bools:
    """Return which cells meet a condition: all of them where there is none.

    Raises
    ------
    InvalidInput
        No cell does, or it is not a condition on the parameters.
    """
    cells = subject.cells
    n_cells = len(cells.designs)
    if condition is None:
        return np.ones(n_cells, bool)
    columns = {name: cells.columns[name] for name in subject.parameters}
    columns = columns or {"cell": np.arange(n_cells)}
    chosen: Bools = where(condition, columns)
    if n_cells and not chosen.any():
        asked = str(condition)
        values = [_values(each, column) for each, column in columns.items() if each in asked]
        allowed = f"a condition that some cell meets; there is {'; '.join(values)}"
        raise invalid("where", condition, allowed)
    return chosen


def _check_columns(name: str, values: NDArray[Any]) -> None:
    """Refuse a pivot that nobody could read."""
    n_values = len(np.unique(values))
    if n_values > MAX_COLUMNS:
        allowed = f"parameters of at most {MAX_COLUMNS} values; bins puts sampled ones together"
        raise InvalidInput([Problem("pivot", f"{name}, of {n_values:,} values", allowed)])


def _seeds(number: int, before: str = "") -> str:
    """Count seeds; of more than anybody runs it is only known that they are many."""
    many = number >= planning.MOST_SEEDS
    return f"{'more than ' if many else before}{number:,}"


def _values(name: str, column: NDArray[Any]) -> str:
    """Say which values a parameter has in the cells."""
    distinct = [key_text(value) for value in np.unique(column).tolist()]
    if len(distinct) > SHOWN_VALUES:
        return f"{name} from {distinct[0]} to {distinct[-1]}"
    return f"{name} {', '.join(distinct)}"


def _counts(table: AnswerTable) -> dict[str, int]:
    """Return how many rows have each verdict, the most frequent first."""
    if "verdict" not in table.columns or len(table.rows) < 2:  # noqa: PLR2004 - one is its own sum
        return {}
    place = table.columns.index("verdict")
    return dict(Counter(row[place] for row in table.rows).most_common())
