"""columns.json: what each column of each table in a job's folder is.

It is made of the headings of the tables that are there and of what is declared: parameters, metrics
and measures.
"""

import csv
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

from bilancio.encoding import to_json
from bilancio.errors import InvalidInput, LibraryMissing
from bilancio.experiments import registry
from bilancio.experiments.dictionary import PLACES, Dictionary, Facts, parameter_facts
from bilancio.jobs.artifacts.folder import (
    CELLS,
    COLUMNS,
    COMPARISON,
    FAILED,
    FRONTIER,
    PARQUET,
    RUNS,
    is_file,
    write_whole,
)
from bilancio.jobs.artifacts.run_tables import opened_table
from bilancio.jobs.models import Job

Sample = dict[str, str]

TABLES = (RUNS, PARQUET, CELLS, COMPARISON, FRONTIER, FAILED)


def write_dictionary(job: Job) -> None:
    """Write columns.json for the tables in the folder of *job*.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    text = to_json({"job_id": job.job_id, "files": dictionary(job)}, indent=2)
    write_whole(job.folder / COLUMNS, f"{text}\n", durable=False)


def dictionary(job: Job) -> dict[str, list[dict[str, Any]]]:
    """Return what the columns of the tables in the folder of *job* are, by file."""
    samples = {name: _sample(job, name) for name in TABLES}
    runs = samples[RUNS] or samples[PARQUET]
    known = {each.name for each in PLACES} | set(parameter_facts(job.config))
    recorded = [name for name in runs if name not in known]
    about = Dictionary(registry.experiment(job.config.sweep_type), job.config, recorded)
    readers: dict[str, Callable[[str], Facts]] = {
        RUNS: about.of,
        PARQUET: about.of,
        CELLS: about.by_arm,
        COMPARISON: about.measure,
        FRONTIER: about.searched,
        FAILED: about.of,
    }
    return {
        file: [_entry(readers[file](name), value) for name, value in sample.items()]
        for file, sample in samples.items()
        if sample
    }


def _sample(job: Job, name: str) -> Sample:
    """Return the columns of a table, each with its value in the first row; none if unreadable."""
    path = job.folder / name
    if not is_file(path):
        return {}
    try:
        with opened_table(path) as table:
            first = next(islice(table.lines, 1), [""] * len(table.columns))
            return dict(zip(table.columns, first, strict=True))
    except (InvalidInput, LibraryMissing, OSError, TypeError, ValueError, csv.Error):
        return {}


def _entry(facts: Facts, value: str) -> dict[str, Any]:
    """Return what is known of a column; its type, where none is declared, from its first value."""
    told = asdict(facts if facts.type else replace(facts, type=_type(value)))
    return told if facts.values else {name: told[name] for name in told if name != "values"}


def _type(text: str) -> str:
    if text in {"True", "False"}:
        return "boolean"
    if text.lstrip("-").isdigit():
        return "integer"
    try:
        float(text or "nan")
    except ValueError:
        return "text"
    return "number"
