"""What an experiment says of runs that are recorded, asked so that no fault of it loses them.

A plug-in may raise anything, print, return what JSON cannot hold, or meet a summary that another
version wrote. Its runs are recorded all the same, and what else is known of them is told.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bilancio.analysis.observations import Observations
from bilancio.encoding import finite, to_json
from bilancio.errors import ExperimentFailed, shown
from bilancio.experiments.plugins import stdout_to_stderr
from bilancio.experiments.protocol import (
    Experiment,
    SearchingExperiment,
    Step,
    TableOfSearches,
)
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.text import error_text

if TYPE_CHECKING:  # jobs are listed without loading numpy
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

MISSING = "summary_error"
"""Entry of a summary that says why its experiment gave none."""


def summary_of(
    experiment: Experiment,
    config: SweepConfig,
    indices: "NDArray[np.int64]",
    metrics: "NDArray[np.void]",
) -> dict[str, Any]:
    """Return an experiment's summary, as JSON holds it: NaN and infinity are None.

    Where it has none to give, the reason stands in the entry `summary_error`.
    """
    try:
        with asked(config, "summarise"):
            summary = finite(experiment.summarise(config, indices, metrics))
            if not isinstance(summary, dict):
                message = f"it returned {shown(summary)}, not values by name"
                raise TypeError(message)
            to_json(summary)
    except ExperimentFailed as error:
        log.warning("%s", error, exc_info=error)
        return {MISSING: error.reason}
    return summary


def headline_of(experiment: Experiment, config: SweepConfig, summary: Mapping[str, Any]) -> str:
    """Return what a summary says in words, or why there are none."""
    if MISSING in summary:
        return f"The experiment could not summarise its runs: {summary[MISSING]}."
    try:
        with asked(config, "headline"):
            return str(experiment.headline(dict(summary)))
    except ExperimentFailed as error:
        log.warning("%s", error, exc_info=error)
        return f"The experiment could not put its summary into words: {error.reason}."


def observations_of(
    experiment: Experiment,
    config: SweepConfig,
    indices: "NDArray[np.int64]",
    metrics: "NDArray[np.void]",
) -> Observations:
    """Return what the runs say.

    Raises
    ------
    ExperimentFailed
        The experiment raised something.
    """
    with asked(config, "observations"):
        seen = experiment.observations(config, indices, metrics)
        names = {*seen.parameters, *seen.measures, seen.primary, "seed"}
        if missing := sorted(names - seen.columns.keys()):
            message = f"there are no columns {', '.join(missing)}"
            raise ValueError(message)
        if len({len(column) for column in seen.columns.values()}) > 1:
            message = "its columns differ in length"
            raise ValueError(message)
        if words := [name for name in seen.measures if seen.columns[name].dtype.kind not in "fiub"]:
            message = f"the measures {', '.join(words)} are not numbers"
            raise ValueError(message)
    return seen


def parameters_of(
    experiment: Experiment, config: SweepConfig, indices: "NDArray[np.int64]"
) -> "dict[str, NDArray[Any]]":
    """Return the cell's parameters, arm and seed of these runs, as columns.

    Raises
    ------
    ExperimentFailed
        The experiment raised something.
    """
    with asked(config, "parameters"):
        return experiment.parameters(config, indices)


def searches_of(
    experiment: SearchingExperiment,
    config: SweepConfig,
    indices: "NDArray[np.int64]",
    metrics: "NDArray[np.void]",
) -> TableOfSearches:
    """Return what each search has found so far.

    Raises
    ------
    ExperimentFailed
        The experiment raised something.
    """
    with asked(config, "search_table"):
        return experiment.search_table(config, indices, metrics)


def next_step_of(
    experiment: SearchingExperiment,
    config: SweepConfig,
    indices: "NDArray[np.int64]",
    metrics: "NDArray[np.void]",
) -> Step | None:
    """Return the runs of the searches that can be computed now; None when there are none left.

    Raises
    ------
    ExperimentFailed
        The experiment raised something, or returned something else.
    """
    with asked(config, "next_step"):
        step = experiment.next_step(config, indices, metrics)
        if step is not None and not isinstance(step, Step):
            message = f"it returned {shown(step)}, not a step"
            raise TypeError(message)
    return step


@contextmanager
def asked(config: SweepConfig, method: str) -> Iterator[None]:
    """Raise whatever a method of an experiment raises as an error of ours."""
    try:
        with stdout_to_stderr():
            yield
    except (Exception, SystemExit) as error:
        raise ExperimentFailed(config.sweep_type, method, error_text(error)) from error
