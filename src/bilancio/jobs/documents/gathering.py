"""What a report says of a job."""

import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bilancio.errors import BilancioError
from bilancio.experiments.questions import Question
from bilancio.experiments.sweep_config import about
from bilancio.jobs import results
from bilancio.jobs.artifacts.ownership import mark_of
from bilancio.jobs.documents import pictures as drawing
from bilancio.jobs.documents.tables import failures, grouped, tables
from bilancio.jobs.models import Job
from bilancio.jobs.plots.studied import Studied, studied
from bilancio.jobs.session import Session
from bilancio.jobs.views import Results
from bilancio.printable import shortened
from bilancio.report.page import Command, Facts, Figure, Page, Table
from bilancio.text import (
    NextStep,
    capitalised,
    counts,
    duration,
    next_steps,
    plural,
    state,
    values,
    verdicts,
)

MOST_VALUE = 2000  # characters
LEAST_SECONDS = 0.1  # that are told
ABOUT_FILES = {
    "job_manifest.json": "everything that the results depend on, and what came out",
    "summary.json": "counts and averages",
    "comparison.csv": "differences of the arms, by cell and seed",
    "cells.csv": "measures by cell and seed",
    "frontier.csv": "what searches have found",
    "runs.csv": "single runs",
    "runs.parquet": "single runs, typed",
    "failed_runs.csv": "runs that failed, and why",
    "columns.json": "what each column of each table is",
    "worker.log": "what workers have logged",
    "figures": "pictures as PNG and SVG",
}
_HANDLING = ("max_failures", "run_timeout_s", "cloud", "run_order")


