"""Sweeps of rings, which may search for the smallest κ with few enough defaults: a frontier."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Interval
from pydantic import Field

from bilancio.experiments.fields import DOUBLE, NUMBER, PLAIN
from bilancio.experiments.search_sweep import SearchSweep
from bilancio.experiments.threshold import Measures
from bilancio.model.metrics import RING_METRICS, Metric

DEFAULT_DELTA = Decimal("0.05")
DEFAULT_MEASURE = "delta"
ALIASES = {DEFAULT_MEASURE: "delta_total", "phi": "phi_total"}
SYMBOLS = {DEFAULT_MEASURE: "δ"}

Delta = Annotated[Decimal, Interval(ge=0, lt=1), NUMBER, DOUBLE, PLAIN]


class FrontierSweep(SearchSweep):
    """Cells with a κ, which `frontier` searches for where no `threshold` says otherwise.

    Attributes
    ----------
    recorded
        What runs report.
    paired
        Measures that need the runs of all arms.
    """

    recorded: ClassVar[tuple[Metric, ...]] = RING_METRICS
    paired: ClassVar[tuple[str, ...]] = ()

    said_by_threshold: ClassVar[tuple[str, ...]] = ("frontier_delta", "frontier_arm")
    settings_of: ClassVar[dict[str, str]] = {
        **SearchSweep.settings_of,
        "frontier_delta": "frontier",
    }

    if TYPE_CHECKING:  # of the fields that derive from the parameters of a ring
        kappa_range: tuple[Decimal, Decimal] | None

    frontier: bool = Field(
        default=False,
        description=(
            "In each cell of the other lists search kappa_range for the smallest κ whose mean "
            "default rate is at most frontier_delta."
        ),
    )
    frontier_delta: Delta | None = Field(
        default=None, description="With frontier: the default rate to reach. Default 0.05."
    )

    @classmethod
    def searchable_measures(cls) -> Measures:
        """Return the measures that a search can look at."""
        return Measures(
            metrics=tuple(each.name for each in cls.recorded if each.codes is None),
            paired=cls.paired,
            arms=cls.arms,
            default=DEFAULT_MEASURE,
            aliases=ALIASES,
            symbols=SYMBOLS,
        )

    @property
    def recorded_metrics(self) -> tuple[Metric, ...]:
        """The metrics that a search may look at, as runs record them."""
        return self.recorded

    def _dependent_defaults(self) -> dict[str, Any]:
        found = super()._dependent_defaults()
        searched = self.frontier and self.threshold is None
        return found | {"frontier_delta": DEFAULT_DELTA} if searched else found

    @property
    def _sought(self) -> Mapping[str, Any] | None:
        frontier = {"axis": "kappa", "measure": DEFAULT_MEASURE, "at_most": self.frontier_delta}
        return self.threshold or frontier

    def implied(self) -> dict[str, Any]:
        """Return the values that fields not asked for take from other fields."""
        return {**super().implied(), "frontier_delta": DEFAULT_DELTA}
