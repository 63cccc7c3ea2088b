"""What earlier versions wrote is opened, imported, answered and resumed by this one."""

import contextlib
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
from tests.assets.write import SIMULATIONS
from tests.own_project import working_in, write

ASSETS = Path(__file__).parents[1] / "assets"
VERSIONS = sorted(each.name for each in ASSETS.iterdir() if (each / "expected.json").exists())
EXPECTED = {each: json.loads((ASSETS / each / "expected.json").read_text()) for each in VERSIONS}
#: Every job of every version.
JOBS = [(version, name) for version in VERSIONS for name in EXPECTED[version]]
FIRST, OURS = "0.1", "bright-ocean-swift-tiger"
HALF_DONE = "half-done-job"


@pytest.fixture(autouse=True)
def auctions(tmp_path, monkeypatch):
    """The experiment of one's own that a job of 0.2 is of."""
    with working_in(tmp_path / "project", monkeypatch) as folder:
        write(folder, auctions=SIMULATIONS)
        yield


@contextlib.asynccontextmanager
async def opened(version, folder):
    """Open a manager on a copy of the store; its jobs' folders lie in *folder*."""
    file = folder / "copy.db"
    shutil.copyfile(ASSETS / version / "store.db", file)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE jobs SET out_dir = ?", (str(folder / "out"),))
    async with AsyncJobManager(str(file), out_dir=folder / "none") as manager:
        yield manager


@contextlib.asynccontextmanager
async def imported(version, folder):
    """Open a manager on an empty store into which copies of the folders were imported."""
    shutil.copytree(ASSETS / version / "out", folder / "copies")
    async with AsyncJobManager(str(folder / "new.db"), out_dir=folder / "none") as manager:
        found = await manager.import_jobs([folder / "copies"])
        assert found.refused == {}
        yield manager


async def assert_answers(manager, version, name):
    """Compare everything that the file says of a job; averages of unfinished jobs may differ."""
    expected = EXPECTED[version][name]
    job = await manager.get_job(name)
    assert (job.status, job.completed_runs, job.total_runs) == (
        expected["status"], expected["completed"], expected["total"],
    )  # fmt: skip
    if "by" in expected and job.status == "completed":
        results = await manager.results(name, group_by=expected["by"], limit=1000)
        table = expected["table"]
        assert len(results.table.rows) == len(table["rows"])
        told = [dict(zip(results.table.columns, row, strict=True)) for row in results.table.rows]
        changed, renamed = (CHANGED, RENAMED) if version == FIRST else (set(), {})
        for row, wanted in zip(told, table["rows"], strict=True):
            values = dict(zip(table["columns"], wanted, strict=True))
            for column in values.keys() - changed:
                new = renamed.get(column, column)
                if column in renamed and row[new] is None and column.endswith(("low", "high")):
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


@pytest.mark.parametrize(("version", "name"), JOBS)
async def test_a_store_of_an_earlier_version_answers_as_it_did(version, name, tmp_path):
    async with opened(version, tmp_path) as manager:
        await assert_answers(manager, version, name)


@pytest.mark.parametrize("version", VERSIONS)
async def test_folders_of_an_earlier_version_answer_as_they_did(version, tmp_path):
    async with imported(version, tmp_path) as manager:
        names = {name for name in EXPECTED[version] if (ASSETS / version / "out" / name).is_dir()}
        for name in names - {HALF_DONE}:
            await assert_answers(manager, version, name)
        job = await manager.get_job(HALF_DONE)
        expected = EXPECTED[version][HALF_DONE]
        assert (job.status, job.total_runs) == ("cancelled", expected["total"])
        assert job.completed_runs == expected.get("in_folder", 0)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_job_that_an_earlier_version_left_half_done_is_resumed(version, tmp_path):
    expected = EXPECTED[version][HALF_DONE]
    last = str(expected["last_run"]["index"])
    async with opened(version, tmp_path) as manager:
        before = await manager.run_of(HALF_DONE, last)
        job = await manager.run_job(HALF_DONE)
        assert (job.status, job.completed_runs) == ("completed", expected["total"])
        assert await manager.run_of(HALF_DONE, last) == before
        assert (await manager.results(HALF_DONE)).table.rows[0][0] == expected["total"] / 2


@pytest.fixture
def later(monkeypatch):
    """Another version of the models: each has one parameter more."""
    for model in (RingSweep, BalancedSweep, SingleRun):
        fields = {"added_later": (float, Field(default=0.5, description="Not thought of in 0.1."))}
        grown = create_model(model.__name__, __base__=model, **fields)
        name = model.model_fields["sweep_type"].default
        monkeypatch.setitem(registry._BUILT_IN, name, (grown, registry._BUILT_IN[name][1]))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_parameter_added_later_leaves_old_folders_readable(later, version, tmp_path):
    async with imported(version, tmp_path) as manager:
        assert (await manager.get_job(OURS)).config.added_later == 0.5
        await assert_answers(manager, version, OURS)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_parameter_added_later_leaves_old_jobs_resumable(later, version, tmp_path):
    async with opened(version, tmp_path) as manager:
        job = await manager.run_job(HALF_DONE)
        assert job.completed_runs == EXPECTED[version][HALF_DONE]["total"]


def test_every_hash_of_0_1_is_recognised():
    for name in EXPECTED[FIRST]:
        file = ASSETS / FIRST / "out" / name / "job_manifest.json"
        if file.exists():
            manifest = json.loads(file.read_text())
            assert legacy_digest(manifest["config"]) == manifest["config_hash"]