class Contents:
    """What is told of a job as far as it is, part by part; what takes long only when it is asked.

    Attributes
    ----------
    job
        The job, its runs read.
    found
        Its results.
    """

    def __init__(self, session: Session, found: Results, seen: Studied | None) -> None:
        self.job = found.job
        self.found = found
        self._session = session
        self._seen = seen

    @classmethod
    async def of(cls, session: Session, job: Job) -> "Contents":
        """Read the results of a job.

        Raises
        ------
        InvalidInput, StoreCorrupt
        """
        found = await results.results(session, job.job_id, Question(), limit=None, offset=0)
        return cls(session, found, await _studied(session, job))

    @property
    def varied(self) -> list[str]:
        """The parameters that differ between its runs, those with most values first."""
        return self._seen.varied() if self._seen is not None else []

    @property
    def findings(self) -> tuple[str, ...]:
        """What it has found, in sentences, the headline first."""
        return _findings(self.found)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before drawing conclusions."""
        return self.found.warnings

    async def figures(self) -> tuple[list[Figure], str]:
        """Draw what suits it; return the pictures, and why there are none or not all."""
        return await drawing.figures(self._seen) if self._seen is not None else ([], "")

    async def tables(self) -> list[Table]:
        """Return averages by what it varies, and what its searches have found."""
        return await tables(self._session, self.found, self._seen)

    async def grouped(self, group_by: Sequence[str], where: str = "") -> Table | None:
        """Return averages by parameters, of the cells that meet a condition; None without any.

        Raises
        ------
        InvalidInput
            There is no such parameter, or the condition is none.
        """
        if self._seen is None:
            return None
        return await grouped(self._session, self.found, self._seen, group_by, where)

    async def failures(self) -> Table | None:
        """Return the first runs that failed, and why; None where none has."""
        return await failures(self._session, self.job, self.varied)

    @property
    def design(self) -> Facts:
        """Which cells, seeds and arms it has."""
        return _design(self.job, self._seen)

    @property
    def asked(self) -> Facts:
        """Parameters that differ from their defaults."""
        return _facts(self.job.config.asked())

    @property
    def defaults(self) -> Facts:
        """All other parameters."""
        return _facts(_defaults(self.job))

    @property
    def provenance(self) -> Facts:
        """What its results depend on beside the parameters, and when they were computed."""
        return _provenance(self.job)

    @property
    def commands(self) -> tuple[Command, ...]:
        """What one would type to check, repeat or finish it."""
        return _commands(self.job)

    @property
    def files(self) -> Facts:
        """What lies in its folder, and what that is."""
        return tuple((name, ABOUT_FILES[name]) for name in self.found.files if name in ABOUT_FILES)


async def page_of(session: Session, job: Job, *, pictures: bool) -> Page:
    """Return what a report says of a job, as far as it is.

    Raises
    ------
    InvalidInput, StoreCorrupt
    """
    told = await Contents.of(session, job)
    shown, note = await told.figures() if pictures else ([], "")
    return Page(
        name=job.job_id,
        mark=mark_of(job),
        state=f"{capitalised(state(job))}, {counts(job)}",
        description=job.description,
        notes=job.notes,
        tags=job.tags,
        findings=told.findings,
        warnings=told.warnings,
        figures=tuple(shown),
        figures_note=note,
        tables=tuple(await told.tables()),
        design=told.design,
        asked=told.asked,
        defaults=told.defaults,
        failures=await told.failures(),
        provenance=told.provenance,
        commands=told.commands,
        files=told.files,
        written=_moment(session.clock()),
    )


async def _studied(session: Session, job: Job) -> Studied | None:
    """Return a job as pictures look at it; None where it has no runs of which they could be."""
    try:
        return await studied(await session.store(), job)
    except BilancioError:
        return None


def _findings(found: Results) -> tuple[str, ...]:
    counted = found.verdicts if sum(found.verdicts.values()) > 1 else {}
    said = (
        found.headline,
        verdicts(counted) if counted else "",
        found.plan["sentence"] if found.plan else "",
    )
    return tuple(filter(None, said))


def _design(job: Job, seen: Studied | None) -> Facts:
    said = [("sweep", job.config.sweep_type)]
    if what := about(job.config):
        said.append(("what it is", what))
    if seen is not None:
        varied = seen.varied()
        levels = (f"{name} ({plural(len(seen.levels(name)), 'value')})" for name in varied)
        said += [
            ("varied", ", ".join(levels) or "nothing"),
            ("cells", f"{len(seen.subject.averaged):,}"),
            ("seeds", _seeds(seen)),
        ]
    if len(job.config.arms) > 1:
        said.append(("arms", ", ".join(job.config.arms)))
    return (*said, ("runs", counts(job)), ("hash of the design", job.config_hash))


def _seeds(seen: Studied) -> str:
    seeds = seen.subject.seeds.tolist()
    listed = values([str(each) for each in seeds])
    return listed if " … " in listed else f"{len(seeds):,}: {listed}"


def _defaults(job: Job) -> dict[str, Any]:
    asked = job.config.asked()
    return {name: value for name, value in job.config.as_dict().items() if name not in asked}


def _facts(parameters: dict[str, Any]) -> Facts:
    return tuple(
        (name, shortened(values(value), MOST_VALUE) or "none")
        for name, value in parameters.items()
        if value is not None and name not in {"sweep_type", *_HANDLING}
    )


def _provenance(job: Job) -> Facts:
    known = dict(job.provenance)
    clean = {True: "", False: ", with changes that are not committed", None: ""}
    commit = known.pop("git_commit", None)
    tree = known.pop("git_clean", None)
    times = {
        "created": job.created_at,
        "started": job.started_at,
        "ended": job.completed_at,
    }
    said: dict[str, Any] = {
        **{name: _moment(moment) for name, moment in times.items() if moment is not None},
        "time in runs": duration(job.compute_s) if job.compute_s >= LEAST_SECONDS else "",
        "attempts": job.attempts or "",
        "version of the experiment": job.engine,
        "git commit": f"{commit}{clean[tree]}" if commit else "",
        "executor": job.executor,
        **known,
    }
    return tuple(
        (name.replace("_", " "), str(value))
        for name, value in said.items()
        if value not in {None, ""}
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _commands(job: Job) -> tuple[Command, ...]:
    """Return what one would type to check, repeat or finish a job."""
    name, said = job.job_id, []
    following = next_steps(job)
    if NextStep.START in following:
        said.append(Command(what="Start it:", command=f"bilancio jobs start {name}"))
    if {NextStep.RESUME, NextStep.RETRY} & {*following}:
        said.append(
            Command(what="Compute what is missing:", command=f"bilancio jobs resume {name}")
        )
    if job.completed_runs and not job.manual:
        said.append(
            Command(
                what="Compute every run again, and compare it bit by bit:",
                command=f"bilancio jobs verify {name} --all",
            )
        )
        said.append(
            Command(
                what="Write what others need to do so (data, figures, versions, a script):",
                command=f"bilancio jobs package {name}",
            )
        )
    if not job.manual:
        sweep = f"bilancio sweep {shlex.quote(job.config.sweep_type)}"
        said.append(
            Command(
                what="Run the same sweep as a new job, in the folder of this file:",
                command=f"{sweep} --config job_manifest.json",
            )
        )
    return tuple(said)
