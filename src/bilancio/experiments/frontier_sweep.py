"""Sweeps that may search: in each cell for the value at which a measure meets a limit.

A frontier is the search for the smallest κ with few enough defaults; a threshold is any other.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from annotated_types import Interval
from pydantic import Field, PlainSerializer, PrivateAttr, model_validator

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.fields import DOUBLE, NUMBER, PLAIN
from bilancio.experiments.grid_sweep import GridSweep, RunOrder
from bilancio.experiments.sweep_config import canonical, not_grown
from bilancio.experiments.threshold import (
    ALIASES,
    DEFAULT_MEASURE,
    Measures,
    Target,
    read_threshold,
)
from bilancio.model.metrics import RING_METRICS, Metric

DEFAULT_DELTA = Decimal("0.05")
DEFAULT_TOLERANCE = Decimal("0.01")
ENDS = 2  # a search begins with the two ends of its bracket
KAPPA_DIGITS = 6  # a search rounds κ to so many digits,
_ROUNDING = Decimal("0.00001")  # which widens what it leaves of the bracket by less than this

Delta = Annotated[Decimal, Interval(ge=0, lt=1), NUMBER, DOUBLE, PLAIN]
Tolerance = Annotated[Decimal, Interval(ge=Decimal("0.0001"), le=1), NUMBER, DOUBLE, PLAIN]
ThresholdByName = Annotated[dict[str, Any], PlainSerializer(canonical)]


class FrontierSweep(GridSweep):
    """Cells with a κ, of which one parameter may be searched for.

    Attributes
    ----------
    recorded
        What runs report.
    paired
        Measures that need the runs of all arms.
    """

    recorded: ClassVar[tuple[Metric, ...]] = RING_METRICS
    paired: ClassVar[tuple[str, ...]] = ()

    designs: ClassVar[tuple[str, ...]] = (*GridSweep.designs, "frontier")
    settings_of: ClassVar[dict[str, str]] = {
        **GridSweep.settings_of,
        "frontier_delta": "frontier",
        "frontier_tolerance": "frontier",
    }

    _probed: dict[int, Decimal] = PrivateAttr(default_factory=dict)

    if TYPE_CHECKING:  # of the fields that derive from the parameters of a ring
        kappa_range: tuple[Decimal, Decimal] | None

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
        default=None,
        description="With frontier: relative precision of κ. Default 0.01.",
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
        threshold = read_threshold(data["threshold"], axes, cls.searchable())
        problems = [
            Problem(name, shown(data[name]), "nothing beside threshold, which says it")
            for name in ("frontier_delta", "frontier_arm")
            if data.get(name) is not None
        ]
        if data.get("frontier") in {False, "false"}:
            problems.append(Problem("frontier", "false", "true, or nothing, beside threshold"))
        if problems:
            raise InvalidInput(problems)
        return {**data, "threshold": threshold, "frontier": True}

    @classmethod
    def searchable(cls) -> Measures:
        """Return the measures that a search can look at."""
        metrics = tuple(each.name for each in cls.recorded if each.codes is None)
        return Measures(metrics=metrics, paired=cls.paired, arms=cls.arms)

    def _dependent_defaults(self) -> dict[str, Any]:
        found = super()._dependent_defaults()
        if not self.frontier:
            return found
        left_out = () if self.threshold is None else ("frontier_delta",)
        return found | {name: value for name, value in _DEFAULTS.items() if name not in left_out}

    def _lacking(self) -> Iterator[Problem]:
        axis = self._searched_axis
        if self.frontier and axis not in self.ranges:
            named = self._field_of_range(axis)
            field, got = "frontier", f"true without {named}"
            if self.threshold is not None:
                field, got = "threshold.axis", f"{axis} without {named}"
            allowed = f"a {named} too, low:high, the bracket that is searched"
            yield Problem(field, got, allowed)
        for other, values in self.searched_over.items():
            if not values:
                yield Problem(other, "nothing", "a value, which the search needs")
        yield from super()._lacking()

    def _designs_of_range(self, axis: str) -> tuple[str, ...]:
        others = super()._designs_of_range(axis)
        return (*others, "frontier") if axis == self._searched_axis else others

    def _values_by_design(self, names: Sequence[str]) -> Iterator[Sequence[Sequence[Any]]]:
        yield from super()._values_by_design(names)
        if self.target is not None and self.target.axis in names:
            bracket = self.ranges[self.target.axis]
            yield [bracket if name == self.target.axis else self.axes[name] for name in names]

    def _left_to_the_grid(self) -> Iterable[str]:
        return self.axes.keys() - self.searched_over.keys()

    def _gone_through(self) -> Iterable[str]:
        return self.axes if self.grid else self.searched_over

    @property
    def _searched_axis(self) -> str:
        return "kappa" if self.threshold is None else str(self.threshold["axis"])

    @property
    def searched_over(self) -> dict[str, tuple[Any, ...]]:
        """The lists of which a search goes through all combinations."""
        if not self.frontier:
            return {}
        return {axis: values for axis, values in self.axes.items() if axis != self._searched_axis}

    @property
    def target(self) -> Target | None:
        """What is searched for; None where nothing is."""
        axis = self._searched_axis
        if not self.frontier or axis not in self.ranges:
            return None
        low, high = self.ranges[axis]
        parameter = self.parameters_that_vary()[axis]
        asked = self.threshold or {"measure": DEFAULT_MEASURE, "at_most": self.frontier_delta}
        measure, limit = asked["measure"], asked.get("at_most")
        return Target(
            axis=axis,
            low=Decimal(low),
            high=Decimal(high),
            measure=measure,
            metric=None if measure in self.paired else ALIASES.get(measure, measure),
            limit=float(asked["at_least"] if limit is None else limit),
            at_most=limit is not None,
            logarithmic=parameter.logarithmic,
            whole=parameter.dtype == "i8",
            two_sided=self.threshold is not None,
        )

    def implied(self) -> dict[str, Any]:
        """Return the values that fields not asked for take from other fields."""
        return {**super().implied(), **_DEFAULTS}

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
        if self.threshold["measure"] in self.paired:
            return self.arms[:1]
        arm = self.threshold.get("arm")
        return self.arms if arm is None else (arm,)

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
        target = self.target
        if target is None or self.frontier_tolerance is None:
            return 0
        if target.whole:
            return ENDS + max(int(target.high - target.low) - 1, 0).bit_length()
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
        measure = None if self.threshold is None else self.threshold["measure"]
        return self.run_order is RunOrder.CELLS or measure in self.paired

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
        if not self.frontier:  # asked a million times where all runs are named
            return super().arm_of(index)
        probe_run = index - self.fixed_runs
        if probe_run < 0 or self.probes_all_arms:
            return super().arm_of(index)
        return self.searched_arms[probe_run // self.n_seeds % len(self.searched_arms)]

    @property
    def probed(self) -> dict[int, Decimal]:
        """The value of each probe that a search has planned, by its place among its cells."""
        return self._probed

    def probing(self, values: Mapping[int, Decimal]) -> Self:
        """Return this sweep with the values of some probes, for their runs to be computed."""
        copy = self.model_copy()
        copy._probed = dict(values)  # noqa: SLF001 - of a copy of this
        return copy


_DEFAULTS = {"frontier_delta": DEFAULT_DELTA, "frontier_tolerance": DEFAULT_TOLERANCE}
