"""Single runs of jobs, whatever made them: the same numbers as in their tables."""

import json

import pytest

from bilancio.cli.main import run
from bilancio.errors import InvalidInput
from tests.own_project import working_in, write

GRID = {
    "sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "1"], "mus": [0, 1],
    "n_replicates": 3,
}  # fmt: skip
SEARCH = {
    "sweep_type": "balanced", "n_agents": 10, "frontier": True, "kappa_range": [0.2, 20],
    "grid": True, "kappas": ["0.5"], "n_replicates": 2,
}  # fmt: skip
SORE = '''
"""A simulation that some inputs break."""

from bilancio import experiment

@experiment("sore", primary="wait")
def simulate(seed: int, load: float = 0.5) -> dict[str, float]:
    if load > 0.9 and seed % 2:
        raise ArithmeticError("no solution")
    return {"wait": load * seed, "served": seed}
'''


def rows(results):
    return [dict(zip(results.table.columns, row, strict=True)) for row in results.table.rows]


async def all_runs(manager, job):
    return {run["index"]: run for run in await manager.runs(job.job_id, limit=1000)}


async def carried_out(manager, config):
    return await manager.run_job((await manager.create_job("try", config)).job_id)


async def test_runs_of_one_arm_in_an_order_are_those_of_the_list(manager):
    job = await carried_out(manager, GRID)
    runs = await all_runs(manager, job)
    found = await manager.results(
        job.job_id, of="runs", order_by="-delta_total", where="arm = active", limit=4
    )
    active = [each for each in runs.values() if each["arm"] == "active"]
    expected = sorted((each["delta_total"] for each in active), reverse=True)[:4]
    assert [row["delta_total"] for row in rows(found)] == expected
    assert found.table.total_rows == len(active) == 12
    for row in rows(found):
        assert {name: runs[row["run"]][name] for name in row if name != "run"} == {
            name: value for name, value in row.items() if name != "run"
        }


async def test_as_many_runs_as_there_are_come_from_whole_columns(manager):
    config = {"sweep_type": "ring", "n_agents": 3, "maturity_days": 2, "n_replicates": 1200}
    job = await carried_out(manager, config)
    found = rows(await manager.results(job.job_id, of="runs", order_by="delta_total"))
    some = rows(await manager.results(job.job_id, of="runs", order_by="delta_total", limit=30))
    assert len(found) == 1200
    assert found[:30] == some


async def test_probes_of_a_search_are_runs_of_the_arm_that_was_searched(manager):
    job = await carried_out(manager, SEARCH)
    runs = await all_runs(manager, job)
    found = rows(await manager.results(job.job_id, of="runs", order_by="delta_total"))
    recorded = {index for index, each in runs.items() if each["status"] == "completed"}
    assert {row["run"] for row in found} == recorded
    for row in found:
        assert row["kappa"] == runs[row["run"]]["kappa"]
        assert row["delta_total"] == runs[row["run"]]["delta_total"]
    pairs = await manager.results(job.job_id, of="runs", order_by="-trading_effect")
    assert pairs.table.total_rows == 2


async def test_failed_runs_are_left_out_and_told(manager, tmp_path, monkeypatch):
    with working_in(tmp_path / "study", monkeypatch) as folder:
        write(folder, sore=SORE)
        config = {"sweep_type": "sore", "vary": {"load": [0.5, 0.95]}, "seeds": [1, 2, 3, 4]}
        job = await carried_out(manager, config)
        found = await manager.results(job.job_id, of="runs", order_by="-wait", measures="served")
    assert [(row["load"], row["seed"], row["served"], row["wait"]) for row in rows(found)] == [
        (0.95, 4, 4, 3.8), (0.5, 4, 4, 2), (0.95, 2, 2, 1.9), (0.5, 3, 3, 1.5), (0.5, 2, 2, 1),
        (0.5, 1, 1, 0.5),
    ]  # fmt: skip
    assert found.headline.startswith("Showing 6 of 6 runs, highest wait first: 3.800 at load 0.95")
    assert len(found.failures) == 2


async def test_runs_of_an_experiment_of_its_own_kind_are_observations(manager, plugins):
    job = await carried_out(manager, {"sweep_type": "trivial", "n": 7})
    found = await manager.results(job.job_id, of="runs", order_by="-value", limit=2)
    assert found.table.total_rows == 7
    assert [row["value"] for row in rows(found)] == sorted(
        (each["value"] for each in (await all_runs(manager, job)).values()), reverse=True
    )[:2]


async def test_runs_recorded_manually_are_listed_by_their_ids(manager, small):
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    for number, loss in enumerate([0.2, 0.5, 0.1]):
        await manager.record_progress(job.job_id, f"run {number}", {"loss": loss})
    await manager.record_progress(job.job_id, "other", {"gain": 1.0})
    found = await manager.results(job.job_id, of="runs", order_by="-loss", where="loss > 0.1")
    assert [(row["run_id"], row["loss"]) for row in rows(found)] == [("run 1", 0.5), ("run 0", 0.2)]
    everything = await manager.results(job.job_id, of="runs")
    assert {row["run_id"] for row in rows(everything)} == {"run 0", "run 1", "run 2", "other"}


async def test_of_a_job_without_runs_there_is_nothing_to_list(manager, small):
    job = await manager.create_job("later", small)
    found = await manager.results(job.job_id, of="runs")
    assert (found.table, found.headline) == (None, "No run has been recorded yet. Not started.")
    with pytest.raises(InvalidInput, match="order_by: got 'kappa'; allowed: nothing, before"):
        await manager.results(job.job_id, of="runs", order_by="kappa")


def test_the_command_line_lists_single_runs(blocking, capsys):
    job = blocking.run_job(blocking.create_job("carried out", GRID).job_id)
    asked = ["--of", "runs", "--order-by", "-effect", "--limit", "3"]
    assert run(["jobs", "results", job.job_id, *asked, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    expected = blocking.results(job.job_id, of="pairs", order_by="-trading_effect", limit=3)
    assert document["table"]["rows"] == [list(row) for row in expected.table.rows]
    assert document["read"] == {"effect": "trading_effect"}
    assert run(["jobs", "results", job.job_id, *asked]) == 0
    said = capsys.readouterr()
    assert "Showing 3 of 12 pairs, highest trading_effect first" in said.out
    assert "Read effect as trading_effect." in said.err
    assert run(["jobs", "results", job.job_id, *asked, "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("run,")


async def test_words_are_ordered_as_in_a_dictionary(manager):
    job = await carried_out(manager, GRID | {"kappas": ["0.3", "8"]})
    for name in ("end", "arm"):
        for sign in ("", "-"):
            found = await manager.results(
                job.job_id, of="runs", order_by=f"{sign}{name}", measures="end"
            )
            words = [row[name] for row in rows(found)]
            assert words == sorted(words, reverse=bool(sign))
            assert len({*words}) == 2
