"""Tables are read by other programs: words for codes, nothing for what is missing."""

import csv

import numpy as np

from bilancio.jobs import JobConfig
from bilancio.jobs.store import packing


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_a_run_without_impact_has_no_time_to_stability(manager):
    """A run in which no debt was ever settled has no last day with a settlement."""
    sweep = JobConfig(
        sweep_type="ring", n_agents=3, kappas=["0.001"], concentrations=["0.2"], n_replicates=40
    )
    job = await manager.run_job((await manager.create_job("try", sweep)).job_id)
    lines = read(job.folder / "runs.csv")
    stored = await (await manager.store()).chunks(job.job_id)
    days = packing.join(stored, job.job_id)[1]["time_to_stability"]
    assert (days == -1).any()
    assert (days >= 0).any()
    assert [line["time_to_stability"] for line in lines] == [
        "" if day < 0 else str(day) for day in days.tolist()
    ]
    assert {line["end"] for line in lines} <= {"stable", "max-days", "default", "all-defaulted"}


async def test_an_arm_that_failed_leaves_its_fields_of_cells_empty(manager, plugins, tmp_path):
    sweep = JobConfig(sweep_type="faulty", n=6, faults={2: "raise"})
    job = await manager.run_job((await manager.create_job("try", sweep)).job_id)
    lines = read(job.folder / "cells.csv")
    assert [line["index"] for line in lines] == ["0", "1", "3", "4", "5"]
    assert np.allclose([float(line["value"]) for line in lines], [0, 2, 6, 8, 10])
