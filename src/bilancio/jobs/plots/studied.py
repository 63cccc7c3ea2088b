"""A job as pictures look at it: its cells, its measures, and words for both."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.measures import Measure
from bilancio.errors import InvalidInput, NothingToDraw, Problem
from bilancio.experiments import registry
from bilancio.experiments.answers import Subject
from bilancio.experiments.configs import RingSettings
from bilancio.experiments.dictionary import Dictionary
from bilancio.experiments.questions import check_names
from bilancio.experiments.reduction import Cells, ObservedCells
from bilancio.experiments.reporting import asked as of_experiment
from bilancio.experiments.reporting import observations_of
from bilancio.experiments.standard import (
    StandardExperiment,
    subject_of,
    subject_of_observations,
)
from bilancio.experiments.wording import Wording
from bilancio.jobs.models import Job
from bilancio.jobs.plots.asked import Asked
from bilancio.jobs.recorded import columns, recorded_runs
from bilancio.jobs.store import JobStore, packing
from bilancio.jobs.threads import in_thread
from bilancio.jobs.versions import experiment_of
from bilancio.printable import shortened

LONGEST = 100  # characters of a list of measures
NOT_AXES = ("design", "cell")
Bools = NDArray[np.bool_]


class Taker(Protocol):
    """What is made of columns handed over."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics whose columns are wanted."""

    def take(self, metric: str, cube: NDArray[np.float64]) -> None:
        """Take a metric by seed, cell and arm."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Studied:
    """A job with results.

    Attributes
    ----------
    subject
        What is asked about.
    about
        What its parameters and measures are.
    names
        Metrics that are recorded.
    cells
        Its cells; None where an experiment of its own kind made observations.
    observed
        Those observations' cells and columns; None otherwise.
    """

    job: Job
    store: JobStore
    experiment: Any
    subject: Subject
    about: Dictionary
    names: tuple[str, ...]
    cells: Cells | None
    observed: tuple[ObservedCells, dict[str, NDArray[Any]]] | None

    async def hand_over(self, *takers: Taker) -> None:
        """Hand the columns that are wanted over, one after the other."""
        wanted = dict.fromkeys(name for each in takers for name in each.wanted)
        if self.observed is not None:
            cells, found = self.observed
            for name in wanted:
                for each in takers:
                    await in_thread(each.take, name, cells.cube(found[name]))
            return
        assert self.cells is not None, "there are cells, or observations"
        known = [name for name in wanted if name in self.names]
        async for dense in columns(self.store, self.job, self.experiment, known):
            for name, column in dense.items():
                cube = self.cells.cube(name, column)
                for each in takers:
                    if name in each.wanted:
                        await in_thread(each.take, name, cube)

    def worded(self, asked: Asked) -> tuple[Asked, dict[str, str]]:
        """Return what is asked for with the names of this job, and what words were read as.

        Raises
        ------
        InvalidInput
            A word may mean several.
        """
        words = Wording(self.subject.effect, {})
        axes = self.subject.parameters
        measured = [*self.families(), *(each.name for each in self.subject.measures), *axes]
        named = replace(
            asked,
            x=words.name("x", asked.x, axes),
            by=words.name("by", asked.by, axes),
            y=words.name("y", asked.y, measured),
            where=words.condition(asked.where, axes, self.subject.cells.columns),
        )
        return named, words.read

    # -- parameters --------------------------------------------------------------------------

    @property
    def shown_cells(self) -> Bools:
        """The cells that a picture is of: probes of searches only where there is nothing else."""
        averaged = self.subject.averaged
        return averaged if averaged.any() else np.ones(len(averaged), np.bool_)

    def levels(self, name: str, chosen: Bools | None = None) -> NDArray[Any]:
        """Return the values that a parameter has, in order."""
        inside = self.shown_cells if chosen is None else chosen
        column = self.subject.cells.columns[name][inside]
        if column.dtype.kind == "f":
            column = column[np.isfinite(column)]
        return np.unique(column)

    def varied(self, chosen: Bools | None = None) -> list[str]:
        """Return the parameters with several values, those with the most values first."""
        n_levels = {
            name: len(self.levels(name, chosen))
            for name in self.subject.parameters
            if name not in NOT_AXES
        }
        several = [name for name, n in n_levels.items() if n > 1]
        return sorted(several, key=lambda name: -n_levels[name])

    def parameter(self, field: str, name: str, chosen: Bools | None = None) -> str:
        """Return the name of a parameter that varies.

        Raises
        ------
        InvalidInput
            There is no such parameter, or it has one value.
        """
        known = [each for each in self.subject.parameters if each not in NOT_AXES]
        check_names(field, [name], known)
        varied = self.varied(chosen)
        if name not in varied:
            (value,) = self.levels(name, chosen).tolist()[:1] or [""]
            got = f"{name}, which has one value here ({value})"
            allowed = f"one that varies: {', '.join(varied)}" if varied else "none: nothing varies"
            raise InvalidInput([Problem(field, got, allowed)])
        return name

    # -- measures ----------------------------------------------------------------------------

    @property
    def primary(self) -> Measure:
        """The primary measure; the first one where that is not recorded."""
        found = self.subject.measure(self.subject.primary)
        if found is not None:
            return found
        if not self.subject.measures:
            raise NothingToDraw(self.job.job_id, "its runs have no measure that can be drawn.")
        return self.subject.measures[0]

    @property
    def kinds(self) -> list[str]:
        """The kinds of picture that suit it."""
        several, varied = len(self.subject.seeds) > 1, bool(self.varied())
        grid = not self.subject.cells.sampled.any()
        rate = getattr(self.experiment, "default_rate", "")
        suits = {
            "effect": varied,
            "default_rate": varied and bool(rate) and rate in self.names,
            "measure": varied,
            "distribution": several or varied,
            "days": self.has_days,
            "main_effects": varied and several and grid,
            "precision": several and grid,
            "frontier": self.job.config.searches,
        }
        return [name for name, suitable in suits.items() if suitable]

    @property
    def has_days(self) -> bool:
        """Whether its runs can be simulated again, day by day."""
        if not isinstance(self.job.config, RingSettings) or self.cells is None:
            return False
        return bool((self.shown_cells & ~self.subject.cells.probes).any())

    def refusal(self, kind: str, why: str, *more: str) -> InvalidInput:
        """Return the refusal of a kind of picture, with the kinds that suit the job."""
        measures = ", ".join(dict.fromkeys([*self.families(), self.primary.name]))
        named = {"measure": f"measure (of {shortened(measures, LONGEST)})"}
        others = ", ".join(named.get(each, each) for each in self.kinds if each != kind)
        allowed = "; or ".join([others or "none, of one cell and one seed", *more])
        return InvalidInput([Problem("kind", why, allowed)])

    def families(self) -> dict[str, tuple[Measure, ...]]:
        """Return what is measured in each arm: metric → its measure in each arm."""
        by_metric: dict[str, dict[str, Measure]] = {}
        for measure in self.subject.measures:
            if len(measure.columns) == 1 and measure.denominator is None:
                metric, _, arm = measure.columns[0].partition("@")
                by_metric.setdefault(metric, {})[arm] = measure
        arms = self.subject.arms
        return {
            metric: tuple(found[arm] for arm in arms)
            for metric, found in by_metric.items()
            if len(arms) > 1 and set(arms) <= found.keys()
        }

    def in_arms(self, given: str) -> tuple[Measure, ...]:
        """Return the measures that a name stands for: of all arms where it is that of a metric.

        Raises
        ------
        InvalidInput
            There is no such measure.
        """
        found = self.subject.measure(given)
        if found is not None:
            return (found,)
        families = self.families()
        for metric, measures in families.items():
            if given in {metric, stem_of(measures)}:
                return measures
        known = [each.name for each in self.subject.measures]
        check_names("y", [given], [*known, *families])
        raise AssertionError(given)  # it was refused


def stem_of(measures: Sequence[Measure]) -> str:
    """Return what the names of a measure in each arm have in common, up to an underscore."""
    names = [each.name for each in measures]
    metric = measures[0].columns[0].partition("@")[0]
    if all(each.startswith(f"{metric}_") for each in names):  # names of arms may begin alike
        return metric
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in same).rpartition("_")[0] or names[0]


async def studied(store: JobStore, job: Job) -> Studied:
    """Return a job as pictures look at it.

    Raises
    ------
    NothingToDraw
        No run has been recorded, or only a manifest was imported.
    InvalidInput
        Its runs were recorded manually, and have no parameters.
    """
    if job.manual:
        got = f"{job.job_id}, whose runs were recorded manually, without parameters"
        raise InvalidInput([Problem("job", got, "a job that was carried out by a worker")])
    experiment = experiment_of(job)
    if not isinstance(experiment, StandardExperiment):
        return await _observed(store, job)
    recorded = await recorded_runs(store, job, experiment)
    if recorded is None:
        raise _nothing(job)
    with of_experiment(job.config, "parameters"):
        cells = await in_thread(Cells, experiment, job.config, recorded)
        subject = subject_of(experiment, job.config, recorded, cells)
    about = Dictionary(experiment, job.config, recorded.names)
    return Studied(
        job=job,
        store=store,
        experiment=experiment,
        subject=subject,
        about=about,
        names=recorded.names,
        cells=cells,
        observed=None,
    )


async def _observed(store: JobStore, job: Job) -> Studied:
    """Return a job of an experiment of its own kind, whose runs are all loaded."""
    experiment = registry.experiment(job.config.sweep_type)
    stored = await store.chunks(job.job_id)
    if not stored:
        raise _nothing(job)

    def found() -> Studied:
        indices, metrics = packing.join(stored, job.job_id)
        seen = observations_of(experiment, job.config, indices, metrics)
        cells = ObservedCells(seen)
        return Studied(
            job=job,
            store=store,
            experiment=experiment,
            subject=subject_of_observations(seen, cells),
            about=Dictionary(experiment, job.config),
            names=seen.measures,
            cells=None,
            observed=(cells, seen.columns),
        )

    return await in_thread(found)


def _nothing(job: Job) -> NothingToDraw:
    if job.status.ended and job.completed_runs:
        return NothingToDraw(job.job_id, "they were not imported, and can be recomputed.")
    return NothingToDraw(job.job_id, "no run has been recorded yet.")
