"""What the tools return. The model sees these fields and nothing else of an answer."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from bilancio import text
from bilancio.encoding import finite
from bilancio.experiments.explaining import defaults_of, explained_fields
from bilancio.experiments.sweep_config import UNOFFERED_FIELDS, SweepConfig
from bilancio.jobs.models import Job
from bilancio.jobs.owner import others
from bilancio.jobs.preview import Preview
from bilancio.jobs.views import Results, Table
from bilancio.printable import escaped, shortened
from bilancio_mcp.sizes import fitted, fitted_rows, six_digits, size

Data = dict[str, Any]

SUMMARY, TEXT, ERROR, PATH, TAG = 2_000, 500, 1_000, 1_000, 40  # characters
CONFIG, FINDINGS, MEANS, FAILURES = 1_500, 4_000, 1_000, 2_000
CONFIG_BESIDE = 500  # of a config that is not what was asked for
ARM = "arm"
DEFAULTS, FIELDS, NAMES = 900, 14_000, 40  # the last: names of fields without a value
ROWS, SHORT_ROWS, JOBS = 6_000, 3_000, 16_000
WARNINGS = 10
COLUMNS, TAGS = 40, 8
ALL_FIELDS = "fields"
NOT_STORED = "The same call without dry_run stores it."
EXPLAINED = "dry_run='fields' explains the fields"
MANY_ROWS = 10  # whose verdicts one would have to count
LEADING_MEASURES = 4  # of a table for which no measures were chosen


def _text(limit: int) -> BeforeValidator:
    """Cut a text, without the control characters that a manifest from elsewhere may have in it."""
    return BeforeValidator(
        lambda text: shortened(escaped(text), limit) if isinstance(text, str) else text
    )


def _tags(tags: Sequence[str]) -> list[str]:
    left = len(tags) - TAGS
    shown = [shortened(escaped(tag), TAG) for tag in tags[:TAGS]]
    return [*shown, f"… {left} more"] if left > 0 else shown


def _data(budget: int) -> BeforeValidator:
    return BeforeValidator(lambda data: six_digits(fitted(data, budget)))


Finite = Annotated[float | None, BeforeValidator(finite)]
Summary = Annotated[str, _text(SUMMARY)]
Text = Annotated[str, _text(TEXT)]


class Sparse(BaseModel):
    """What leaves out the fields that have a default where they are empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_serializer(mode="wrap")
    def _without_empty_fields(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {
            name: value
            for name, value in written(self).items()
            if fields[name].is_required() or value not in (None, "", [], {})
        }


class Answer(Sparse):
    """Base of all answers."""

    summary: Summary = Field(description="The answer in brief.")
    next: Summary = Field(description="What to do next.")


Config = Annotated[Data, _data(CONFIG), Field(description="What is not at its default.")]
Warnings = Annotated[list[Text], BeforeValidator(lambda said: list(said)[:WARNINGS])]


class EstimateOut(Sparse):
    """What a sweep will take, on this machine or on Modal."""

    seconds: Finite = Field(
        description="null: not known yet; job_status tells it once the first runs have finished."
    )
    workers: int
    rough: bool = Field(description="From a shipped table, not measured here yet.")
    dollars: Finite | None = Field(default=None, description="The cost, on Modal.")
    prices_of: str = ""


class CreatedJob(Answer):
    """A job that was stored and waits to be started, or what one would be."""

    job_id: str = ""
    total_runs: int
    cells: int | None = None
    seeds: int | None = None
    arms: list[str] = []
    estimate: EstimateOut
    warnings: Warnings = []
    folder: Annotated[str, _text(PATH)] = Field(default="", description="Where its files will be.")
    notes: Text = ""
    tags: list[str] = []
    like: str = ""
    config: Config
    defaults: Annotated[Data, _data(DEFAULTS)] = Field(
        default={}, description="What the config leaves at its default."
    )
    unset: list[str] = Field(default=[], description="Fields without a value.")
    fields: Annotated[Data, _data(FIELDS)] = Field(
        default={}, description="Default; values allowed; meaning."
    )


class StartedSweep(Answer):
    """What asking for a start did."""

    job_id: str
    action: str = Field(description="started, resumed, extended, recovered, already running.")
    status: str
    completed_runs: int
    total_runs: int


class CancelledJob(Answer):
    """A job that is cancelled."""

    job_id: str
    status: str


class EditedJob(Answer):
    """The words about a job as they are now."""

    job_id: str
    description: Text
    notes: Text
    tags: Annotated[list[str], BeforeValidator(_tags)]


class DeletedJob(Answer):
    """A job that is no more."""

    job_id: str


class Status(Answer):
    """How far a job is."""

    job_id: str
    description: Text
    status: str = Field(
        description="pending, running, stalled (no worker carries it), completed, failed, cancelled"
    )
    total_runs: int
    completed_runs: int
    failed_runs: int
    runs_per_s: Finite = None
    eta_s: Finite = None
    elapsed_s: Finite = None
    means: Annotated[Data, _data(MEANS)] = Field(
        default={}, description="Means over the latest batch, not results."
    )
    error: Annotated[str | None, _text(ERROR)] = None
    notes: Text = ""
    tags: list[str] = []
    created_at: str
    completed_at: str | None = None
    owner: Annotated[str, _text(TAG)] = ""


class ResultsTable(BaseModel):
    """Rows of a table, as many as an answer holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: list[str]
    rows: list[list[Any]] = Field(description="Groups exact, values to six digits.")
    offset: int
    total_rows: int


class JobResults(Answer):
    """What a job has found so far."""

    job_id: str
    description: Text
    status: str
    findings: Annotated[Data, _data(FINDINGS)] = Field(
        default={}, description="Counts, averages, intervals over all runs so far."
    )
    table: ResultsTable | None = None
    contrasts: ResultsTable | None = None
    effects: ResultsTable | None = None
    frontier: ResultsTable | None = Field(default=None, description="What searches found, by cell.")
    meanings: Annotated[Data, _data(MEANS)] = Field(
        default={}, description="What the measures asked for are."
    )
    plan: Text = ""
    warnings: Warnings = Field(default=[], description="To be told.")
    folder: Annotated[str, _text(PATH)] = ""
    files: list[str] = Field(default=[], description="In the folder.")
    notes: Text = ""
    tags: list[str] = []
    failures: Annotated[Data, _data(FAILURES)] = Field(
        default={}, description="First failed runs: id to error."
    )
    config: Annotated[Data, _data(CONFIG_BESIDE)] = Field(
        default={}, description="What is not at its default."
    )


class JobSummary(Sparse):
    """One job in a list."""

    job_id: str
    status: str
    description: Text
    sweep_type: str
    completed_runs: int
    total_runs: int
    created_at: str = Field(description="To the minute, in UTC.")
    owner: Annotated[str, _text(TAG)] = ""
    tags: Annotated[list[str], BeforeValidator(_tags)] = []


class JobList(Answer):
    """Jobs, newest first."""

    jobs: list[JobSummary]
    total: int
    offset: int


def findings(summary: Mapping[str, Any], verdicts: Mapping[str, int]) -> Data:
    """Return what an answer tells of a summary: what is known, and the first few averages.

    Verdicts are counted where the rows of the table are many.
    """
    averages = [name for name in summary if name.startswith("avg_")]
    left_out = {"ci95", *averages[LEADING_MEASURES:]}
    told = {
        name: _searched(value) if isinstance(value, Mapping) and "arms" in value else value
        for name, value in summary.items()
        if value is not None and name not in left_out
    }
    return told | ({"verdicts": dict(verdicts)} if sum(verdicts.values()) >= MANY_ROWS else {})


def _searched(found: Mapping[str, Any]) -> Data:
    """Return what searches found by arm: their cells stand in a table of their own.

    Where that has all of them, the ends of what was found, and their ranges, are in it.
    """
    arms = {
        arm: {
            name: value
            for name, value in each.items()
            if value not in (0, "", None) and not (found.get("cells") and "_star_" in name)
        }
        for arm, each in found["arms"].items()
    }
    return {name: value for name, value in found.items() if name != "cells"} | {"arms": arms}


def results_table(
    table: Table | None, primary: str, chosen: Sequence[str], *, offset: int
) -> ResultsTable | None:
    """Return a table as an answer holds it: the columns that matter, as many rows as fit.

    Intervals stand beside the measures chosen, else beside the primary one alone.
    """
    if table is None:
        return None
    columns = shown_columns(table, primary, chosen)[:COLUMNS]
    places = [table.columns.index(name) for name in columns]
    return _cut(table, places, offset=offset, budget=ROWS)


def shown_columns(table: Table, primary: str, chosen: Sequence[str]) -> list[str]:
    """Return the columns of a table that an answer shows."""
    columns = list(table.columns)
    measures = [name for name in columns if f"{name}_low" in columns]
    if not measures:
        return columns
    wanted = list(chosen) or list(dict.fromkeys([*measures[:LEADING_MEASURES], primary]))
    left_out = {
        f"{name}{end}"
        for name in measures
        for end in ("", "_low", "_high")
        if name not in wanted or (end and not chosen and name != primary)
    }
    return [name for name in columns if name not in left_out and not name.endswith("_adjusted")]


def whole_table(table: Table | None, *, offset: int = 0) -> ResultsTable | None:
    """Return all columns of a table: what searches found, or shares of the variance."""
    if table is None:
        return None
    places = list(range(len(table.columns)))[:COLUMNS]
    return _cut(table, places, offset=offset, budget=SHORT_ROWS)


def searched_table(table: Table | None, *, offset: int) -> ResultsTable | None:
    """Return what searches found: without the parameters that are the same in all of them."""
    whole = whole_table(table, offset=offset)
    if table is None or whole is None or len(whole.rows) < whole.total_rows:
        return whole
    values = list(zip(*whole.rows, strict=True))
    same = {
        name
        for place, name in enumerate(whole.columns[: table.n_keys])
        if name != ARM and len(whole.rows) > 1 and len(set(values[place])) == 1
    }
    empty = {
        name
        for place, name in enumerate(whole.columns)
        if whole.rows and all(value == "" for value in values[place])
    }
    kept = [place for place, name in enumerate(whole.columns) if name not in same | empty]
    return whole.model_copy(
        update={
            "columns": [whole.columns[place] for place in kept],
            "rows": [[row[place] for place in kept] for row in whole.rows],
        }
    )


def said_elsewhere(results: Results) -> bool:
    """Return whether the table adds nothing: to the averages, or to what a search has found.

    Beside a contrast or effects one row of all cells is what the averages are; where all cells
    belong to a search there is no average.
    """
    table = results.table
    if table is None or results.measures:
        return False
    one_of_all = table.n_keys == 0 and table.total_rows == 1
    beside = results.contrasts is not None or results.effects is not None
    return (one_of_all and beside) or (not table.total_rows and results.frontier is not None)


def single_runs(table: Table, *, offset: int) -> ResultsTable:
    """Return single runs, as many as fit."""
    return _cut(table, list(range(len(table.columns)))[:COLUMNS], offset=offset, budget=ROWS)


def _cut(table: Table, places: Sequence[int], *, offset: int, budget: int) -> ResultsTable:
    """Return some columns, and as many rows as there is room; what names a row stays exact."""
    keys = table.n_keys
    rows = [
        [
            *finite([row[place] for place in places if place < keys]),
            *six_digits(finite([row[place] for place in places if place >= keys])),
        ]
        for row in table.rows
    ]
    return ResultsTable(
        columns=[shortened(table.columns[place], TAG * 2) for place in places],
        rows=fitted_rows(rows, budget),
        offset=offset,
        total_rows=table.total_rows,
    )


def job_summaries(jobs: Sequence[Job]) -> list[JobSummary]:
    """Return jobs as a list shows them, as many as an answer holds."""
    room, kept = JOBS, []
    for job in jobs:
        kept.append(_job_summary(job))
        room -= size(kept[-1].model_dump())
        if room < 0:
            return kept[:-1]
    return kept


def _job_summary(job: Job) -> JobSummary:
    return JobSummary(
        job_id=job.job_id,
        status=job.state,
        description=shortened(escaped(job.description)),
        sweep_type=job.config.sweep_type,
        completed_runs=job.completed_runs,
        total_runs=job.total_runs,
        created_at=f"{job.created_at.astimezone(UTC):%Y-%m-%dT%H:%MZ}",
        owner=others(job),
        tags=list(job.tags),
    )


def planned(preview: Preview, words: Sequence[str]) -> CreatedJob:
    """Return what a sweep would be.

    Parameters
    ----------
    words
        Explain the fields with one of these in their name, all of them by the word `fields`;
        without any, tell what is at its default.
    """
    config = preview.config
    more: dict[str, Any] = {"fields": _explained(config, words)} if words else _left(config)
    summary = text.planned(
        preview.runs, preview.cells, preview.seeds, preview.arms, most=config.adaptive
    )
    read = text.read_as(preview.reading, preview.like)
    return CreatedJob(
        summary=f"{read}{text.computing(summary, preview.estimate)} Nothing was stored.",
        next=NOT_STORED if words else f"{NOT_STORED[:-1]}; {EXPLAINED}.",
        total_runs=preview.runs,
        cells=preview.cells,
        seeds=preview.seeds,
        arms=list(preview.arms),
        estimate=estimated(preview),
        warnings=preview.warnings,
        like=preview.like,
        config=asked_for(config),
        **more,
    )


def estimated(preview: Preview) -> EstimateOut:
    """Return what a sweep will take, as answers tell it."""
    expected = preview.estimate
    return EstimateOut(
        seconds=None if expected.seconds is None else float(f"{expected.seconds:.2g}"),
        workers=expected.workers,
        rough=expected.rough,
        dollars=None if expected.dollars is None else round(expected.dollars, 2),
        prices_of=expected.prices_of,
    )


def tagged(job: Job) -> dict[str, Any]:
    """Return the words about a job that only some jobs have."""
    return {"notes": job.notes, "tags": _tags(job.tags)}


def _explained(config: SweepConfig, words: Sequence[str]) -> Data:
    chosen = () if ALL_FIELDS in words else tuple(words)
    return {
        each.name: "; ".join(
            filter(None, [_default(each.default), each.allowed, each.meaning.rstrip(".")])
        )
        for each in explained_fields(type(config), chosen)
    }


def _default(default: Any) -> str:
    return "" if default is None else f"default {text.values(default)}"


def _left(config: SweepConfig) -> dict[str, Any]:
    """Return the defaults that a sweep leaves as they are, and the names that have none."""
    defaults = defaults_of(config)
    varied = getattr(config, "vary", None) or ()
    said = {"sweep_type", *config.asked(), *varied, *defaults, *UNOFFERED_FIELDS}
    unset = [name for name in type(config).model_fields if name not in said]
    left = len(unset) - NAMES
    names = [shortened(name, TAG) for name in unset[:NAMES]]
    return {"defaults": defaults, "unset": [*names, *([f"… {left} more"] if left > 0 else [])]}


def asked_for(config: SweepConfig) -> Data:
    """Return what a configuration sets that is not at its default."""
    asked = config.asked().keys() | {"sweep_type"}
    return {name: value for name, value in config.as_dict().items() if name in asked}


def moments(job: Job) -> dict[str, Any]:
    """Return when *job* was created and ended, as text."""
    return job.model_dump(mode="json", include={"created_at", "completed_at"})
