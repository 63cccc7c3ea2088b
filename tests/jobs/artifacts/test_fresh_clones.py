"""What is committed of a completed job answers in a fresh clone, with an empty store."""

import csv
import json
import shutil

import pytest

from bilancio.errors import JobNotFound
from bilancio.jobs import AsyncJobManager, JobConfig
from tests.jobs.test_imports import FRONTIER, VARIED

COMMITTED = ("job_manifest.json", "summary.json", "comparison.csv", "cells.csv")
BALANCED_FRONTIER = JobConfig(
    sweep_type="balanced", n_agents=10, kappas=["1"], n_replicates=2,
    frontier=True, frontier_delta="0.1", kappa_range=["0.2", "20"],
)  # fmt: skip
SWEEPS = {
    "single": JobConfig(sweep_type="single", n_agents=8),
    "ring": JobConfig(sweep_type="ring", n_agents=8, kappas=["0.3", "1"], n_replicates=5),
    "balanced": JobConfig(sweep_type="balanced", n_agents=10, kappas=["0.3", "1"], seeds=[7, 3]),
    "hypercube": JobConfig(
        sweep_type="ring", n_agents=8, lhs=3, kappa_range=["0.2", "5"], n_replicates=2
    ),
    "frontier": FRONTIER,
    "frontier of both arms": BALANCED_FRONTIER,
    "varied": VARIED,
}


@pytest.fixture
def cloned(tmp_path):
    """Clone the committed files of a job; give a manager with an empty store there."""
    managers = []

    def clone(job, names=COMMITTED):
        folder = tmp_path / "clone" / "out" / "experiments" / job.job_id
        folder.mkdir(parents=True)
        for name in names:
            if (job.folder / name).exists():
                shutil.copy(job.folder / name, folder / name)
        manager = AsyncJobManager(str(tmp_path / "empty.db"), out_dir=folder.parent)
        managers.append(manager)
        return manager

    return clone


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def ran(manager, sweep):
    return await manager.run_job((await manager.create_job("try", sweep)).job_id)


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=SWEEPS)
async def test_a_fresh_clone_answers_grouped_results_with_intervals(manager, cloned, sweep):
    job = await ran(manager, sweep)
    by = [*sweep.varied] if sweep.sweep_type != "single" else []
    async with cloned(job) as clone:
        theirs = await clone.results(job.job_id, group_by=by, limit=1000)
    ours = await manager.results(job.job_id, group_by=by, limit=1000)
    assert theirs.table == ours.table
    assert theirs.frontier == ours.frontier
    assert theirs.summary == ours.summary


async def test_cells_have_a_line_for_each_cell_and_seed_with_the_measures_of_each_arm(manager):
    job = await ran(manager, SWEEPS["balanced"])
    cells, runs = read(job.folder / "cells.csv"), read(job.folder / "runs.csv")
    assert len(cells) == len(runs) / 2 == 4
    assert list(cells[0])[:4] == ["job_id", "index", "cell", "outside_mid_ratio"]
    for line in cells:
        for place, arm in enumerate(("passive", "active")):
            run = runs[int(line["index"]) + place]
            assert (run["arm"], run["seed"], run["kappa"]) == (arm, line["seed"], line["kappa"])
            assert line[f"delta_total_{arm}"] == run["delta_total"]
            assert line[f"n_trades_{arm}"] == run["n_trades"]
    assert "defaulted_face_passive" not in cells[0]


async def test_runs_of_a_fresh_clone_are_completed_and_show_what_is_there(manager, cloned):
    job = await ran(manager, SWEEPS["ring"])
    async with cloned(job) as clone:
        rows = await clone.runs(job.job_id)
        assert {row["status"] for row in rows} == {"completed"}
        assert [row["delta_total"] for row in rows] == [
            row["delta_total"] for row in await manager.runs(job.job_id)
        ]
        assert "end" not in rows[0]


async def test_runs_of_a_summary_alone_are_not_called_pending(manager, cloned):
    job = await ran(manager, SWEEPS["ring"])
    async with cloned(job, ["job_manifest.json"]) as clone:
        rows = await clone.runs(job.job_id)
        assert {row["status"] for row in rows} == {"completed"}
        assert await clone.runs(job.job_id, status="pending") == []
        results = await clone.results(job.job_id)
        assert results.summary == (await manager.results(job.job_id)).summary


async def test_a_fresh_clone_never_overwrites_what_was_committed(manager, cloned):
    job = await ran(manager, SWEEPS["balanced"])
    async with cloned(job) as clone:
        files = (await clone.export_job(job.job_id)).values()
        assert not any(path.endswith("runs.csv") for path in files)
        theirs = (await clone.get_job(job.job_id)).folder
        for name in COMMITTED:
            assert (theirs / name).read_bytes() == (job.folder / name).read_bytes()


async def test_runs_of_a_fresh_clone_can_be_computed_again(manager, cloned):
    job = await ran(manager, SWEEPS["ring"])
    async with cloned(job) as clone:
        await clone.results(job.job_id)
        again = await clone.run_job(job.job_id, recompute=True)
        assert (again.status, again.completed_runs) == ("completed", 10)
        rows = await clone.runs(job.job_id)
        assert list(rows) == list(await manager.runs(job.job_id))
        theirs = (again.folder / "runs.csv").read_bytes()
        assert theirs == (job.folder / "runs.csv").read_bytes()


@pytest.mark.parametrize("column", ["seed", "cell", "index"])
async def test_cells_of_another_sweep_are_left_out(manager, cloned, column):
    job = await ran(manager, SWEEPS["ring"])
    async with cloned(job) as clone:
        path = clone.settings.out_dir / job.job_id / "cells.csv"
        lines = read(path)
        lines[1][column], lines[2][column] = "0", "77"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        assert (await clone.list_jobs()).total == 1
        results = await clone.results(job.job_id)
        assert results.table is None
        assert results.headline.endswith("left out when it was imported: cells.csv.")
        found = await clone.import_jobs([path.parent])
        assert f"cells.csv: {column}" in found.left_out[str(path)]


async def test_cells_of_more_runs_than_the_sweep_has_are_left_out(manager, cloned):
    job = await ran(manager, SWEEPS["ring"])
    async with cloned(job) as clone:
        path = clone.settings.out_dir / job.job_id / "cells.csv"
        heading, *lines = path.read_text().splitlines()
        at = heading.split(",").index("index")
        more = [*lines[-1].split(",")]
        more[at] = str(job.total_runs)
        path.write_text("\n".join([heading, *lines, ",".join(more)]) + "\n")
        found = await clone.import_jobs([path.parent])
        (reason,) = found.left_out.values()
        assert (
            "cells.csv: index: got others; allowed: increasing first runs of a cell and seed"
            in reason
        )


async def test_a_manifest_of_a_later_version_is_named_when_its_job_is_asked_for(manager, cloned):
    job = await ran(manager, SWEEPS["ring"])
    async with cloned(job) as clone:
        path = clone.settings.out_dir / job.job_id / "job_manifest.json"
        manifest = json.loads(path.read_text())
        manifest["config"]["later_option"] = 3
        path.write_text(json.dumps(manifest))
        with pytest.raises(JobNotFound, match=r"there, but refused: .*later_option: unknown field"):
            await clone.results(job.job_id)
