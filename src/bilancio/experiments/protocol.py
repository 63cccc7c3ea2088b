"""The protocol that every experiment satisfies, built in or a plug-in."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from bilancio.analysis.observations import Observations
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.metrics import Metric

if TYPE_CHECKING:  # configurations are read, and jobs listed, without loading numpy
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Runs of a search that can be computed now.

    Attributes
    ----------
    config
        What `compute` takes for these runs: the sweep, and what the search found for them.
    indices : int64 (n,)
        The runs, increasing; none of them is recorded.
    """

    config: SweepConfig
    indices: "NDArray[np.int64]"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOfSearches:
    """One row for each search: its cell and what it found.

    Attributes
    ----------
    n_keys
        How many of the first columns name the cell.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    n_keys: int = 0


class Experiment(Protocol):
    """Knows how a sweep becomes runs, and how runs become a summary.

    Runs are numbered 0 … total_runs − 1; everything about run *i* follows from the
    configuration and *i*. Methods keep no state and may be called in any process.

    An experiment may have an attribute ``metrics`` (a tuple of `Metric`), which says how the
    columns of its table are read; one without it has numbers only.
    """

    config_model: type[SweepConfig]
    version: str
    releases_gil: bool  # `compute` releases the GIL and is bounded in time: threads will do

    def prepare(self) -> None:
        """Load and warm what `compute` needs, once, before it is called in parallel."""
        ...

    def compute(self, config: Any, indices: "NDArray[np.int64]") -> "NDArray[np.void]":
        """Run the runs of these *indices*; return one row of metrics each, in order."""
        ...

    def parameters(self, config: Any, indices: "NDArray[np.int64]") -> "dict[str, NDArray[Any]]":
        """Return the cell's parameters, arm and seed of these runs, as columns."""
        ...

    def observations(
        self, config: Any, indices: "NDArray[np.int64]", metrics: "NDArray[np.void]"
    ) -> Observations:
        """Return what the runs with these *indices* and *metrics* say."""
        ...

    def summarise(
        self, config: Any, indices: "NDArray[np.int64]", metrics: "NDArray[np.void]"
    ) -> dict[str, Any]:
        """Return the summary of what was found, as JSON holds it."""
        ...

    def headline(self, summary: dict[str, Any]) -> str:
        """Say in a sentence or two what the summary says."""
        ...


class SearchingExperiment(Experiment, Protocol):
    """An experiment with sweeps in which results decide on further runs.

    Such a sweep's `fixed_runs` are computed first. From the runs recorded, and nothing else, the
    experiment then says what comes next, until it says that there is nothing. What the search
    chose for a run stands among that run's metrics, under the name of the parameter.
    """

    def next_step(
        self, config: Any, indices: "NDArray[np.int64]", metrics: "NDArray[np.void]"
    ) -> Step | None:
        """Return the runs that can be computed now, given all that are recorded."""
        ...

    def search_table(
        self, config: Any, indices: "NDArray[np.int64]", metrics: "NDArray[np.void]"
    ) -> TableOfSearches:
        """Return what each search has found so far."""
        ...


def is_masked(values: object) -> bool:
    """Return whether *values* is a masked array."""
    # Naming `numpy.ma` loads it, in each process that computes; until then there is no such array.
    kind = getattr(sys.modules.get("numpy.ma"), "MaskedArray", ())
    return isinstance(values, kind)


def metrics_of(experiment: Experiment, columns: "np.dtype[np.void]") -> tuple[Metric, ...]:
    """Return what the columns of a table of metrics are, in their order.

    A column that the experiment does not declare is what its type says, and no more.
    """
    declared = {metric.name: metric for metric in declared_metrics(experiment)}
    names = columns.names or ()
    return tuple(declared.get(name) or Metric(name, columns[name].str[1:]) for name in names)


def declared_metrics(experiment: Experiment) -> tuple[Metric, ...]:
    """Return the metrics that an experiment declares; none where it declares none."""
    declared = getattr(experiment, "metrics", ())
    return tuple(each for each in declared if isinstance(each, Metric))


def preparation_s(experiment: Experiment) -> float:
    """Return about how many seconds `prepare` will take here for what is done once a machine."""
    expected = getattr(experiment, "preparation_s", None)
    return float(expected()) if callable(expected) else 0.0


def searching(experiment: Experiment, config: SweepConfig) -> SearchingExperiment | None:
    """Return the experiment as one that searches, where this sweep has it do so."""
    return cast("SearchingExperiment", experiment) if config.searches else None
