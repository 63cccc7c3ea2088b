"""docs/files.md: what a job leaves, file by file and column by column, as its columns.json says."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bilancio.jobs import JobManager
from bilancio.jobs.artifacts.folder import COLUMNS, NAMES
from bilancio.jobs.documents.gathering import ABOUT_FILES
from bilancio.model.parameters import BalancedParameters
from docs_src.tables import table

ABOUT = """\
# Files and columns

A job's folder is `out/experiments/NAME/`, unless `--out-dir` or `BILANCIO_OUT_DIR` say otherwise.
All files are written from the store, and again by `bilancio jobs export NAME`. Each folder has a
`columns.json` with what this page says, of its own tables, those of your own simulations included.

Tables are CSV in UTF-8 with a heading; an empty cell is a missing value. Money is in units of the
model, or in 10⁻⁶ of it where the unit says so. Of more than a million runs, `bilancio jobs export`
writes the tables.
"""
JOBS: dict[str, dict[str, Any]] = {
    "two-arms": {"sweep_type": "balanced"},
    "a-search": {
        "sweep_type": "ring",
        "vary": {"kappa": "0.1:5"},
        "threshold": {"axis": "kappa", "measure": "delta", "at_most": 0.5},
    },
}
MORE = {
    "report.html": "the report that `bilancio jobs report` writes",
    "report.md": "the same as Markdown",
}
TABLES = {
    "runs.csv": ("two-arms", "One line for each run, in the order of their numbers."),
    "cells.csv": (
        "two-arms",
        "One line for each cell and seed: the metrics that averages are made of, by arm.",
    ),
    "comparison.csv": (
        "two-arms",
        "One line for each pair, that is cell and seed: what the arms found, and the difference.",
    ),
    "frontier.csv": ("a-search", "One line for each search: here of κ, for a default rate of 0.5."),
}


def page() -> str:
    """Return the page, from small jobs that are computed for it."""
    with TemporaryDirectory() as folder:
        told = _computed(Path(folder))
    names = [name for name in NAMES if name in ABOUT_FILES or name in MORE]
    about = ABOUT_FILES | MORE
    parts = [
        ABOUT,
        "## Files\n",
        table(("file", "what it holds"), [(f"`{name}`", f"{about[name]}") for name in names]),
        "Pictures, as PNG and SVG, are in `figures/`.\n",
    ]
    for name, (job, sentence) in TABLES.items():
        columns = told[job][name]
        given = [f"`{each['name']}`" for each in columns if _is_parameter(each["name"])]
        rows = [
            (f"`{each['name']}`", each["type"], each["unit"], _meaning(each))
            for each in columns
            if not _is_parameter(each["name"])
        ]
        parts += [
            f"## {name}\n",
            f"{sentence}\n",
            f"Parameters ([Glossary](glossary.md#parameters)): {', '.join(given)}.\n"
            if given
            else "",
            table(("column", "type", "unit", "meaning"), rows),
        ]
    parts.append(
        "`runs.parquet` has the columns of `runs.csv`, typed; `failed_runs.csv` those that say"
        " which run it is, its parameters, and `error`.\n"
    )
    return "\n".join(part for part in parts if part)


def _computed(folder: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    told = {}
    with JobManager(folder / "store.db", out_dir=folder / "out") as manager:
        for name, config in JOBS.items():
            sweep = {"n_agents": 5, "n_replicates": 2, **config}
            job = manager.run_job(
                manager.create_job("columns", sweep, job_id=f"{name}-here").job_id
            )
            told[name] = json.loads((job.folder / COLUMNS).read_text(encoding="utf-8"))["files"]
    return told


def _is_parameter(name: str) -> bool:
    return name in BalancedParameters.model_fields and name not in {"seed", "arm"}


def _meaning(column: dict[str, Any]) -> str:
    words = ", ".join(column.get("values", ()))
    return f"{column['meaning']} One of {words}." if words else column["meaning"]
