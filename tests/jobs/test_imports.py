"""Jobs written out and read in again: the same results, once."""

import csv
import json

import numpy as np
import pytest

from bilancio.errors import InvalidInput, JobNotFound
from bilancio.jobs import AsyncJobManager, JobConfig, JobStatus
from bilancio.jobs.store import packing

pytestmark = pytest.mark.databases

FRONTIER = JobConfig(
    sweep_type="ring", n_agents=10, kappas=["1"], mus=[0, 1], n_replicates=3,
    frontier=True, frontier_delta="0.1", kappa_range=["0.2", "20"],
)  # fmt: skip
VARIED = JobConfig(
    sweep_type="balanced", seeds=[7, 3], maturity_days=4,
    vary={
        "n_agents": [5, 8], "default_handling": ["fail-fast", "expel-agent"],
        "anchor_update": [True, False], "dealer_share": ["0.05", "0.125"],
    },
)  # fmt: skip
SWEEPS = {
    "single": JobConfig(sweep_type="single", n_agents=8),
    "ring": JobConfig(sweep_type="ring", n_agents=8, kappas=["0.3", "1"], n_replicates=20),
    "balanced": JobConfig(sweep_type="balanced", n_agents=10, kappas=["0.3"], n_replicates=9),
    "frontier": FRONTIER,
    "varied": VARIED,
}


@pytest.fixture
async def other(tmp_path):
    """Another store, in whose output folder there is nothing."""
    async with AsyncJobManager(str(tmp_path / "other.db"), out_dir=tmp_path / "none") as other:
        yield other


async def table_of(manager, job_id):
    return packing.join(await (await manager.store()).chunks(job_id), job_id)


async def assert_same_results(manager, other, job_id):
    (indices, metrics), (again, read) = (
        await table_of(manager, job_id),
        await table_of(other, job_id),
    )
    assert indices.tolist() == again.tolist()
    assert metrics.dtype == read.dtype
    assert metrics.tobytes() == read.tobytes()


async def exported(manager, job, folder):
    await manager.export_job(job.job_id, folder)
    return folder / job.job_id


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=SWEEPS)
async def test_results_come_back_bit_by_bit(manager, other, tmp_path, sweep):
    job = await manager.run_job((await manager.create_job("try", sweep)).job_id)
    folder = await exported(manager, job, tmp_path / "export")
    back = await other.import_job(folder)
    await assert_same_results(manager, other, job.job_id)
    assert (back.status, back.completed_runs) == (job.status, job.completed_runs)
    first, second = [await each.results(job.job_id) for each in (manager, other)]
    assert (first.headline, first.table, first.frontier) == (
        second.headline, second.table, second.frontier,
    )  # fmt: skip


async def test_an_export_writes_the_same_files_as_the_worker(manager, small, tmp_path):
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    files = await manager.export_job(job.job_id, tmp_path / "export")
    for name in ("job_manifest.json", "runs.csv", "comparison.csv", "summary.json"):
        assert files[name] == str(tmp_path / "export" / job.job_id / name)
        assert (job.folder / name).read_bytes() == (
            tmp_path / "export" / job.job_id / name
        ).read_bytes()


async def test_an_export_without_a_folder_writes_the_jobs_own_files_again(manager, small):
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    before = (job.folder / "runs.csv").read_bytes()
    (job.folder / "runs.csv").unlink()
    await manager.export_job(job.job_id)
    assert (job.folder / "runs.csv").read_bytes() == before


async def test_results_of_a_plugged_in_experiment_come_back(manager, other, plugins, tmp_path):
    job = await manager.create_job("try", JobConfig(sweep_type="trivial", n=2500))
    await manager.run_job(job.job_id)
    await other.import_job(await exported(manager, job, tmp_path / "export"))
    await assert_same_results(manager, other, job.job_id)


