"""Sweeps that may search: in each cell for the value at which a measure meets a limit."""

import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from annotated_types import Interval
from pydantic import Field, PlainSerializer, PrivateAttr, model_validator

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.fields import DOUBLE, NUMBER, PLAIN
from bilancio.experiments.grid_sweep import GridSweep, RunOrder
from bilancio.experiments.sweep_config import canonical, not_grown
from bilancio.experiments.threshold import Measures, Target, read_threshold
from bilancio.model.metrics import Metric
from bilancio.model.parameters import RARE, axes_of

DEFAULT_TOLERANCE = Decimal("0.01")
ENDS = 2  # a search begins with the two ends of its bracket
DIGITS = 6  # a search rounds what it tries to so many digits,
_ROUNDING = Decimal("0.00001")  # which widens what it leaves of the bracket by less than this

Tolerance = Annotated[Decimal, Interval(ge=Decimal("0.0001"), le=1), NUMBER, DOUBLE, PLAIN]
ThresholdByName = Annotated[dict[str, Any], PlainSerializer(canonical)]


class SearchSweep(GridSweep):
    """Cells of which one parameter may be searched for.

    A subclass says by `searchable_measures` what a search can look at, and by `recorded_metrics`
    how it is recorded. It may have searches of its own beside `threshold` (`_sought`).

    Attributes
    ----------
    said_by_threshold
        Fields that say a part of what `threshold` says, and cannot stand beside it.
    """

    said_by_threshold: ClassVar[tuple[str, ...]] = ()

    designs: ClassVar[tuple[str, ...]] = (*GridSweep.designs, "frontier")
    settings_of: ClassVar[dict[str, str]] = {
        **GridSweep.settings_of,
        "frontier_tolerance": "frontier",
    }

    _probed: dict[int, Decimal] = PrivateAttr(default_factory=dict)

    frontier: bool = Field(default=False, description="Search. Implied by threshold.")
    frontier_tolerance: Tolerance | None = Field(
        default=None,
        description=(
            "With a search: its precision, relative on a log scale, else as a share of the range. "
            "Default 0.01."
        ),
        json_schema_extra=RARE,
    )
    threshold: ThresholdByName | None = Field(
        default=None,
        description=(
            "Search the range of an axis for where a measure meets a limit: {axis, measure, "
            "at_most or at_least, arm}. Implies frontier."
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _threshold_implies_frontier(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or data.get("threshold") is None:
            return data
        axes = [name for name, each in cls.parameters_that_vary().items() if each.has_ranges]
        threshold = read_threshold(data["threshold"], axes, cls.searchable_measures())
        problems = [
            Problem(name, shown(data[name]), "nothing beside threshold, which says it")
            for name in cls.said_by_threshold
            if data.get(name) is not None
        ]
        if data.get("frontier") in {False, "false"}:
            problems.append(Problem("frontier", "false", "true, or nothing, beside threshold"))
        if problems:
            raise InvalidInput(problems)
        return {**data, "threshold": threshold, "frontier": True}

    @classmethod
    def searchable_measures(cls) -> Measures:
        """Return the measures that a search can look at."""
        raise NotImplementedError

    @property
    def recorded_metrics(self) -> tuple[Metric, ...]:
        """The metrics that a search may look at, as runs record them."""
        raise NotImplementedError

    @classmethod
    def symbols_of_axes(cls) -> dict[str, str]:
        """Return the symbols of the parameters that have one, by name."""
        return {name: axis.symbol for name, axis in axes_of(cls.parameter_model()).items()}

    def _dependent_defaults(self) -> dict[str, Any]:
        found = super()._dependent_defaults()
        return found | {"frontier_tolerance": DEFAULT_TOLERANCE} if self.frontier else found

    def _lacking(self) -> Iterator[Problem]:
        axis = self._searched_axis
        if self.frontier and self._sought is None:
            allowed = "a threshold too, {axis, measure, at_most or at_least}"
            yield Problem("frontier", "true without threshold", allowed)
        elif self.frontier and axis not in self.ranges:
            yield self._without_range(axis)
        for other, values in self.searched_over.items():
            if not values:
                yield Problem(other, "nothing", "a value, which the search needs")
        yield from super()._lacking()

    def _without_range(self, axis: str) -> Problem:
        """Return the problem of a search whose axis has no range."""
        field, named = "threshold.axis", self._field_of_range(axis)
        listed = named == self._field(axis)
        got = f"{axis} with a list in {named}" if listed else f"{axis} without {named}"
        if self.threshold is None:
            field, got = "frontier", f"true without {named}"
        instead = f"{named} as" if listed else f"a {named} too,"
        return Problem(field, got, f"{instead} low:high, the bracket that is searched")

    def _designs_of_range(self, axis: str) -> tuple[str, ...]:
        others = super()._designs_of_range(axis)
        if axis == self._searched_axis:
            return (*others, "frontier")
        return others if self.frontier else (*others, "threshold")

    def _values_by_design(self, names: Sequence[str]) -> Iterator[Sequence[Sequence[Any]]]:
        yield from super()._values_by_design(names)
        target = self.search_target
        if target is not None and target.axis in names:
            bracket = self.ranges[target.axis]
            yield [bracket if name == target.axis else self.axes[name] for name in names]

    def _left_to_the_grid(self) -> Iterable[str]:
        return self.axes.keys() - self.searched_over.keys()

    def _gone_through(self) -> Iterable[str]:
        return self.axes if self.grid else self.searched_over

    @property
    def _sought(self) -> Mapping[str, Any] | None:
        """Axis, measure and limit of the search, as `threshold` gives them; None without one."""
        return self.threshold

    @property
    def _searched_axis(self) -> str:
        return "" if self._sought is None else str(self._sought["axis"])

    @property
    def searched_over(self) -> dict[str, tuple[Any, ...]]:
        """The lists of which a search goes through all combinations."""
        if not self.frontier:
            return {}
        return {axis: values for axis, values in self.axes.items() if axis != self._searched_axis}

    @property
    def search_target(self) -> Target | None:
        """What is searched for; None where nothing is."""
        axis, sought = self._searched_axis, self._sought
        if not self.frontier or sought is None or axis not in self.ranges:
            return None
        low, high = self.ranges[axis]
        parameter, measures = self.parameters_that_vary()[axis], self.searchable_measures()
        measure, limit = sought["measure"], sought.get("at_most")
        return Target(
            axis=axis,
            low=Decimal(low),
            high=Decimal(high),
            measure=measure,
            metric=measures.metric_of(measure),
            limit=float(sought["at_least"] if limit is None else limit),
            at_most=limit is not None,
            logarithmic=parameter.logarithmic,
            step=parameter.step,
            two_sided=self.threshold is not None,
            axis_symbol=self.symbols_of_axes().get(axis, axis),
            measure_symbol=measures.symbols.get(measure, measure),
        )

    def implied(self) -> dict[str, Any]:
        """Return the values that fields not asked for take from other fields."""
        return {**super().implied(), "frontier_tolerance": DEFAULT_TOLERANCE}

    def grown(self, n_replicates: int) -> Self:
        """Return this sweep with so many seeds; the runs that it has keep their numbers."""
        if self.frontier:
            raise not_grown(n_replicates, "the seeds of a frontier search decide what it tries")
        return super().grown(n_replicates)

    @property
    def searched_arms(self) -> tuple[str, ...]:
        """The arms that are searched, each on its own; the first one, where all are needed."""
        if self.threshold is None:
            return self.arms
        if self._needs_all_arms:
            return self.arms[:1]
        arm = self.threshold.get("arm")
        return self.arms if arm is None else (arm,)

    @property
    def _needs_all_arms(self) -> bool:
        sought = self._sought
        return sought is not None and _is_paired(type(self), sought["measure"])

    @property
    def _designs_differ(self) -> bool:
        return super()._designs_differ or (self.frontier and len(self.searched_arms) > 1)

    @property
    def n_searches(self) -> int:
        """Number of searches: combinations of all lists but one, times the arms searched."""
        if not self.frontier:
            return 0
        return math.prod(map(len, self.searched_over.values())) * len(self.searched_arms)

    @property
    def max_probes(self) -> int:
        """Number of values that a search tries at most: both ends, then one a bisection."""
        target = self.search_target
        if target is None or self.frontier_tolerance is None:
            return 0
        if target.step is not None:
            return ENDS + max(target.n_steps - 1, 0).bit_length()
        if target.logarithmic:
            left = (target.high / target.low).ln()
            wanted = (1 + self.frontier_tolerance).ln() - _ROUNDING
        else:
            left, wanted = Decimal(1), self.frontier_tolerance
        probes = ENDS
        while left > wanted:
            left /= 2
            probes += 1
        return probes

    @property
    def probes_all_arms(self) -> bool:
        """Whether each probe of a search is run in every arm, not just in the one searched."""
        return self.run_order is RunOrder.CELLS or self._needs_all_arms

    @property
    def arms_of_a_probe(self) -> int:
        """Number of runs of each probe of a search under each seed."""
        return len(self.arms) if self.probes_all_arms else 1

    @property
    def total_runs(self) -> int:
        """Number of runs: cells × seeds × arms; with a search the most that it may need."""
        probes = self.blocks.get("frontier", 0)
        return self.fixed_runs + probes * self.n_seeds * self.arms_of_a_probe

    @property
    def paired_runs(self) -> int:
        """Number of runs at the beginning that stand next to those of all other arms."""
        return self.total_runs if self.probes_all_arms else self.fixed_runs

    def arm_of(self, index: int) -> str:
        """Return the arm of a run."""
        if not self.frontier:  # asked a million times where all runs are named
            return super().arm_of(index)
        probe_run = index - self.fixed_runs
        if probe_run < 0 or self.probes_all_arms:
            return super().arm_of(index)
        return self.searched_arms[probe_run // self.n_seeds % len(self.searched_arms)]

    @property
    def probed_values(self) -> dict[int, Decimal]:
        """The value of each probe that a search has planned, by its place among its cells."""
        return self._probed

    def probing(self, values: Mapping[int, Decimal]) -> Self:
        """Return this sweep with the values of some probes, for their runs to be computed."""
        copy = self.model_copy()
        copy._probed = dict(values)  # noqa: SLF001 - of a copy of this
        return copy


@functools.lru_cache(maxsize=64)
def _is_paired(model: type[SearchSweep], measure: str) -> bool:
    """Return whether a measure needs the runs of all arms; asked for each run that is named."""
    return model.searchable_measures().metric_of(measure) is None
