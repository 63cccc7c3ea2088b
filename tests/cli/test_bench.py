"""The measuring works; what it measures is for people to judge."""

import pytest

from bilancio.bench import engine, executors, scale, stores, system
from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.jobs.manager import AsyncJobManager


@pytest.fixture
def few(monkeypatch):
    """Measure one size of each kind only."""
    monkeypatch.setattr(engine, "SIZES", ((100, 10),))
    monkeypatch.setattr(engine, "SEEDS", 1)


@pytest.fixture
def small(monkeypatch):
    """Measure small sweeps, with the trivial experiment known."""
    monkeypatch.setenv("BILANCIO_PLUGINS", "bilancio.bench.system:TRIVIAL")
    registry._plugins.cache_clear()
    monkeypatch.setattr(system, "MANY", 2000)
    monkeypatch.setattr(system, "RING_RUNS", 500)
    monkeypatch.setattr(system, "BYTES_RUNS", 20_000)
    yield
    registry._plugins.cache_clear()


def test_the_table_tells_machine_versions_and_whether_targets_are_met(bilancio, few):
    said = bilancio("bench")
    assert (said.code, said.err) == (0, "")
    assert "numba" in said.out
    row = next(line for line in said.out.splitlines() if line.startswith("pair, n = 100, D = 10"))
    assert "≤ 95 " in row
    assert row.rstrip().endswith("met")


def test_json_has_every_finding_with_its_target(bilancio, few):
    found = bilancio("bench", "--json").json
    assert set(found["versions"]) == {"python", "bilancio", "numpy", "numba", "scipy"}
    targets = {each["what"].partition(",")[0]: each["at_most"] for each in found["findings"]}
    assert targets == {"ring": 8, "passive": 30, "active": None, "pair": 95}
    for each in found["findings"]:
        assert each["value"] > 0
        assert each["met"] == (
            None if each["at_most"] is None else each["value"] <= each["at_most"]
        )


async def test_sweeps_and_the_store_are_measured(small, tmp_path):
    async with AsyncJobManager() as manager:
        found = [each async for each in system.a_sweep(manager)]
        found += [each async for each in system.many_runs(manager)]
    found.append(await system.bytes_per_run(tmp_path))
    assert all(each.value > 0 for each in found)
    assert max(len(each.what) for each in found) <= 38
    shares = [each.value for each in found if each.unit == "%"]
    assert len(shares) == 2
    assert max(shares) <= 100
    assert system.model.simulate_many.__module__ == "bilancio.model.engine"


async def test_a_database_is_measured_beside_a_file_and_left_without_jobs(
    small, postgres_url, tmp_path, monkeypatch
):
    monkeypatch.setenv("BILANCIO_DATABASE_URL", postgres_url)
    found = [each async for each in stores.findings(tmp_path)]
    assert [each.at_least for each in found] == [10**6, None, None, 500_000, None, None, None]
    assert all(each.value > 0 for each in found)
    async with AsyncJobManager() as manager:
        assert (await manager.list_jobs()).total == 0
        await manager.create_job("one's own", {"sweep_type": "ring"})
    with pytest.raises(InvalidInput, match="--store: got one with 1 job; allowed: a database for"):
        [each async for each in stores.findings(tmp_path)]


@pytest.mark.slow
def test_dask_is_measured_beside_this_machines_own_threads(monkeypatch):
    monkeypatch.setattr(executors, "ROUNDS", 1)
    monkeypatch.setattr(executors, "SHORT", 100)
    monkeypatch.setattr(executors, "BATCH_S", 0.01)
    found = list(executors.findings())
    assert [each.at_least for each in found] == [None, None, 85]
    assert all(each.value > 0 for each in found)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--executor", "ray"], "--executor: got 'ray'; allowed: dask."),
        (["--store", "x.db"], "--store: got 'x.db'; allowed: the address of a PostgreSQL database"),
    ],
    ids=["executor", "store"],
)
def test_what_cannot_be_measured_beside_another_is_refused(bilancio, words, said):
    done = bilancio("bench", *words)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(said)


@pytest.mark.slow
def test_jobs_of_very_many_runs_are_measured_by_the_memory_that_they_take(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "RUNS", 2000)
    found = list(scale.findings(tmp_path))
    assert [each.unit for each in found] == ["s", "MiB", "s", "MiB"]
    assert max(len(each.what) for each in found) <= 38
    assert all(each.value > 0 for each in found)


@pytest.mark.slow
def test_memory_hardly_grows_with_the_number_of_runs(tmp_path):
    """All runs in memory at once would take 100 MiB more than a few do."""
    few, many = (
        {
            each.step: each.mebibytes
            for each in scale.measured(
                ["carry_out", "grouped"], tmp_path / str(runs), runs=runs, metrics=5
            )
        }
        for runs in (1000, 400_000)
    )
    assert {step: many[step] - few[step] for step in few if many[step] - few[step] > 64} == {}