async def test_failed_runs_come_back_with_their_errors_and_can_be_retried(
    manager, other, plugins, tmp_path
):
    config = JobConfig(
        sweep_type="faulty", n=20, faults={3: "raise", 7: "raise"}, mended=str(tmp_path / "mended")
    )
    job = await manager.run_job((await manager.create_job("try", config)).job_id)
    back = await other.import_job(await exported(manager, job, tmp_path / "export"))
    assert (back.status, back.completed_runs, back.failed_runs) == (JobStatus.FAILED, 18, 2)
    failed = await (await other.store()).failed_runs(job.job_id)
    assert failed == await (await manager.store()).failed_runs(job.job_id)
    (tmp_path / "mended").touch()
    done = await other.run_job(job.job_id)
    assert (done.status, done.completed_runs, done.failed_runs) == (JobStatus.COMPLETED, 20, 0)


@pytest.mark.slow
async def test_tables_longer_than_what_is_read_at_once_have_one_heading_and_come_back(
    manager, other, plugins, tmp_path
):
    sweep = JobConfig(sweep_type="trivial", n=40_001)
    job = await manager.run_job((await manager.create_job("try", sweep)).job_id)
    folder = await exported(manager, job, tmp_path / "export")
    for name in ("runs.csv", "cells.csv"):
        with (folder / name).open(newline="") as file:
            heading, *rows = csv.reader(file)
        at = heading.index("index")
        assert [row[at] for row in rows] == list(map(str, range(40_001)))
    await other.import_job(folder)
    assert (await other.events(job.job_id))[0].details["source"] == "runs.csv"
    await assert_same_results(manager, other, job.job_id)


async def test_manually_recorded_runs_come_back(manager, other, small, tmp_path):
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    await manager.record_progress(job.job_id, "first, of mine", {"delta": 1 / 3, "n": 2})
    await manager.record_progress(job.job_id, "second", {"delta": -0.0, "extra": 1e-300})
    await manager.complete_job(job.job_id, {"avg": 0.25})
    assert (job.folder / "runs.csv").exists()
    back = await other.import_job(await exported(manager, job, tmp_path / "export"))
    assert back.summary == {"avg": 0.25}
    assert list(back.run_ids) == ["first, of mine", "second"]
    assert repr(await other.runs(job.job_id)) == repr(await manager.runs(job.job_id))


@pytest.mark.parametrize("run_id", ["a run more", "first", ""])
async def test_manual_runs_that_the_manifest_does_not_count_are_left_out(
    manager, other, small, tmp_path, run_id
):
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    for name in ("first", "second"):
        await manager.record_progress(job.job_id, name, {"delta": 0.5})
    job = await manager.complete_job(job.job_id)
    folder = await exported(manager, job, tmp_path / "export")
    with (folder / "runs.csv").open("a") as file:
        file.write(f"{job.job_id},{run_id},2,0.5\n")
    found = await other.import_jobs([folder])
    (reason,) = found.left_out.values()
    assert f"run_id: got '{run_id}'; allowed: 2 runs, each once" in reason
    assert [job.completed_runs for job in found.jobs] == [2]
    assert await (await other.store()).chunks(job.job_id) == []


async def test_manually_recorded_numbers_that_are_not_finite_come_back(
    manager, other, small, tmp_path
):
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    numbers = {"delta": float("nan"), "most": float("inf"), "n": 2}
    await manager.record_progress(job.job_id, "first", numbers)
    await manager.complete_job(job.job_id, {})
    await other.import_job(await exported(manager, job, tmp_path / "export"))
    await assert_same_results(manager, other, job.job_id)


async def test_importing_again_changes_nothing(manager, other, small, tmp_path):
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    folder = await exported(manager, job, tmp_path / "export")
    first = await other.import_jobs([folder])
    events = await other.events(job.job_id)
    again = await other.import_jobs([folder, folder / "job_manifest.json"])
    assert [each.job_id for each in first.jobs] == [job.job_id]
    assert (again.jobs, again.refused) == ((), {})
    assert [each.job_id for each in again.already_there] == [job.job_id] * 2
    assert await other.events(job.job_id) == events


async def test_a_name_with_another_configuration_is_refused(manager, other, small, tmp_path):
    job = await manager.create_job("one", small, job_id="my-own-name")
    folder = await exported(manager, job, tmp_path / "export")
    await other.create_job("two", SWEEPS["ring"], job_id="my-own-name")
    found = await other.import_jobs([folder])
    (reason,) = found.refused.values()
    assert "job_id: got 'my-own-name'; allowed: a job with the same configuration, or" in reason
    assert (await other.exact("my-own-name")).description == "two"
    with pytest.raises(InvalidInput, match="a name that the store does not have"):
        await other.import_job(folder)


