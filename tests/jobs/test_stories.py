"""One run of a job as a story: which one it is, what happened, and whether it was stored so."""

import csv
from importlib import import_module

import pytest

from bilancio.errors import InvalidInput
from bilancio.jobs import JobConfig
from tests.own_project import working_in, write

QUEUE = """
from bilancio import experiment

@experiment("pair", arms=("slow", "fast"), primary="wait", version="1")
def simulate(seed: int, arm: str, *, rate: float = 0.5, extra: int = 0) -> dict[str, float]:
    if rate > 0.8 and seed % 2:
        raise OSError("no licence is free")
    wait = (seed * 37 % 11) * rate
    return {"wait": wait if arm == "slow" else wait * (1 - rate) + seed % 3, "served": seed}
"""
BALANCED = {"sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "1"], "mus": [0, 1]}


@pytest.fixture
def own(tmp_path, monkeypatch):
    with working_in(tmp_path / "study", monkeypatch) as folder:
        write(folder, pair=QUEUE)
        yield folder


async def finished(manager, config):
    job = await manager.create_job("a job with a story", JobConfig(**config))
    return await manager.run_job(job.job_id)


def written(job):
    """Return the rows of runs.csv."""
    with (job.folder / "runs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def paired(rows, metric, first, second):
    """Return first − second of a metric, with the index of the run of the second arm."""
    found = {}
    for row in rows:
        key = (
            (row["cell"], row["seed"]) if "cell" in row else (row["kappa"], row["mu"], row["seed"])
        )
        found.setdefault(key, {})[row["arm"]] = row
    return {
        int(arms["active" if "active" in arms else "fast"]["index"]): (
            float(arms[first][metric]) - float(arms[second][metric])
        )
        for arms in found.values()
        if all(arms[arm][metric] for arm in (first, second))
    }


@pytest.mark.parametrize(("word", "extreme"), [("worst", min), ("best", max)])
async def test_worst_and_best_are_the_pairs_with_the_lowest_and_highest_effect(
    manager, word, extreme
):
    job = await finished(manager, BALANCED | {"n_replicates": 6})
    rows = written(job)
    effects = paired(rows, "delta_total", "passive", "active")
    size = extreme(effects.values())
    index = min(place for place, effect in effects.items() if effect == size)
    story = await manager.run_story(job.job_id.replace("-", " "), word)
    assert [run.index for run in story.runs] == [index, index - 1]
    assert [run.arm for run in story.runs] == ["active", "passive"]
    assert [run.as_recorded for run in story.runs] == [True, True]
    assert all(run.days for run in story.runs)
    for run in story.runs:
        stored = rows[run.index]
        assert (run.run_id, run.seed) == (stored["run_id"], int(stored["seed"]))
        assert run.outcome["delta_total"] == float(stored["delta_total"])
        assert len(run.totals.defaulting) == int(stored["n_defaults"])
        assert run.totals.counts.get("sold", 0) == int(stored["n_trades"])
        assert story.cell == {name: float(stored[name]) for name in ("kappa", "mu")}
    assert f"trading_effect of 24 pairs, {size:.4f}" in story.headline
    told = story.headline.replace("In ", "in ")
    active, passive = (run.totals.defaulting for run in story.runs)
    for arm, mine, others in (("active", active, passive), ("passive", passive, active)):
        alone = [name for name in mine if name not in others]
        assert (f"in {arm} alone {', '.join(alone[:3])}" in told) == bool(alone)


async def test_the_worst_ring_is_the_one_with_the_highest_default_rate(manager):
    job = await finished(
        manager, {"sweep_type": "ring", "n_agents": 8, "kappas": ["0.3", "1"], "n_replicates": 9}
    )
    rates = [float(row["delta_total"]) for row in written(job)]
    for word, extreme in (("worst", max), ("best", min)):
        story = await manager.run_story(job.job_id, word)
        assert [run.index for run in story.runs] == [rates.index(extreme(rates))]


async def test_another_arm_of_a_run_that_was_named_is_told_by_its_primary_metric(manager):
    job = await finished(manager, BALANCED | {"n_replicates": 2})
    story = await manager.run_story(job.job_id, 3)
    assert [run.index for run in story.runs] == [3, 2]
    assert (story.runs[1].totals, story.runs[1].days) == (None, ())
    passive = written(job)[2]
    assert story.values(story.runs[1]) == {"delta_total": float(passive["delta_total"])}
    by_id = await manager.run_story(job.job_id, story.runs[0].run_id)
    assert by_id.headline == story.headline


async def test_days_and_agents_are_picked(manager):
    job = await finished(manager, BALANCED | {"n_replicates": 2})
    whole = (await manager.run_story(job.job_id, 1, limit=1000)).runs[0]
    rows = list(whole.trace.event_rows())
    story = await manager.run_story(job.job_id, 1, day=1, agent=2, limit=1000)
    (day,) = story.runs[0].days
    roles = ("debtor", "creditor", "holder", "payer", "payee")
    mine = [row for row in rows if row["day"] == 1 and "H2" in {row[role] for role in roles}]
    assert day.day == 1
    assert sum(day.told.counts.values()) == len(mine)
    assert day.left_out == 0


async def test_a_run_that_was_stored_otherwise_is_said_to_differ(manager):
    job = await finished(manager, BALANCED | {"n_replicates": 2})
    path = job.folder / "runs.csv"
    rows = written(job)
    rows[5]["n_defaults"] = str(int(rows[5]["n_defaults"]) + 1)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    manifest = (job.folder / "job_manifest.json").read_text()
    text = path.read_text()
    await manager.delete_job(job.job_id)
    job.folder.mkdir(parents=True)
    (job.folder / "job_manifest.json").write_text(manifest)
    path.write_text(text)
    told = await manager.run_story((await manager.import_job(job.folder)).job_id, 5)
    assert told.runs[0].as_recorded is False
    assert "Simulated again it is NOT the same as recorded." in told.headline
    assert (await manager.run_story(job.job_id, 4)).runs[0].as_recorded is True


async def test_a_simulation_of_ones_own_is_told_by_its_parameters_and_metrics(manager, own):
    job = await finished(
        manager, {"sweep_type": "pair", "vary": {"rate": [0.2, 0.6]}, "n_replicates": 7}
    )
    differences = paired(written(job), "wait", "fast", "slow")
    lowest = min(differences.values())
    story = await manager.run_story(job.job_id)
    fast, slow = story.runs
    assert fast.index == min(place for place, each in differences.items() if each == lowest)
    assert (fast.arm, slow.arm, fast.seed) == ("fast", "slow", slow.seed)
    assert fast.metrics["wait"] - slow.metrics["wait"] == pytest.approx(lowest)
    assert story.values(fast) == {**story.cell, **fast.metrics}
    assert "fast: wait " in story.headline
    for field, value in (("day", 1), ("agent", "H2")):
        with pytest.raises(InvalidInput, match=f"{field}: got .*there is no trace"):
            await manager.run_story(job.job_id, **{field: value})


async def test_a_failed_run_is_told_with_its_error_cell_and_seed(manager, own):
    job = await finished(
        manager, {"sweep_type": "pair", "vary": {"rate": [0.2, 0.9]}, "seeds": [2, 3, 4]}
    )
    story = await manager.run_story(job.job_id, "failed")
    (first, *_) = await manager.runs(job.job_id, status="failed")
    assert (story.runs[0].run_id, story.runs[0].status) == (first["run_id"], "failed")
    assert "rate 0.9, slow, seed 3." in story.headline
    assert "It failed: OSError: no licence is free (pair.py:7)" in story.headline


async def test_a_run_of_a_function_is_told_with_the_call_that_computes_it(manager, own):
    job = await finished(manager, {"sweep_type": "pair", "vary": {"rate": [0.2, 0.9]}, "extra": 1})
    story = await manager.run_story(job.job_id)
    first, *_ = story.runs
    assert first.call == f"pair.simulate(seed=42, arm='fast', rate={first.given['rate']}, extra=1)"
    for run in story.runs:
        assert eval(run.call, {"pair": import_module("pair")}) == run.metrics


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"run": "wurst"}, "run: got 'wurst'; allowed: worst, best, failed, an index from 0"),
        ({"run": "failed"}, "run: got 'failed'; allowed: a job in which runs have failed"),
        ({"run": 1, "day": 400}, "allowed: whole numbers from 0 to"),
        ({"run": 1, "day": -1}, "day: got -1"),
        ({"run": 1, "agent": "H11"}, "agent: got 'H11'; allowed: H1 to H10, vbt_short"),
        ({"run": 1, "limit": -1}, "limit: got -1"),
    ],
)
async def test_what_a_story_cannot_tell_is_refused_in_a_sentence(manager, asked, sentence):
    job = await finished(manager, BALANCED | {"n_replicates": 1})
    with pytest.raises(InvalidInput) as error:
        await manager.run_story(job.job_id, **asked)
    assert sentence in str(error.value)


