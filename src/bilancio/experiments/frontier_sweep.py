"""Sweeps that may search for a frontier: in each cell the smallest κ with few enough defaults."""

import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from annotated_types import Interval
from pydantic import Field, PrivateAttr

from bilancio.errors import Problem
from bilancio.experiments.fields import DOUBLE, NUMBER, PLAIN
from bilancio.experiments.grid_sweep import GridSweep, RunOrder
from bilancio.experiments.sweep_config import not_grown

DEFAULT_DELTA = Decimal("0.05")
DEFAULT_TOLERANCE = Decimal("0.01")
ENDS = 2  # a search begins with the two ends of its bracket
KAPPA_DIGITS = 6  # a search rounds κ to so many digits,
_ROUNDING = Decimal("0.00001")  # which widens what it leaves of the bracket by less than this

Delta = Annotated[Decimal, Interval(ge=0, lt=1), NUMBER, DOUBLE, PLAIN]
Tolerance = Annotated[Decimal, Interval(ge=Decimal("0.0001"), le=1), NUMBER, DOUBLE, PLAIN]


class FrontierSweep(GridSweep):
    """Cells with a κ, which may be searched for."""

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
        default=None, description="With frontier: relative precision of κ. Default 0.01."
    )

    def _dependent_defaults(self) -> dict[str, Any]:
        found = super()._dependent_defaults()
        return found | (_DEFAULTS if self.frontier else {})

    def _lacking(self) -> Iterator[Problem]:
        if self.frontier and self.kappa_range is None:
            allowed = "a kappa_range too, low:high, the bracket that is searched"
            yield Problem("frontier", "true without kappa_range", allowed)
        for axis, values in self._searched_over().items():
            if not values:
                yield Problem(axis, "nothing", "a value, which the search needs")
        yield from super()._lacking()

    def _designs_of_range(self, axis: str) -> tuple[str, ...]:
        others = super()._designs_of_range(axis)
        return (*others, "frontier") if axis == "kappa" else others

    def _left_to_the_grid(self) -> Iterable[str]:
        return self.axes.keys() - self._searched_over().keys()

    def _gone_through(self) -> Iterable[str]:
        return self.axes if self.grid else self._searched_over()

    def _searched_over(self) -> dict[str, tuple[Any, ...]]:
        """Return the lists of which a search goes through all combinations."""
        if not self.frontier:
            return {}
        return {axis: values for axis, values in self.axes.items() if axis != "kappa"}

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
        """The arms whose default rate a frontier is searched for, each on its own."""
        return self.arms

    @property
    def _designs_differ(self) -> bool:
        return super()._designs_differ or (self.frontier and len(self.searched_arms) > 1)

    @property
    def n_searches(self) -> int:
        """Number of searches: combinations of all lists but κ's, times the arms searched."""
        if not self.frontier:
            return 0
        return math.prod(map(len, self._searched_over().values())) * len(self.searched_arms)

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
    def probed(self) -> dict[int, Decimal]:
        """The κ of each probe that a search has planned, by its place among its cells."""
        return self._probed

    def probing(self, kappas: Mapping[int, Decimal]) -> Self:
        """Return this sweep with the κ's of some probes, for the runs of these to be computed."""
        copy = self.model_copy()
        copy._probed = dict(kappas)  # noqa: SLF001 - of a copy of this
        return copy


_DEFAULTS = {"frontier_delta": DEFAULT_DELTA, "frontier_tolerance": DEFAULT_TOLERANCE}