async def test_a_folder_of_job_folders_is_imported_whole(manager, other, small, tmp_path):
    names = [f"job-{number}" for number in range(3)]
    for name in names:
        await exported(manager, await manager.create_job("try", small, job_id=name), tmp_path / "e")
    found = await other.import_jobs([tmp_path / "e"])
    assert [job.job_id for job in found.jobs] == names


async def test_each_path_is_imported_or_refused_by_itself(manager, other, small, tmp_path):
    good = await exported(manager, await manager.create_job("try", small), tmp_path / "export")
    (tmp_path / "empty").mkdir()
    (tmp_path / "letter").mkdir()
    (tmp_path / "letter" / "job_manifest.json").write_bytes(b"\xff\xfeDear reader")
    found = await other.import_jobs(
        [tmp_path / "empty", tmp_path / "letter", good, tmp_path / "none"]
    )
    assert len(found.jobs) == 1
    assert [path.removeprefix(str(tmp_path)) for path in found.refused] == [
        "/empty", "/letter/job_manifest.json", "/none",
    ]  # fmt: skip
    assert (await other.list_jobs()).total == 1


def damaged(folder, change):
    with (folder / "runs.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    change(lines)
    with (folder / "runs.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)


DAMAGE = {
    "a run of another job": lambda lines: lines[1].__setitem__(1, "balanced_passive_000000000000"),
    "a word for a number": lambda lines: lines[2].__setitem__(-2, "many"),
    "a line cut off": lambda lines: lines[3].__delitem__(slice(2, None)),
    "no indexes": lambda lines: lines[0].__setitem__(2, "number"),
    "a run twice": lambda lines: lines.insert(4, lines[3]),
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
async def test_a_damaged_table_costs_itself_and_the_import_says_so(
    manager, other, small, tmp_path, change
):
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    folder = await exported(manager, job, tmp_path / "export")
    damaged(folder, change)
    found = await other.import_jobs([folder])
    assert (len(found.jobs), found.refused) == (1, {})
    assert list(found.left_out) == [str(folder / "runs.csv")]
    assert "allowed" in found.left_out[str(folder / "runs.csv")]
    results = await other.results(job.job_id, group_by=["kappa"])
    assert results.table == (await manager.results(job.job_id, group_by=["kappa"])).table


async def test_with_no_table_that_can_be_read_a_job_answers_with_its_headline(
    manager, other, small, tmp_path
):
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    folder = await exported(manager, job, tmp_path / "export")
    for name in ("runs.csv", "cells.csv", "comparison.csv"):
        whole = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(whole[:-1]))
    found = await other.import_jobs([folder])
    assert [(job.status, job.completed_runs) for job in found.jobs] == [("completed", 16)]
    assert [path.rpartition("/")[2] for path in found.left_out] == [
        "runs.csv", "cells.csv", "comparison.csv",
    ]  # fmt: skip
    results = await other.results(job.job_id)
    assert results.summary == job.summary
    assert results.headline.endswith(
        "they can be recomputed. "
        "Damaged, and left out when it was imported: runs.csv, cells.csv, comparison.csv."
    )
    again = await other.run_job(job.job_id, recompute=True)
    assert again.completed_runs == 16


async def test_an_unfinished_job_with_a_damaged_table_computes_its_runs_again(
    manager, other, tmp_path, plugins
):
    config = JobConfig(sweep_type="faulty", n=6, faults={3: "raise"}, mended=str(tmp_path / "m"))
    job = await manager.run_job((await manager.create_job("try", config)).job_id)
    folder = await exported(manager, job, tmp_path / "export")
    (folder / "runs.csv").write_text("no table")
    (back,) = (await other.import_jobs([folder])).jobs
    assert (back.status, back.completed_runs, back.failed_runs) == ("failed", 0, 1)
    (tmp_path / "m").touch()
    assert (await other.run_job(job.job_id)).completed_runs == 6


async def test_a_damaged_table_of_failed_runs_costs_their_reasons(
    manager, other, tmp_path, plugins
):
    config = JobConfig(sweep_type="faulty", n=6, faults={3: "raise"})
    job = await manager.run_job((await manager.create_job("try", config)).job_id)
    folder = await exported(manager, job, tmp_path / "export")
    (folder / "failed_runs.csv").write_text("no table")
    found = await other.import_jobs([folder])
    assert list(found.left_out) == [str(folder / "failed_runs.csv")]
    assert [job.completed_runs for job in found.jobs] == [5]
    assert list((await other.results(job.job_id)).failures.values()) == [
        "seed 0: no reason is known"
    ]


async def test_a_run_with_results_has_not_failed_whatever_the_other_table_says(
    manager, other, tmp_path, plugins
):
    config = JobConfig(sweep_type="faulty", n=6, faults={3: "raise"})
    job = await manager.run_job((await manager.create_job("try", config)).job_id)
    folder = await exported(manager, job, tmp_path / "export")
    runs = (folder / "runs.csv").read_text().splitlines()
    third = [job.job_id, job.run_ids[3], "3", *runs[1].split(",")[3:]]
    runs.insert(4, ",".join(third))
    (folder / "runs.csv").write_text("\n".join(runs) + "\n")
    found = await other.import_jobs([folder])
    assert "run 3 has results in runs.csv" in found.left_out[str(folder / "failed_runs.csv")]
    assert [(job.completed_runs, job.failed_runs) for job in found.jobs] == [(6, 0)]


async def test_a_manual_job_that_takes_runs_is_refused_with_a_damaged_table(
    manager, other, small, tmp_path
):
    """Nobody could compute its runs again, and the table would be written anew without them."""
    job = await manager.create_job("try", small)
    await manager.start_job(job.job_id)
    await manager.record_progress(job.job_id, "first", {"value": 1.0})
    folder = await exported(manager, job, tmp_path / "export")
    whole = (folder / "runs.csv").read_text()
    (folder / "runs.csv").write_text(whole.replace("1.0", "one"))
    found = await other.import_jobs([folder])
    assert (found.jobs, len(found.refused)) == ((), 1)
    (folder / "runs.csv").write_text(whole)
    await manager.complete_job(job.job_id)
    await manager.export_job(job.job_id, tmp_path / "export")
    (folder / "runs.csv").write_text(whole.replace("1.0", "one"))
    assert [job.completed_runs for job in (await other.import_jobs([folder])).jobs] == [1]


async def test_a_manifest_that_was_changed_is_refused(manager, other, small, tmp_path):
    folder = await exported(manager, await manager.create_job("try", small), tmp_path / "export")
    manifest = json.loads((folder / "job_manifest.json").read_text())
    manifest["config"]["n_agents"] = 11
    (folder / "job_manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InvalidInput, match=r"config_hash: got .* the hash of its config"):
        await other.import_job(folder)


async def test_a_job_without_single_runs_keeps_the_tables_that_it_came_with(
    manager, other, small, tmp_path
):
    """Of a fresh clone with a summary only, nothing that was committed is overwritten."""
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    folder = await exported(manager, job, tmp_path / "export")
    (folder / "runs.csv").unlink()
    (folder / "comparison.csv").rename(folder / "kept.csv")
    await other.import_job(folder)
    (folder / "kept.csv").rename(folder / "comparison.csv")
    before = (folder / "comparison.csv").read_bytes()
    await other.export_job(job.job_id)
    assert (folder / "comparison.csv").read_bytes() == before
    assert not (folder / "runs.csv").exists()


async def test_what_is_unknown_cannot_be_exported(manager):
    with pytest.raises(JobNotFound):
        await manager.export_job("castle-river-mountain-forest")


def test_numbers_of_a_plug_in_are_read_as_what_they_look_like():
    from bilancio.jobs.artifacts.run_tables import _kind

    texts = ["3", "-3", "3.0", "1e-300", "nan", "inf", "", "True"]
    assert [_kind(text) for text in texts] == [
        np.int64, np.int64, *[np.float64] * 5, np.bool_,
    ]  # fmt: skip