async def test_a_search_has_no_worst_run_and_one_cell_is_not_named(manager):
    frontier = {"sweep_type": "ring", "n_agents": 6, "frontier": True, "kappa_range": ["0.2", "20"]}
    job = await finished(manager, frontier)
    with pytest.raises(InvalidInput, match="an index or an id: all runs are a search's"):
        await manager.run_story(job.job_id)
    assert (await manager.run_story(job.job_id, 0)).runs[0].as_recorded is True
    job = await finished(manager, {"sweep_type": "ring", "n_agents": 6, "kappas": ["0.5"]})
    story = await manager.run_story(job.job_id)
    assert story.cell == {}
    assert "): seed 42. delta_total " in story.headline


async def test_there_is_no_worst_run_before_there_are_results(manager):
    job = await manager.create_job("not begun", JobConfig(**BALANCED))
    with pytest.raises(InvalidInput, match="there are no results to choose by"):
        await manager.run_story(job.job_id)
    assert "It has not been recorded yet." in (await manager.run_story(job.job_id, 0)).headline


async def test_failures_are_told_with_cell_and_seed(manager, own):
    job = await finished(
        manager, {"sweep_type": "pair", "vary": {"rate": [0.2, 0.9]}, "seeds": [2, 3, 4]}
    )
    results = await manager.results(job.job_id)
    for run_id, error in results.failures.items():
        (row,) = (row for row in await manager.runs(job.job_id) if row["run_id"] == run_id)
        where = f"rate 0.9, {row['arm']}, seed 3"
        assert error == f"{where}: OSError: no licence is free (pair.py:7)"
    assert "(rate 0.9, slow, seed 3): OSError" in job.error
    assert results.repetition == ""


async def test_runs_that_would_fail_again_are_said_to(manager, own):
    """All runs of a cell failed, or the same runs again with the same error."""
    cells = {"sweep_type": "pair", "vary": {"rate": [0.2, 0.9]}, "seeds": [3, 5]}
    job = await finished(manager, cells)
    said = (await manager.results(job.job_id)).repetition
    assert said == "All runs with rate 0.9 failed; another start alone will not help."
    assert (await manager.progress(job.job_id)).repetition == said
    job = await finished(manager, cells | {"seeds": [2, 3]})
    assert (await manager.progress(job.job_id)).repetition == ""
    await manager.run_job(job.job_id)
    said = (await manager.progress(job.job_id)).repetition
    assert said.startswith("The same runs failed again with the same error")
