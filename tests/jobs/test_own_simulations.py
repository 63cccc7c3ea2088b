"""A decorated function runs as a job like the simulations that are built in."""

import pytest

from bilancio.errors import InvalidInput, JobStateError
from bilancio.experiments import registry
from bilancio.jobs import AsyncJobManager, JobStatus
from tests.own_project import copy_example, name_modules, working_in, write

WORDS = """
from enum import StrEnum
from bilancio import experiment

class Rule(StrEnum):
    FIRST = "first"
    LAST = "last"

@experiment("words", arms=("plain", "double"))
def simulate(
    seed: int, arm: str, *, rate: float = 0.5, servers: int = 2, rule: Rule = Rule.FIRST,
    lazy: bool = False,
) -> dict[str, float]:
    assert isinstance(rate, float) and isinstance(servers, int) and isinstance(rule, Rule)
    assert lazy is True or lazy is False
    value = seed + 10 * rate + 100 * servers + 1000 * (rule is Rule.LAST) + 10_000 * lazy
    return {"value": value * (2 if arm == "double" else 1), "servers_seen": servers}
"""
FAULTY = """
import os
from bilancio import experiment

@experiment("faulty-queue", version="1")
def simulate(seed: int, fault: str = "none") -> dict[str, float]:
    wrong = seed == 3 and not os.path.exists("mended")
    if wrong and fault == "raise":
        raise ArithmeticError("no solution")
    if wrong and fault == "keys":
        return {"wait": 1.0, "other": 2.0}
    if wrong and fault == "text":
        return {"wait": "long"}
    if wrong and fault == "list":
        return [1.0]
    if wrong and fault == "exit":
        os._exit(3)
    return {"wait": float("nan") if seed == 2 else seed}
"""
SIMPLE = """
from bilancio import experiment

@experiment("simple")
def simulate(seed: int, rate: float = 0.5) -> dict[str, float]:
    return {"wait": seed * rate}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    with working_in(tmp_path / "study", monkeypatch) as folder:
        yield folder


async def carried_out(manager, config):
    return await manager.run_job((await manager.create_job("try", config)).job_id)


async def all_runs(manager, job):
    return list(await manager.runs(job.job_id, limit=1000))


async def test_every_run_is_the_function_called_with_its_parameters(folder, manager):
    write(folder, words=WORDS)
    vary = {"rate": "0.5:1.5:0.5", "rule": ["first", "last"], "lazy": [False, True]}
    config = {"sweep_type": "words", "vary": vary, "servers": 3, "n_replicates": 2}
    job = await carried_out(manager, config)
    assert (job.status, job.total_runs) == (JobStatus.COMPLETED, 48)
    from words import Rule, simulate

    for run in await all_runs(manager, job):
        given = {name: run[name] for name in ("seed", "arm", "rate", "lazy")}
        assert run["value"] == simulate(**given, servers=3, rule=Rule(run["rule"]))["value"]


@pytest.mark.parametrize(
    "design",
    [
        {"vary": {"rate": "0.5:0.9", "servers": "1:4"}, "lhs": 5},
        {"vary": {"rate": "0.5:0.9", "servers": "1:4"}, "sobol": 4},
        {"points": [{"rate": 0.3, "rule": "last"}, {"rate": 0.4, "lazy": True}]},
    ],
    ids=["lhs", "sobol", "points"],
)
async def test_all_designs_lay_out_the_cells_of_a_function(folder, manager, design):
    write(folder, words=WORDS)
    job = await carried_out(manager, {"sweep_type": "words", "n_replicates": 2, **design})
    assert job.status is JobStatus.COMPLETED
    for run in await all_runs(manager, job):
        arm = 2 if run["arm"] == "double" else 1
        servers, rule, lazy = run.get("servers", 2), run.get("rule"), run.get("lazy", False)
        value = run["seed"] + 10 * run["rate"] + 100 * servers
        value += 1000 * (rule == "last") + 10_000 * lazy
        assert run["value"] == pytest.approx(arm * value)


async def test_a_batch_function_gives_what_single_runs_give(folder, manager):
    copy_example("vectorised", folder)
    vary = {"capital": [0, 1, 5], "loading": "0.1:0.3:0.1"}
    job = await carried_out(manager, {"sweep_type": "ruin", "vary": vary, "n_replicates": 40})
    assert job.status is JobStatus.COMPLETED
    import numpy as np
    from ruin import simulate

    for run in (await all_runs(manager, job))[::17]:
        alone = simulate(np.array([run["seed"]]), run["capital"], run["loading"])
        assert run["ruined"] == alone["ruined"][0]
        assert run["capital_end"] == alone["capital_end"][0]


async def test_arms_are_compared_in_pairs_and_the_second_minus_the_first_is_said(folder, manager):
    write(folder, words=WORDS)
    job = await carried_out(manager, {"sweep_type": "words", "n_replicates": 3, "base_seed": 1})
    results = await manager.results(job.job_id)
    columns = results.table.columns
    row = dict(zip(columns, results.table.rows[0], strict=True))
    assert row["value_plain"] == 207
    assert row["value_double"] == 414
    assert row["value_difference"] == 207
    assert row["verdict"] == "higher"
    assert results.primary == "value_difference"
    assert job.summary["higher"] == 3
    assert "in plain, 414 in double: 207 higher (95 % interval" in results.headline


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("raise", "ArithmeticError: no solution"),
        ("keys", "columns wait (float64), other (float64), not wait (float64)"),
        ("text", "TypeError: wait of simulate: got 'long'; allowed: a number; NaN where there is"),
        ("list", "TypeError: what simulate returned: got [1.0]; allowed: numbers by name, such as"),
        ("exit", "its process died (exit code 3)"),
    ],
)
async def test_a_run_that_fails_is_recorded_with_its_sentence_and_the_rest_continues(
    folder, manager, fault, sentence
):
    write(folder, my_queue=FAULTY)
    config = {"sweep_type": "faulty-queue", "n_replicates": 20, "base_seed": 0, "fault": fault}
    job = await carried_out(manager, config)
    assert (job.status, job.completed_runs, job.failed_runs) == (JobStatus.FAILED, 19, 1)
    (error,) = (await manager.results(job.job_id)).failures.values()
    assert sentence in error
    (folder / "mended").touch()
    job = await manager.run_job(job.job_id)
    assert (job.status, job.completed_runs) == (JobStatus.COMPLETED, 20)


async def test_metrics_that_differ_between_batches_fail_as_well(folder, manager):
    """Two processes that each find another set of names consistent."""
    write(
        folder,
        my_queue="from bilancio import experiment\n@experiment('odd')\n"
        "def simulate(seed: int) -> dict[str, float]:\n"
        "    return {'wait': 1, **({'other': 2} if seed >= 500 else {})}\n",
    )
    job = await carried_out(manager, {"sweep_type": "odd", "n_replicates": 1000, "base_seed": 0})
    assert job.status is JobStatus.FAILED
    assert job.completed_runs == 500
    errors = (await manager.results(job.job_id)).failures.values()
    assert all("other (float64)" in error for error in errors)


async def test_the_queue_of_the_documentation_waits_as_theory_says(folder, manager):
    """M/M/2 waits ρ²/(1 − ρ²); two M/M/1 lines wait ρ/(1 − ρ)."""
    copy_example("queue", folder)
    config = {"sweep_type": "queue", "rate": 0.5, "n_replicates": 60, "customers": 2000}
    job = await carried_out(manager, config)
    assert job.summary["avg_wait_one_line"] == pytest.approx(1 / 3, rel=0.05)
    assert job.summary["avg_wait_two_lines"] == pytest.approx(1, rel=0.08)
    low, high = job.summary["wait_difference_ci95"]
    assert 0 < low < 2 / 3 < high


async def test_a_function_that_changes_before_the_start_is_the_one_that_is_recorded(
    folder, manager
):
    write(folder, my_queue=SIMPLE)
    job = await manager.create_job("try", {"sweep_type": "simple"})
    (folder / "my_queue.py").write_text(SIMPLE.replace("seed * rate", "seed * rate + 1"))
    job = await manager.run_job(job.job_id)
    assert job.engine == registry.experiment("simple").version
    assert job.summary["avg_wait"] == 22


async def test_runs_of_two_versions_are_not_mixed_and_both_are_named(folder, manager):
    write(folder, my_queue=FAULTY)
    config = {"sweep_type": "faulty-queue", "n_replicates": 10, "base_seed": 0, "fault": "raise"}
    job = await carried_out(manager, config)
    (folder / "my_queue.py").write_text(FAULTY.replace('version="1"', 'version="22"'))
    sentence = "Its runs were recorded by version 1 of faulty-queue; here is 22"
    with pytest.raises(JobStateError, match=sentence):
        await manager.start_sweep(job.job_id)
    results = await manager.results(job.job_id)
    assert any(sentence in warning for warning in results.warnings)
    found = await manager.verify(job.job_id)
    assert (found.stored_versions["engine"], found.versions["engine"]) == ("1", "22")


async def test_a_job_whose_function_is_gone_is_still_read(folder, manager):
    write(folder, my_queue=SIMPLE)
    job = await carried_out(manager, {"sweep_type": "simple", "n_replicates": 3, "base_seed": 1})
    name_modules(folder)
    results = await manager.results(job.job_id)
    assert results.summary["avg_wait"] == 1
    missing = "my_queue:simulate, version "
    assert missing in results.headline
    for asked in (
        manager.results(job.job_id, group_by=["seed"]),
        manager.verify(job.job_id),
        manager.runs(job.job_id),
    ):
        with pytest.raises(InvalidInput, match=missing):
            await asked


async def test_a_parameter_that_is_gone_leaves_the_job_readable(folder, manager):
    write(folder, my_queue=SIMPLE)
    job = await carried_out(
        manager, {"sweep_type": "simple", "rate": 2, "n_replicates": 2, "base_seed": 1}
    )
    (folder / "my_queue.py").write_text(SIMPLE.replace("rate: float = 0.5", "speed: float = 1"))
    results = await manager.results(job.job_id)
    assert results.summary["avg_wait"] == 3
    with pytest.raises(InvalidInput, match="rate: unknown field"):
        await manager.verify(job.job_id)


@pytest.mark.slow
async def test_a_worker_of_its_own_finds_the_function_from_a_folder_below(folder, monkeypatch):
    copy_example("queue", folder)
    (folder / "notes").mkdir()
    (folder / "notes" / "json.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(folder / "notes")
    async with AsyncJobManager() as manager:
        config = {"sweep_type": "queue", "customers": 10, "n_replicates": 3}
        job = await manager.create_job("try", config)
        await manager.start_sweep(job.job_id)
        job = await manager.wait(job.job_id)
        assert (job.status, job.error) == (JobStatus.COMPLETED, None)
