"""columns.json says of each column of each table what it is."""

import csv
import json

import pytest

from bilancio.experiments import registry
from bilancio.jobs import JobConfig, JobManager

TABLES = ("runs.csv", "cells.csv", "comparison.csv", "frontier.csv", "failed_runs.csv")
SWEEPS = {
    "balanced": {"sweep_type": "balanced", "n_agents": 5, "kappas": ["0.5", "1"], "seeds": [1, 2]},
    "single": {"sweep_type": "single", "n_agents": 3},
    "points and frontier": {
        "sweep_type": "ring", "n_agents": 5, "points": [{"kappa": 2, "mu": 1}], "frontier": True,
        "kappa_range": "0.5:4", "frontier_tolerance": "0.5",
    },
}  # fmt: skip


def done(config):
    with JobManager() as manager:
        return manager.run_job(manager.create_job("described", config).job_id)


def told(job):
    return json.loads((job.folder / "columns.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SWEEPS)
def test_every_column_of_every_table_is_described(name):
    job = done(JobConfig(**SWEEPS[name]))
    found = told(job)
    assert found["job_id"] == job.job_id
    headings = {}
    for file in TABLES:
        if (job.folder / file).exists():
            with (job.folder / file).open(encoding="utf-8", newline="") as table:
                headings[file] = next(csv.reader(table))
    assert {file: [each["name"] for each in of] for file, of in found["files"].items()} == headings
    for of in found["files"].values():
        for each in of:
            assert each["meaning"].endswith("."), each
            assert each["type"] in {"text", "integer", "number", "boolean"}, each


def test_metrics_measures_and_parameters_say_what_is_declared():
    found = told(done(JobConfig(**SWEEPS["balanced"])))["files"]
    runs, cells, pairs = ({each["name"]: each for each in found[file]} for file in TABLES[:3])
    declared = {each.name: each for each in registry.experiment("balanced").metrics}
    for name in ("delta_total", "dealer_pnl", "n_trades"):
        assert runs[name]["unit"] == declared[name].unit
        assert runs[name]["meaning"] == declared[name].meaning
    assert runs["end"]["values"] == ["stable", "max-days", "default", "all-defaulted"]
    assert runs["kappa"]["meaning"] == "Liquidity ratio κ: cash / debt of the ring."
    assert cells["delta_total_active"]["meaning"] == (
        "Default rate: share of debt defaulted on, 1 − phi_total, active arm."
    )
    assert pairs["trading_effect"] == {
        "name": "trading_effect", "type": "number", "unit": "1",
        "meaning": "delta_passive − delta_active.",
    }  # fmt: skip


def test_columns_of_a_plug_in_that_declares_nothing_have_their_types(plugins):
    found = told(done({"sweep_type": "faulty", "n": 4, "faults": {2: "raise"}}))["files"]
    runs = {each["name"]: each for each in found["runs.csv"]}
    assert (runs["value"]["type"], runs["value"]["meaning"]) == ("number", "")
    errors = {each["name"]: each["meaning"] for each in found["failed_runs.csv"]}
    assert errors["error"] == "Why the run failed."


def test_a_folder_with_a_table_that_is_none_is_described_without_it():
    job = done(JobConfig(**SWEEPS["single"]))
    (job.folder / "comparison.csv").write_bytes(b"\xff\xfe,\x00\n")
    with JobManager() as manager:
        manager.export_job(job.job_id)
    assert set(told(job)["files"]) == {"runs.csv", "cells.csv"}
