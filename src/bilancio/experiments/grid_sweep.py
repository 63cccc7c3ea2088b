"""Which cells a sweep has, and the seeds that each of them runs under.

Four designs lay out cells, alone or together: the grid of all combinations of the values
listed, a Latin hypercube over ranges, Saltelli's design for Sobol indices over ranges, and points
given one by one. What is asked and what it means is settled here; `design` says which run is which.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from annotated_types import Interval
from pydantic import AfterValidator, Field, PlainSerializer, PrivateAttr, model_validator

from bilancio.analysis.lots import FIRST_LOT
from bilancio.errors import MAX_PROBLEMS, InvalidInput, Problem, invalid, shown
from bilancio.experiments.axes import Value, named_values
from bilancio.experiments.derived import ParameterSweep, range_of
from bilancio.experiments.fields import (
    DOUBLE,
    LIST,
    NOT_EMPTY,
    NUMBER,
    ONCE,
    PLAIN,
    Range,
    json_text,
    nearly_equal,
    plain,
    range_words,
)
from bilancio.experiments.layout import Layout
from bilancio.experiments.sweep_config import canonical, check_grows, not_grown
from bilancio.model.parameters import RARE, SEED
from bilancio.text import either
from bilancio.validation import nearest, validated

MAX_RUNS = 10**7
MOST_SEEDS = 1000  # of a sweep with a precision, unless it says otherwise
DEFAULT_SEED = 42
MAX_CHECKED = 2_000  # combinations of values, beyond which the ends of numbers stand for the rest


class RunOrder(StrEnum):
    """How the runs of a sweep are numbered over seeds and cells."""

    SEEDS = "seeds"  # all cells under the first seed, then all under the second, …
    CELLS = "cells"  # all seeds of the first cell, then all of the second, …: version 0.1


def _power_of_two(n: int) -> int:
    if n & (n - 1):
        below = 1 << (n.bit_length() - 1)
        raise InvalidInput([Problem("", str(n), f"a power of two, such as {below} or {below * 2}")])
    return n


def _refuse_count_of_seeds(seeds: object) -> None:
    """Refuse one number for the list of seeds: it may be the seed, or how many there are."""
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        number = shown(seeds)
        raise invalid(
            "seeds", seeds, f"a list of seeds, such as [{number}]", f"n_replicates: {number}"
        )


Seed = Annotated[int, SEED, NUMBER]
Count = Annotated[int, Interval(ge=1, le=MAX_RUNS), NUMBER]
Precision = Annotated[Decimal, Interval(gt=0), NUMBER, DOUBLE, PLAIN]
PowerOfTwo = Annotated[int, Interval(ge=2, le=MAX_RUNS), NUMBER, AfterValidator(_power_of_two)]
ByName = Annotated[dict[str, Any], PlainSerializer(canonical)]
Ends = tuple[Any, Any]


class GridSweep(ParameterSweep):
    """Cells laid out as a grid, or by other designs too, each under every seed.

    A subclass says by `parameter_model` what one run takes. Every number, boolean and word of it
    (`parameters_that_vary`) can then be an axis, by `vary` or by `points`, in all designs; what
    does not vary is a field of the subclass, made by `fixed_from`. It may give parameters a list
    and a range of their own (`varied_from`), override `run_of` where the parameters of a cell are
    not simply those named, name in `related` the parameters whose values depend on each other, and
    count its `cost`.
    """

    designs: ClassVar[tuple[str, ...]] = ("lhs", "sobol", "points")
    settings_of: ClassVar[dict[str, str]] = {"lhs_seed": "lhs", "sobol_seed": "sobol"}

    _named: tuple[str, ...] = PrivateAttr(default=())

    seeds: Annotated[tuple[Seed, ...], NOT_EMPTY, LIST, ONCE] | None = Field(
        default=None, description="Seeds; each cell runs under each. Default 42."
    )
    n_replicates: Count | None = Field(default=None, description="Instead of seeds: how many.")
    base_seed: Seed | None = Field(
        default=None, description="With n_replicates: the first seed.", json_schema_extra=RARE
    )
    vary: ByName | None = Field(
        default=None,
        description=(
            "Any other parameters as axes: by name the values, low:high:step, or for samples "
            "low:high."
        ),
    )
    grid: bool | None = Field(
        default=None,
        description="Run every combination of the lists. Default: unless other designs use them.",
        json_schema_extra=RARE,
    )
    lhs: Count | None = Field(default=None, description="Latin hypercube: samples over the ranges.")
    lhs_seed: Seed | None = Field(
        default=None, description="With lhs: its seed. Default 42.", json_schema_extra=RARE
    )
    sobol: PowerOfTwo | None = Field(
        default=None,
        description="Sobol indices over k ranges: n, a power of two; runs n(k+2) cells.",
    )
    sobol_seed: Seed | None = Field(
        default=None, description="With sobol: its seed. Default 42.", json_schema_extra=RARE
    )
    points: Annotated[tuple[ByName, ...], NOT_EMPTY] | None = Field(
        default=None, description="Single cells: values by parameter name; the rest as listed."
    )

    precision: Precision | None = Field(
        default=None,
        description=(
            "Add seeds until the half width of the primary measure's 95 % interval is at most this."
        ),
    )
    precision_by: Annotated[tuple[str, ...], NOT_EMPTY, LIST, ONCE] | None = Field(
        default=None, description="With precision: in each group by these parameters."
    )
    max_replicates: Count | None = Field(
        default=None,
        description="With precision: most seeds. Default 1000.",
        json_schema_extra=RARE,
    )

    run_order: RunOrder = Field(
        default=RunOrder.SEEDS, description="What runs are numbered by first."
    )

    # -- reading what is asked ---------------------------------------------------------------

    @model_validator(mode="before")
    @classmethod
    def _one_way_to_name_seeds(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        _refuse_count_of_seeds(data.get("seeds"))
        shorthand = {
            name: data[name] for name in ("n_replicates", "base_seed") if data.get(name) is not None
        }
        if data.get("seeds") is None:
            if data.get("precision") is not None:
                shorthand = {"n_replicates": FIRST_LOT, **shorthand}
            if not shorthand:
                return {**data, "seeds": [DEFAULT_SEED]}
            return {**data, "n_replicates": 1, "base_seed": DEFAULT_SEED, **shorthand}
        if shorthand:
            got = " and ".join(f"{name} {value}" for name, value in shorthand.items())
            raise InvalidInput(
                [Problem("seeds", f"a list and {got}", "either seeds or n_replicates, not both")]
            )
        return data

    @model_validator(mode="before")
    @classmethod
    def _axes_by_name(cls, data: Any) -> Any:
        """Read `vary`; what has a list and a range of its own goes there."""
        if not isinstance(data, Mapping) or data.get("vary") is None:
            return data
        known = cls.parameters_that_vary()
        given, vary, problems = dict(data), {}, []
        asked = json_text(data["vary"])
        for name in ("seed", "seeds"):
            if isinstance(asked, Mapping) and name in asked:
                allowed = "nothing, for seeds are given by seeds or n_replicates"
                raise InvalidInput([Problem(f"vary.{name}", shown(asked[name]), allowed)])
        for name, value in named_values(known, asked, "vary").items():
            own = (cls.listed[name], range_of(name)) if name in cls.listed else (name,)
            beside = [field for field in own if data.get(field) is not None]
            if beside:
                got = f"{shown(value)}, beside {beside[0]} {shown(data[beside[0]])}"
                allowed = f"either {beside[0]} or vary.{name}, not both"
                problems.append(Problem(f"vary.{name}", got, allowed))
                continue
            try:
                read = known[name].values(value, within=f"vary.{name}")
            except InvalidInput as error:
                problems += error.problems
                continue
            if name not in cls.listed:
                vary[name] = read
            elif isinstance(read, Range):
                given[range_of(name)] = [read.low, read.high]
            else:
                given[cls.listed[name]] = read
        if problems:
            raise InvalidInput(problems)
        return {**given, "vary": vary or None}

    @model_validator(mode="before")
    @classmethod
    def _lists_are_axes(cls, data: Any) -> Any:
        """Read several values of a field that holds one as an axis, before `vary` is read."""
        vary = json_text(data.get("vary")) if isinstance(data, Mapping) else ""
        if not isinstance(vary, Mapping | None):
            return data
        varying = cls.parameters_that_vary()
        several = {
            name: data[name]
            for name in cls.fixed_fields()
            if name in varying
            and name not in (vary or ())
            and varying[name].is_several(data.get(name))
        }
        if not several:
            return data
        left = {name: value for name, value in data.items() if name not in several}
        return {**left, "vary": {**(vary or {}), **several}}

    @model_validator(mode="before")
    @classmethod
    def _points_by_name(cls, data: Any) -> Any:
        """Read each point on its own, so that what is wrong with it is said with its place."""
        if not isinstance(data, Mapping) or data.get("points") is None:
            return data
        points = json_text(data["points"])
        if isinstance(points, Mapping):
            points = [points]
        if isinstance(points, str) or not isinstance(points, Sequence):
            return data
        known = cls.parameters_that_vary()
        read: list[dict[str, Value]] = []
        problems: list[Problem] = []
        for number, point in enumerate(points):
            if len(problems) >= MAX_PROBLEMS:
                break
            field = f"points[{number}]"
            cell: dict[str, Value] = {}
            try:
                for name, value in named_values(known, point, field).items():
                    cell[name] = known[name].value(value, within=f"{field}.{name}")
                read.append(cell)
            except InvalidInput as error:
                problems += error.problems
        if problems:
            raise InvalidInput(problems)
        return {**data, "points": read}

    @model_validator(mode="after")
    def _designs_are_clear(self) -> Self:
        """Refuse what no design uses or a design lacks; write out the defaults that depend."""
        self._named = self._names_of_axes()
        written = self.__dict__  # the model is frozen, but not handed out yet
        for name in self._without_value():
            written[name] = None
        for name, default in self._dependent_defaults().items():
            if getattr(self, name) is None:
                written[name] = default
        problems = [*self._unused(), *self._lacking()]
        if problems:
            raise InvalidInput(problems)
        if self.points is not None:
            written["points"] = self._whole_points(self.points)
        if self.grid is None:
            written["grid"] = self._needs_grid()
        if self.precision is not None:
            written["max_replicates"] = self.max_replicates or self._most_replicates
        problems = [*self._imprecise()]
        if problems:
            raise InvalidInput(problems)
        if self.total_runs > MAX_RUNS:
            got, allowed = f"{self.total_runs:,} runs", f"at most {MAX_RUNS:,} runs in one job"
            raise InvalidInput([Problem(" and ".join(self.blocks), got, allowed)])
        self._check_related()
        return self

    def _names_of_axes(self) -> tuple[str, ...]:
        """Return the parameters that may differ between cells: those listed, then as declared."""
        named = {*(self.vary or {})}.union(*(self.points or ()))
        others = [name for name in self.parameters_that_vary() if name not in self.listed]
        return (*self.listed, *(name for name in others if name in named))

    def _without_value(self) -> Iterator[str]:
        """Yield the fields of parameters that have no one value: they vary."""
        yield from self.vary or ()

    def _dependent_defaults(self) -> dict[str, Any]:
        """Return what the fields of the designs that are asked for take if they are not given."""
        seeds = {"lhs_seed": self.lhs, "sobol_seed": self.sobol}
        return {name: DEFAULT_SEED for name, design in seeds.items() if design is not None}

    def _unused(self) -> Iterator[Problem]:
        """Yield a problem for each field whose design was not asked for."""
        for name, design in self.settings_of.items():
            value = getattr(self, name)
            if value is not None and not getattr(self, design):
                yield Problem(name, str(value), f"nothing, unless {design} is asked for")
        for axis, ends in self.ranges.items():
            designs = self._designs_of_range(axis)
            if not any(getattr(self, design) for design in designs):
                instead = "nothing" if axis in self.listed else "a list"
                allowed = f"{instead}, unless {either(designs)} is asked for"
                yield Problem(self._field_of_range(axis), range_words(ends), allowed)
        if self.grid is False and not self._other_designs:
            allowed = f"true, unless {either(self.designs)} is asked for"
            yield Problem("grid", "false", allowed)

    def _lacking(self) -> Iterator[Problem]:
        """Yield a problem for each parameter whose value a design does not know."""
        single = {axis: self._only(axis) for axis in self.axes}
        for design in ("lhs", "sobol"):
            if getattr(self, design) is not None:
                yield from self._not_sampled(design, single)
        for number, point in enumerate(self.points or ()):
            for axis, value in single.items():
                if axis not in point and value is None:
                    n = len(self.axes[axis])
                    allowed = f"a value, for {self._field(axis)} has {n}" if n else "a value"
                    yield Problem(f"points[{number}].{axis}", "nothing", allowed)
        without = [axis for axis, values in self.axes.items() if not values]
        if self.grid or (self.grid is None and self._needs_grid()):
            for axis in without:
                yield Problem(axis, "nothing", "a value, which the grid needs")
        for name, parameter in self.parameters_that_vary().items():
            if parameter.required and name not in self.axes and getattr(self, name, None) is None:
                allowed = f"{parameter.allowed}, or a list of them in vary"
                yield Problem(name, "nothing", allowed)

    def _not_sampled(self, design: str, single: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield a problem for each parameter that samples need one value or a range of."""
        if not self.ranges:
            own = f"{', '.join(map(range_of, self.listed))}, or " if self.listed else ""
            got = f"{getattr(self, design)} samples of nothing"
            yield Problem(design, got, f"one range or more: {own}low:high in vary")
        for axis, value in single.items():
            if axis not in self.ranges and value is None:
                n = len(self.axes[axis])
                got = f"{n} values, of which {design} takes one" if n else "nothing"
                instead = range_of(axis) if axis in self.listed else "range, low:high"
                yield Problem(self._field(axis), got, f"one value, or a {instead}")

    def _imprecise(self) -> Iterable[Problem]:
        """Yield a problem for what is asked of a precision and cannot be."""
        if self.precision is None:
            for name, value in _set(precision_by=self.precision_by, most=self.max_replicates):
                yield Problem(name, value, "nothing, unless precision is asked for")
            return
        for name, why in _IMPRECISE.items():
            if getattr(self, name, None):
                yield Problem("precision", f"{plain(self.precision)} with {name}", why)
        if self.n_replicates is not None and self.n_replicates < FIRST_LOT:
            allowed = f"{FIRST_LOT} or more with precision: the first lot of seeds"
            yield Problem("n_replicates", f"{self.n_replicates}", allowed)
        elif self.n_seeds < self.first_seeds:
            allowed = f"{self.first_seeds:,} or more, the first lot of seeds"
            yield Problem("max_replicates", f"{self.n_seeds:,}", allowed)
        varied = [name for name in self.varied if name != "seed"]
        for name in self.precision_by or ():
            if name not in varied:
                allowed = f"parameters that vary here: {', '.join(varied) or 'none does'}"
                yield Problem("precision_by", shown(name), allowed, nearest(name, varied))

    @property
    def _most_replicates(self) -> int:
        """How many seeds a sweep with a precision has at most, unless it says so."""
        room = MAX_RUNS // max(sum(self.blocks.values()) * len(self.arms), 1)
        return max(self.first_seeds, min(MOST_SEEDS, room))

    def _whole_points(self, points: tuple[dict[str, Value], ...]) -> tuple[dict[str, Value], ...]:
        """Return the points with every value written out, each once."""
        known = {axis: self._only(axis) for axis in self.axes}
        first: dict[tuple[Any, ...], int] = {}
        problems = []
        for number, point in enumerate(points):
            whole = tuple(point.get(axis, value) for axis, value in known.items())
            if first.setdefault(whole, number) != number:
                got = f"the same values as points[{first[whole]}]"
                problems.append(Problem(f"points[{number}]", got, "each point once"))
        if problems:
            raise InvalidInput(problems)
        return tuple(dict(zip(known, whole, strict=True)) for whole in first)

    def _check_related(self) -> None:
        """Check what concerns several parameters, in every cell, by the rules of the model itself.

        Where there are too many combinations, the least and the largest number stand for those
        between.
        """
        if not self.related:
            return
        names = [axis for axis in self.axes if axis in self.related]
        cells = dict.fromkeys(
            combination
            for values in self._values_by_design(names)
            for combination in itertools.product(*_bounded(values))
        )
        for combination in cells:
            cell = dict(zip(names, combination, strict=True))
            try:
                validated(self.parameter_model(), self.run_of(cell))
            except InvalidInput as error:
                where = " and ".join(f"{name} is {canonical(cell[name])}" for name in cell)
                raise InvalidInput(
                    problem._replace(allowed=f"{problem.allowed}, where {where}")
                    if where
                    else problem
                    for problem in error.problems
                ) from None

    def _values_by_design(self, names: Sequence[str]) -> Iterator[Sequence[Sequence[Any]]]:
        """Yield for each design the values that it combines of these parameters."""
        sampled = [self.ranges.get(name, self.axes[name]) for name in names]
        if self.lhs or self.sobol:
            yield sampled
        if set(self.blocks) - {"lhs", "sobol", "points"}:
            yield [self.axes[name] for name in names]
        for point in self.points or ():
            yield [(point[name],) for name in names]

    @property
    def _other_designs(self) -> bool:
        return any(getattr(self, design) for design in self.designs)

    def _needs_grid(self) -> bool:
        return not self._other_designs or any(
            self._only(axis) is None and self.axes[axis] for axis in self._left_to_the_grid()
        )

    def _left_to_the_grid(self) -> Iterable[str]:
        """Return the parameters whose lists no other design goes through."""
        return self.axes

    def _only(self, axis: str) -> Value | None:
        """Return the value that an axis lists if it is but one."""
        values = self.axes[axis]
        return values[0] if len(values) == 1 else None

    def _field(self, axis: str) -> str:
        """Return where the values of a parameter are listed."""
        if axis in self.listed:
            return self.listed[axis]
        return f"vary.{axis}" if axis in (self.vary or {}) else axis

    def _field_of_range(self, axis: str) -> str:
        return range_of(axis) if axis in self.listed else f"vary.{axis}"

    def _designs_of_range(self, axis: str) -> tuple[str, ...]:  # noqa: ARG002 - a search has one
        """Return the designs that use the range of a parameter."""
        return "lhs", "sobol"

    def implied(self) -> dict[str, Any]:
        """Return the values that fields not asked for take from other fields."""
        shorthand = {"n_replicates": 1, "base_seed": DEFAULT_SEED}
        if self.precision is not None:
            shorthand |= {"n_replicates": FIRST_LOT, "max_replicates": self._most_replicates}
        return {
            **super().implied(),
            **({"seeds": (DEFAULT_SEED,)} if self.n_replicates is None else shorthand),
            **dict.fromkeys(self.vary or {}),
            "lhs_seed": DEFAULT_SEED,
            "sobol_seed": DEFAULT_SEED,
            "grid": self._needs_grid(),
        }

    def asked(self) -> dict[str, Any]:
        """Return the parameters that are not at their defaults, as JSON holds them.

        A point names what it has beside the single values of the lists.
        """
        asked = super().asked()
        if "points" in asked:
            known = {axis: canonical(self._only(axis)) for axis in self.axes}
            asked["points"] = [
                {name: value for name, value in point.items() if value != known[name]}
                for point in asked["points"]
            ]
        return asked

    def grown(self, n_replicates: int) -> Self:
        """Return this sweep with so many seeds; the runs that it has keep their numbers.

        A list of consecutive seeds continues: 1, 2, 3 as base_seed 1 and *n_replicates*.
        """
        if self.precision is not None:
            raise not_grown(n_replicates, "the number of its seeds follows from its precision")
        if self.run_order is RunOrder.CELLS:
            raise not_grown(
                n_replicates, "its runs are numbered cell by cell, as in version 0.1, not by seeds"
            )
        first = self.seeds[0] if self.seeds is not None else self.base_seed or 0
        if self.seeds not in {None, tuple(range(first, first + self.n_seeds))}:
            raise not_grown(n_replicates, "its seeds are a list that is not consecutive")
        check_grows(self.n_seeds, n_replicates)
        seeds = {"seeds": None, "n_replicates": n_replicates, "base_seed": first}
        return type(self)(**{**self.as_dict(), **seeds})

    # -- what it comes to --------------------------------------------------------------------

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """The values listed of each parameter that may differ between cells, slowest first.

        First those with a list of their own, then those that `vary` or `points` name, in the
        order in which one run declares them. Where a parameter has a range only, or is named by
        points alone, it is the one value that cells have otherwise; nothing where there is none.
        Values are decimals, whole numbers, booleans and text.
        """
        return {axis: self._values_of(axis) for axis in self._named}

    def _values_of(self, axis: str) -> tuple[Any, ...]:
        if axis in self.listed:
            values: tuple[Any, ...] = getattr(self, self.listed[axis])
            return values
        varied = (self.vary or {}).get(axis)
        if isinstance(varied, tuple):
            return varied
        fixed = getattr(self, axis, None)
        value = self.parameters_that_vary()[axis].default if fixed is None else fixed
        return () if value is None else (value.value if isinstance(value, StrEnum) else value,)

    def values_of(self, parameter: str) -> list[Any]:
        """Return the values that a parameter has in the cells; of a range its ends."""
        if parameter not in self.axes:
            return super().values_of(parameter)
        of_points = {point[parameter] for point in self.points or ()}
        ends = self.ranges.get(parameter, ())
        return sorted({*self.axes[parameter], *of_points, *ends})

    @property
    def ranges(self) -> dict[str, Ends]:
        """Low and high of each parameter that has a range."""
        varied = self.vary or {}
        found = {}
        for axis in self._named:
            given = getattr(self, range_of(axis)) if axis in self.listed else varied.get(axis)
            if axis in self.listed and given is not None:
                found[axis] = given
            elif isinstance(given, Range):
                found[axis] = (given.low, given.high)
        return found

    @property
    def n_seeds(self) -> int:
        """Number of seeds that every cell runs under; with a precision, the most."""
        if self.precision is not None:
            return self.max_replicates or self.first_seeds
        return self.first_seeds

    @property
    def first_seeds(self) -> int:
        """Number of seeds that every cell runs under before any result is looked at."""
        return len(self.seeds) if self.seeds is not None else self.n_replicates or 1

    @property
    def blocks(self) -> dict[str, int]:
        """Number of cells of each design asked for, in the order of their runs.

        A search counts a cell for each probe that it may need.
        """
        cells = {
            "grid": math.prod(map(len, self.axes.values())) if self.grid else 0,
            "lhs": self.lhs or 0,
            "points": len(self.points or ()),
            "sobol": (self.sobol or 0) * (len(self.ranges) + 2),
            "frontier": self.n_searches * self.max_probes,
        }
        return {design: n for design, n in cells.items() if n}

    @property
    def n_searches(self) -> int:
        """Number of searches."""
        return 0

    @property
    def max_probes(self) -> int:
        """Number of values that a search tries at most."""
        return 0

    @property
    def total_runs(self) -> int:
        """Number of runs: cells × seeds × arms; with a search the most that it may need."""
        return self.fixed_runs

    @property
    def fixed_runs(self) -> int:
        """Number of runs whose parameters follow from the configuration alone."""
        return self.layout.n_runs

    @property
    def first_runs(self) -> int:
        """Number of runs that are computed before any result decides on other ones."""
        layout = self.layout
        return layout.n_runs // layout.n_seeds * self.first_seeds

    @property
    def layout(self) -> Layout:
        """How the runs that are known from the start lie over seeds, cells and arms."""
        cells = sum(n for design, n in self.blocks.items() if design != "frontier")
        by_cell = self.run_order is RunOrder.CELLS
        return Layout(self.n_seeds, cells, len(self.arms), by_cell=by_cell)

    def mean_of(self, name: str) -> float:
        """Return the mean of a number over the cells, those of samples by their range."""
        if name not in self.axes:
            return float(getattr(self, name))
        listed, sampled = self.axes[name], self.ranges.get(name, self.axes[name])
        of = {"lhs": sampled, "sobol": sampled}
        of["points"] = tuple(point[name] for point in self.points or ())
        total = math.fsum(
            n * math.fsum(map(float, of.get(design, listed))) / len(of.get(design, listed))
            for design, n in self.blocks.items()
        )
        return total / sum(self.blocks.values())

    @property
    def varied(self) -> tuple[str, ...]:
        """The parameters that differ between runs, by the names that results group by."""
        found = ["design"] if self._designs_differ else []
        points = self.points or ()
        for axis, values in self.axes.items():
            seen = set(values) if axis in self._gone_through() else set()
            seen |= {point[axis] for point in points} | set(self.ranges.get(axis, ()))
            found += [axis] if len(seen) > 1 else []
        return (*found, "seed") if self.n_seeds > 1 else tuple(found)

    @property
    def _designs_differ(self) -> bool:
        return len(self.blocks) > 1

    def _gone_through(self) -> Iterable[str]:
        """Return the parameters whose lists some design goes through."""
        return self.axes if self.grid else ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What may not be meant as it was asked: values that are all but equal."""
        found = []
        for axis, values in self.axes.items():
            points = {point[axis] for point in self.points or ()}
            numbers = {each for each in {*values, *points} if isinstance(each, Decimal)}
            found += [
                f"{self._field(axis)}: {plain(low)} and {plain(high)} differ by less than 1e-9, "
                "and are cells of their own."
                for low, high in nearly_equal(numbers)[:MAX_PROBLEMS]
            ]
        return (*found, *super().remarks)

    def all_seeds(self) -> Iterable[int]:
        """Return the seeds in order, the shorthand written out."""
        if self.seeds is not None:
            return self.seeds
        first = self.base_seed or 0
        return range(first, first + self.n_seeds)


_IMPRECISE = {
    "seeds": "n_replicates, the first lot of seeds, or nothing",
    "lhs": "nothing: seeds alone do not narrow the interval of ranges; ask for more samples",
    "sobol": "nothing: seeds alone do not narrow the interval of ranges; ask for more samples",
    "frontier": "nothing: a frontier search has a tolerance instead",
}


def _set(*, precision_by: tuple[str, ...] | None, most: int | None) -> list[tuple[str, str]]:
    """Return the fields that stand beside a precision and are given, with their values."""
    given = {
        "precision_by": None if precision_by is None else ", ".join(precision_by),
        "max_replicates": None if most is None else f"{most:,}",
    }
    return [(name, value) for name, value in given.items() if value is not None]


def _bounded(values: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return what is to be combined, of too many combinations the ends of numbers."""
    if math.prod(map(len, values)) <= MAX_CHECKED:
        return list(values)
    return [
        (min(each), max(each)) if each and isinstance(each[0], int | Decimal) else each
        for each in values
    ]
