"""What earlier versions wrote is opened, imported, answered and resumed by this one."""

import json
import math
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import Field, create_model

from bilancio.experiments import registry
from bilancio.experiments.configs import BalancedSweep, RingSweep, SingleRun
from bilancio.experiments.sweep_config import legacy_digest
from bilancio.jobs import AsyncJobManager

ASSETS = Path(__file__).parents[1] / "assets" / "0.1"
EXPECTED = json.loads((ASSETS / "expected.json").read_text())
WITH_FOLDER = [name for name in EXPECTED if (ASSETS / "out" / name).is_dir()]


@pytest.fixture
async def opened(tmp_path):
    """A manager on a copy of the store; its jobs' folders lie in the test's folder."""
    file = tmp_path / "copy.db"
    shutil.copyfile(ASSETS / "store.db", file)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE jobs SET out_dir = ?", (str(tmp_path / "out"),))
    async with AsyncJobManager(str(file), out_dir=tmp_path / "none") as manager:
        yield manager


@pytest.fixture
async def imported(tmp_path):
    """A manager on an empty store into which copies of the folders were imported."""
    shutil.copytree(ASSETS / "out", tmp_path / "copies")
    async with AsyncJobManager(str(tmp_path / "new.db"), out_dir=tmp_path / "none") as manager:
        found = await manager.import_jobs([tmp_path / "copies"])
        assert found.refused == {}
        yield manager


async def assert_answers(manager, name):
    """Compare everything that the file says of a job; averages of unfinished jobs may differ."""
    expected = EXPECTED[name]
    job = await manager.get_job(name)
    assert (job.status, job.completed_runs, job.total_runs) == (
        expected["status"], expected["completed"], expected["total"],
    )  # fmt: skip
    if "by" in expected and job.status == "completed":
        results = await manager.results(name, group_by=expected["by"], limit=1000)
        table = expected["table"]
        assert len(results.table.rows) == len(table["rows"])
        told = [dict(zip(results.table.columns, row, strict=True)) for row in results.table.rows]
        for row, wanted in zip(told, table["rows"], strict=True):
            values = dict(zip(table["columns"], wanted, strict=True))
            for column in values.keys() - CHANGED:
                new = RENAMED.get(column, column)
                if column in RENAMED and row[new] is None and column.endswith(("low", "high")):
                    mean = values[column.partition("_ci95")[0]]
                    assert values[column] in {None, mean}, column  # all seeds are equal
                else:
                    assert same(row[new], values[column]), column
        assert same(
            {name: results.summary[name] for name in expected["summary"]}, expected["summary"]
        )
    if "first_run" in expected:
        done = [await manager.run_of(name, str(expected[each]["index"])) for each in ENDS]
        assert same(done, [expected[each] for each in ENDS])


ENDS = ("first_run", "last_run")
# Relief is the ratio of means now, and the profits of an arm say which one it is.
CHANGED = {"trading_relief_ratio"}
RENAMED = {
    "dealer_pnl": "dealer_pnl_active",
    "vbt_pnl": "vbt_pnl_active",
    "trading_effect_ci95_low": "trading_effect_low",
    "trading_effect_ci95_high": "trading_effect_high",
    "delta_total_ci95_low": "delta_total_low",
    "delta_total_ci95_high": "delta_total_high",
}


def same(given, wanted):
    """Compare values as JSON holds them, numbers to the last digits but two."""
    if isinstance(wanted, dict):
        return given.keys() == wanted.keys() and all(same(given[k], wanted[k]) for k in wanted)
    if isinstance(wanted, list):
        return len(given) == len(wanted) and all(map(same, given, wanted))
    if isinstance(wanted, float) and isinstance(given, float):
        return math.isclose(given, wanted, rel_tol=1e-12, abs_tol=1e-15)
    return given == wanted


@pytest.mark.parametrize("name", EXPECTED)
async def test_a_store_of_0_1_answers_as_it_did(opened, name):
    await assert_answers(opened, name)


@pytest.mark.parametrize("name", [name for name in WITH_FOLDER if name != "half-done-job"])
async def test_a_folder_of_0_1_answers_as_it_did(imported, name):
    await assert_answers(imported, name)


async def test_the_folder_of_a_cancelled_job_of_0_1_holds_no_runs(imported):
    job = await imported.get_job("half-done-job")
    assert (job.status, job.completed_runs, job.total_runs) == ("cancelled", 0, 960)


async def test_a_job_that_0_1_left_half_done_is_resumed_to_its_end(opened):
    before = await opened.run_of("half-done-job", "355")
    job = await opened.run_job("half-done-job")
    assert (job.status, job.completed_runs) == ("completed", 960)
    assert await opened.run_of("half-done-job", "355") == before
    assert (await opened.results("half-done-job")).table.rows[0][0] == 480


@pytest.fixture
def later(monkeypatch):
    """Another version of the models: each has one parameter more."""
    for model in (RingSweep, BalancedSweep, SingleRun):
        fields = {"added_later": (float, Field(default=0.5, description="Not thought of in 0.1."))}
        grown = create_model(model.__name__, __base__=model, **fields)
        name = model.model_fields["sweep_type"].default
        monkeypatch.setitem(registry._BUILT_IN, name, (grown, registry._BUILT_IN[name][1]))


async def test_a_parameter_added_later_leaves_old_folders_readable(later, imported):
    job = await imported.get_job("bright-ocean-swift-tiger")
    assert job.config.added_later == 0.5
    await assert_answers(imported, "bright-ocean-swift-tiger")


async def test_a_parameter_added_later_leaves_old_jobs_resumable(later, opened):
    job = await opened.run_job("half-done-job")
    assert (job.status, job.completed_runs) == ("completed", 960)


def test_every_hash_of_0_1_is_recognised():
    for name in WITH_FOLDER:
        manifest = json.loads((ASSETS / "out" / name / "job_manifest.json").read_text())
        assert legacy_digest(manifest["config"]) == manifest["config_hash"]
