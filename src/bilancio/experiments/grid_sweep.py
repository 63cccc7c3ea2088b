"""Which cells a sweep has, and the seeds that each of them runs under.

Four designs lay out cells, alone or together: the grid of all combinations of the values
listed, a Latin hypercube over ranges, points given one by one, and a frontier search. What is
asked and what it means is settled here; `design` says which run is which.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self

from annotated_types import Interval
from pydantic import Field, PrivateAttr, model_validator

from bilancio.errors import MAX_PROBLEMS, InvalidInput, Problem, shown
from bilancio.experiments.derived import Point, Varying, point_of, range_of, varied_from
from bilancio.experiments.fields import (
    DOUBLE,
    LIST,
    NOT_EMPTY,
    NUMBER,
    ONCE,
    PLAIN,
    json_text,
    nearly_equal,
    plain,
    range_words,
)
from bilancio.experiments.layout import Layout
from bilancio.experiments.sweep_config import canonical, check_grows, not_grown
from bilancio.model.parameters import SEED, RingParameters
from bilancio.validation import validated

MAX_RUNS = 10**7
DEFAULT_SEED = 42
DEFAULT_DELTA = Decimal("0.05")
DEFAULT_TOLERANCE = Decimal("0.01")
ENDS = 2  # a search begins with the two ends of its bracket
KAPPA_DIGITS = 6  # a search rounds κ to so many digits,
_ROUNDING = Decimal("0.00001")  # which widens what it leaves of the bracket by less than this


class RunOrder(StrEnum):
    """How the runs of a sweep are numbered over seeds and cells."""

    SEEDS = "seeds"  # all cells under the first seed, then all under the second, …
    CELLS = "cells"  # all seeds of the first cell, then all of the second, …: version 0.1


Seed = Annotated[int, SEED, NUMBER]
Count = Annotated[int, Interval(ge=1, le=MAX_RUNS), NUMBER]
Delta = Annotated[Decimal, Interval(ge=0, lt=1), NUMBER, DOUBLE, PLAIN]
Tolerance = Annotated[Decimal, Interval(ge=Decimal("0.0001"), le=1), NUMBER, DOUBLE, PLAIN]


@point_of(RingParameters)
class RingPoint(Point):
    """One cell of a ring by the values of its parameters."""


@varied_from(RingParameters, RingPoint)
class _RingCells(Varying):
    """The parameters of a ring that vary over cells."""

    if TYPE_CHECKING:  # of the fields that derive from RingParameters, those named here
        kappa_range: tuple[Decimal, Decimal] | None
        points: tuple[Point, ...] | None


class GridSweep(_RingCells):
    """Cells laid out as a grid, or by other designs too, each under every seed."""

    _probed: dict[int, Decimal] = PrivateAttr(default_factory=dict)

    seeds: Annotated[tuple[Seed, ...], NOT_EMPTY, LIST, ONCE] | None = Field(
        default=None, description="Seeds; each cell runs under each. Default 42."
    )
    n_replicates: Count | None = Field(default=None, description="Instead of seeds: how many.")
    base_seed: Seed | None = Field(default=None, description="With n_replicates: the first seed.")
    grid: bool | None = Field(
        default=None,
        description=(
            "Run every combination of the lists. Default: yes; beside lhs, points or frontier "
            "only if they leave a list of several values unused."
        ),
    )
    lhs: Count | None = Field(
        default=None,
        description="Latin hypercube: samples over the ranges; log scale for κ, c.",
    )
    lhs_seed: Seed | None = Field(default=None, description="With lhs: its seed. Default 42.")
    frontier: bool = Field(
        default=False,
        description=(
            "For each combination of the other lists search kappa_range for the smallest κ whose "
            "mean default rate over the seeds is at most frontier_delta."
        ),
    )
    frontier_delta: Delta | None = Field(
        default=None, description="With frontier: the default rate to reach. Default 0.05."
    )
    frontier_tolerance: Tolerance | None = Field(
        default=None, description="With frontier: relative precision of κ. Default 0.01."
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
        shorthand = {
            name: data[name] for name in ("n_replicates", "base_seed") if data.get(name) is not None
        }
        if data.get("seeds") is None:
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
    def _points_by_name(cls, data: Any) -> Any:
        """Read each point on its own, so that what is wrong with it is said with its place."""
        if not isinstance(data, Mapping) or data.get("points") is None:
            return data
        points = json_text(data["points"])
        if isinstance(points, Mapping):
            points = [points]
        if isinstance(points, str) or not isinstance(points, Sequence):
            return data
        read: list[Point] = []
        problems: list[Problem] = []
        for number, point in enumerate(points):
            if len(problems) >= MAX_PROBLEMS:
                break
            field = f"points[{number}]"
            named = point.model_dump() if isinstance(point, Point) else json_text(point)
            if not isinstance(named, Mapping):
                problems.append(Problem(field, shown(named), "values by parameter name"))
                continue
            try:
                read.append(validated(cls.point_model, named, within=field))
            except InvalidInput as error:
                problems += error.problems
        if problems:
            raise InvalidInput(problems)
        return {**data, "points": read}

    @model_validator(mode="after")
    def _designs_are_clear(self) -> Self:
        """Refuse what no design uses or a design lacks; write out the defaults that depend."""
        problems = [*self._unused(), *self._lacking()]
        if problems:
            raise InvalidInput(problems)
        written = self.__dict__  # the model is frozen, but not handed out yet
        if self.lhs is not None and self.lhs_seed is None:
            written["lhs_seed"] = DEFAULT_SEED
        if self.frontier:
            written["frontier_delta"] = _or(self.frontier_delta, DEFAULT_DELTA)
            written["frontier_tolerance"] = _or(self.frontier_tolerance, DEFAULT_TOLERANCE)
        if self.points is not None:
            written["points"] = self._whole_points(self.points)
        if self.grid is None:
            written["grid"] = self._needs_grid()
        if self.total_runs > MAX_RUNS:
            got, allowed = f"{self.total_runs:,} runs", f"at most {MAX_RUNS:,} runs in one job"
            raise InvalidInput([Problem(" and ".join(self.blocks), got, allowed)])
        return self

    def _unused(self) -> Iterable[Problem]:
        """Yield a problem for each field whose design was not asked for."""
        fields = ["lhs_seed", "frontier_delta", "frontier_tolerance", "frontier_arm"]
        for name in [*fields, *map(range_of, self.listed)]:
            value = getattr(self, name, None)
            needed = "lhs" if name.endswith("_range") else name.partition("_")[0]
            asked = bool(getattr(self, needed)) or (name == "kappa_range" and self.frontier)
            if value is not None and not asked:
                got = range_words(value) if isinstance(value, tuple) else str(value)
                needed = "lhs or frontier" if name == "kappa_range" else needed
                yield Problem(name, got, f"nothing, unless {needed} is asked for")
        if self.grid is False and not (self.lhs or self.points or self.frontier):
            yield Problem("grid", "false", "true, unless lhs, points or frontier is asked for")

    def _lacking(self) -> Iterable[Problem]:
        """Yield a problem for each parameter whose value a design does not know."""
        if self.frontier and self.kappa_range is None:
            allowed = "a kappa_range too, low:high, the bracket that is searched"
            yield Problem("frontier", "true without kappa_range", allowed)
        if self.lhs is not None:
            if not self.ranges:
                names = ", ".join(map(range_of, self.listed))
                yield Problem(
                    "lhs", f"{self.lhs} samples of nothing", f"one range or more: {names}"
                )
            for axis, plural in self.listed.items():
                if axis not in self.ranges and self._only(axis) is None:
                    got = f"{len(self.axes[axis])} values, of which lhs takes one"
                    yield Problem(plural, got, f"one value, or a {range_of(axis)}")
        for number, point in enumerate(self.points or ()):
            for axis, plural in self.listed.items():
                if getattr(point, axis) is None and self._only(axis) is None:
                    allowed = f"a value, for {plural} has {len(self.axes[axis])}"
                    yield Problem(f"points[{number}].{axis}", "nothing", allowed)

    def _whole_points(self, points: tuple[Point, ...]) -> tuple[Point, ...]:
        """Return the points with every value written out, each once."""
        known = {axis: self._only(axis) for axis in self.listed}
        first: dict[Point, int] = {}
        problems = []
        for number, point in enumerate(points):
            missing = {name: one for name, one in known.items() if getattr(point, name) is None}
            whole = point.model_copy(update=missing)
            if first.setdefault(whole, number) != number:
                got = f"the same values as points[{first[whole]}]"
                problems.append(Problem(f"points[{number}]", got, "each point once"))
        if problems:
            raise InvalidInput(problems)
        return tuple(first)

    def _needs_grid(self) -> bool:
        others = self.lhs or self.points or self.frontier
        searched_over = [axis for axis in self.listed if axis != "kappa"] if self.frontier else []
        return not others or any(
            self._only(axis) is None for axis in self.listed if axis not in searched_over
        )

    def _only(self, axis: str) -> Decimal | None:
        """Return the value that an axis lists if it is but one."""
        values = self.axes[axis]
        return values[0] if len(values) == 1 else None

    def implied(self) -> dict[str, Any]:
        """Return the values that fields not asked for take from other fields."""
        shorthand = {"n_replicates": 1, "base_seed": DEFAULT_SEED}
        return {
            **super().implied(),
            **({"seeds": (DEFAULT_SEED,)} if self.n_replicates is None else shorthand),
            "lhs_seed": DEFAULT_SEED,
            "frontier_delta": DEFAULT_DELTA,
            "frontier_tolerance": DEFAULT_TOLERANCE,
            "grid": self._needs_grid(),
        }

    def asked(self) -> dict[str, Any]:
        """Return the parameters that are not at their defaults, as JSON holds them.

        A point names what it has beside the single values of the lists.
        """
        asked = super().asked()
        if "points" in asked:
            known = {axis: canonical(self._only(axis)) for axis in self.listed}
            asked["points"] = [
                {name: value for name, value in point.items() if value != known[name]}
                for point in asked["points"]
            ]
        return asked

    def grown(self, n_replicates: int) -> Self:
        """Return this sweep with so many seeds; the runs that it has keep their numbers.

        A list of consecutive seeds continues: 1, 2, 3 as base_seed 1 and *n_replicates*.
        """
        if self.frontier:
            raise not_grown(n_replicates, "the seeds of a frontier search decide what it tries")
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
    def axes(self) -> dict[str, tuple[Decimal, ...]]:
        """The values listed of each parameter that varies over cells, slowest first."""
        return {axis: getattr(self, plural) for axis, plural in self.listed.items()}

    def values_of(self, parameter: str) -> list[Any]:
        """Return the values that a parameter has in the cells; of a range its ends."""
        if parameter not in self.listed:
            return super().values_of(parameter)
        of_points = {getattr(point, parameter) for point in self.points or ()}
        ends = self.ranges.get(parameter, ())
        return sorted({*self.axes[parameter], *of_points, *ends})

    @property
    def ranges(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Low and high of each parameter that has a range."""
        found = {axis: getattr(self, range_of(axis)) for axis in self.listed}
        return {axis: ends for axis, ends in found.items() if ends is not None}

    @property
    def n_seeds(self) -> int:
        """Number of seeds that every cell runs under."""
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
            "frontier": self.n_searches * self.max_probes,
        }
        return {design: n for design, n in cells.items() if n}

    @property
    def searched_arms(self) -> tuple[str, ...]:
        """The arms whose default rate a frontier is searched for, each on its own."""
        return self.arms

    @property
    def n_searches(self) -> int:
        """Number of searches: combinations of all lists but κ's, times the arms searched."""
        if not self.frontier:
            return 0
        others = [len(values) for axis, values in self.axes.items() if axis != "kappa"]
        return math.prod(others) * len(self.searched_arms)

    @property
    def max_probes(self) -> int:
        """Number of κ's that a search tries at most: both ends, then one a bisection."""
        if self.kappa_range is None or self.frontier_tolerance is None:
            return 0
        low, high = self.kappa_range
        left = (high / low).ln()
        wanted = (1 + self.frontier_tolerance).ln() - _ROUNDING
        probes = ENDS
        while left > wanted:
            left /= 2
            probes += 1
        return probes

    @property
    def probes_all_arms(self) -> bool:
        """Whether each probe of a search is run in every arm, not just in the one searched."""
        return self.run_order is RunOrder.CELLS

    @property
    def arms_of_a_probe(self) -> int:
        """Number of runs of each probe of a search under each seed."""
        return len(self.arms) if self.probes_all_arms else 1

    @property
    def total_runs(self) -> int:
        """Number of runs: cells × seeds × arms; with a frontier the most that it may need."""
        probes = self.blocks.get("frontier", 0)
        return self.fixed_runs + probes * self.n_seeds * self.arms_of_a_probe

    @property
    def paired_runs(self) -> int:
        """Number of runs at the beginning that stand next to those of all other arms."""
        return self.total_runs if self.probes_all_arms else self.fixed_runs

    def arm_of(self, index: int) -> str:
        """Return the arm of a run."""
        probe_run = index - self.fixed_runs
        if probe_run < 0 or self.probes_all_arms:
            return super().arm_of(index)
        return self.searched_arms[probe_run // self.n_seeds % len(self.searched_arms)]

    @property
    def fixed_runs(self) -> int:
        """Number of runs whose parameters follow from the configuration alone."""
        return self.layout.n_runs

    @property
    def layout(self) -> Layout:
        """How the runs that are known from the start lie over seeds, cells and arms."""
        cells = sum(n for design, n in self.blocks.items() if design != "frontier")
        by_cell = self.run_order is RunOrder.CELLS
        return Layout(self.n_seeds, cells, len(self.arms), by_cell=by_cell)

    @property
    def varied(self) -> tuple[str, ...]:
        """The parameters that differ between runs, by the names that results group by."""
        blocks = self.blocks
        found = ["design"] if len(blocks) > 1 or len(self.searched_arms) * self.frontier > 1 else []
        for axis, values in self.axes.items():
            seen = set(values) if self.grid or (self.frontier and axis != "kappa") else set()
            seen |= {getattr(point, axis) for point in self.points or ()}
            seen |= set(self.ranges.get(axis, ()))
            found += [axis] if len(seen) > 1 else []
        return (*found, "seed") if self.n_seeds > 1 else tuple(found)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What may not be meant as it was asked: values that are all but equal."""
        found = []
        for axis, plural in self.listed.items():
            points = {getattr(point, axis) for point in self.points or ()}
            pairs = nearly_equal({*self.axes[axis], *points})
            found += [
                f"{plural}: {plain(low)} and {plain(high)} differ by less than 1e-9, "
                "and are cells of their own."
                for low, high in pairs[:MAX_PROBLEMS]
            ]
        return (*found, *super().remarks)

    @property
    def probed(self) -> dict[int, Decimal]:
        """The κ of each probe that a search has planned, by its place among its cells."""
        return self._probed

    def probing(self, kappas: Mapping[int, Decimal]) -> Self:
        """Return this sweep with the κ's of some probes, for the runs of these to be computed."""
        copy = self.model_copy()
        copy._probed = dict(kappas)  # noqa: SLF001 - of a copy of this
        return copy

    def all_seeds(self) -> Iterable[int]:
        """Return the seeds in order, the shorthand written out."""
        if self.seeds is not None:
            return self.seeds
        first = self.base_seed or 0
        return range(first, first + self.n_seeds)


def _or(value: Decimal | None, default: Decimal) -> Decimal:
    return default if value is None else value
