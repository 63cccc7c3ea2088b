"""A threshold is searched for along any number that a decorated function takes."""

import csv
import json

import numpy as np
import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.jobs import AsyncJobManager, JobConfig, JobStatus
from tests.own_project import copy_example, working_in, write

MODULE = """
import random
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bilancio import experiment

Floats = NDArray[np.float64]


@experiment("ramp")
def ramp(
    seed: int, slope: float = 1.0, rate: float = 0.5, crew: int = 4, rule: Literal["a", "b"] = "a"
) -> dict[str, float]:
    return {"load": slope * rate**2, "idle": crew / 4}


@experiment(
    "noisy",
    arms=("calm", "really-very-stormy"),
    metrics={"delta": ("1", "Height."), "other": "1"},
    version="1",
)
def noisy(
    seed: int, arm: str, mu: float = 0.5, concentration: int = 0,
    crew: Annotated[int, Field(ge=3, le=300, multiple_of=3)] = 3,
) -> dict[str, float]:
    noise = random.Random(seed).gauss(0, 0.2)
    if arm != "calm":
        return {"delta": mu + 2 * noise + concentration, "other": crew**2 + noise}
    return {"delta": mu / 2 + noise, "other": crew**2}


@experiment("plain-arms", arms=("one", "two", "three-b"))
def plain_arms(seed: int, arm: str, rate: float = 0.5) -> dict[str, float]:
    return {"wait": rate * {"one": 1, "two": 3, "three-b": 5}[arm] + seed % 2}


@experiment("vector", batch=True, metrics={"height": "m", "steps": "1"})
def vector(
    seed: NDArray[np.int64], rate: float | Floats = 0.5, size: int | NDArray[np.int64] = 2
) -> dict[str, Floats]:
    noise = np.array([np.random.default_rng(each).normal(0, 0.1) for each in seed])
    return {"height": np.broadcast_to(rate, seed.shape) ** 3 + noise,
            "steps": np.broadcast_to(size, seed.shape) + 0.0 * noise}


@experiment("wordy")
def wordy(seed: int, rule: Literal["a", "b"] = "a", lazy: bool = False) -> dict[str, float]:
    return {"load": 1.0}


@experiment("undefined")
def undefined(seed: int, rate: float = 0.5) -> dict[str, float]:
    return {"load": float("nan") if rate > 0.9 else rate}
"""


@pytest.fixture
def functions(tmp_path, monkeypatch):
    """The module of functions, as workers import it."""
    with working_in(tmp_path / "study", monkeypatch) as folder:
        write(folder, simulations=MODULE)
        registry.config_model("ramp")
        import simulations

        yield simulations


@pytest.fixture
async def manager(functions):
    async with AsyncJobManager() as manager:
        yield manager


def driven(config):
    """Carry a search out in this process; return its runs and their rows."""
    experiment = registry.experiment(config.sweep_type)
    indices, metrics = np.arange(config.fixed_runs), np.empty(0, [("none", float)])
    if len(indices):
        metrics = experiment.compute(config, indices)
    while (step := experiment.next_step(config, indices, metrics)) is not None:
        rows = experiment.compute(step.config, step.indices)
        metrics = np.concatenate([metrics, rows]) if len(metrics) else rows
        indices = np.concatenate([indices, step.indices])
        order = np.argsort(indices)
        indices, metrics = indices[order], metrics[order]
    return indices, metrics


def found_by(**asked):
    """Carry a search out in this process; return it and a row for each cell and arm."""
    config = JobConfig(**asked)
    table = registry.experiment(config.sweep_type).search_table(config, *driven(config))
    return config, by_name(table)


def by_name(table):
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


async def carried_out(manager, **config):
    """Carry a search out as a job; return the job and a row for each cell and arm."""
    job = await manager.run_job((await manager.create_job("try", JobConfig(**config))).job_id)
    assert (job.status, job.error) == (JobStatus.COMPLETED, None)
    return job, by_name((await manager.results(job.job_id)).frontier)


def refused(**config):
    with pytest.raises(InvalidInput) as error:
        JobConfig(**config)
    return str(error.value)


@pytest.mark.parametrize("slope", [0.3, 1, 2.5])
@pytest.mark.parametrize(
    "limit", [{"at_most": 0.2}, {"at_least": 0.2}], ids=["at most", "at least"]
)
def test_what_is_found_brackets_the_crossing_of_a_deterministic_function(functions, slope, limit):
    _, (found,) = found_by(
        sweep_type="ramp",
        slope=slope,
        vary={"rate": "0.1:0.9"},
        threshold={"axis": "rate", "measure": "load", **limit},
        frontier_tolerance="0.001",
    )
    star, (low, high) = found["rate_star"], (0.1, 0.9)
    crossing = (0.2 / slope) ** 0.5
    met_below = "at_most" in limit
    assert (found["status"], found["met"]) == (
        "found", "at and below" if met_below else "at and above",
    )  # fmt: skip
    beyond = star + 0.0008001 if met_below else star - 0.0008001
    assert min(star, beyond) <= crossing <= max(star, beyond)
    assert low <= star <= high
    assert found["load"] == functions.ramp(0, slope, star)["load"]
    assert found["range_missing"] == "one seed, so no range"


@pytest.mark.parametrize("measure", ["delta", "delta_difference"])
def test_what_is_found_brackets_the_crossing_of_the_mean_of_a_noisy_function(functions, measure):
    config, rows = found_by(
        sweep_type="noisy",
        n_replicates=40,
        vary={"mu": "0:2", "concentration": [0, 1]},
        threshold={"axis": "mu", "measure": measure, "at_least": "0.75"},
    )
    arms = ("calm", "really-very-stormy")
    for found in rows:
        mus = np.linspace(0, 2, 401)
        by_arm = {
            arm: np.array([
                np.mean([
                    functions.noisy(seed, arm, mu, found["concentration"])["delta"]
                    for seed in config.all_seeds()
                ])
                for mu in mus
            ])
            for arm in arms
        }  # fmt: skip
        means = by_arm[found["arm"]] if measure == "delta" else by_arm[arms[1]] - by_arm[arms[0]]
        met = means >= 0.75
        if met.all():
            assert found["status"] == "below bracket"
            continue
        crossing = mus[met.argmax()]
        assert met[met.argmax() :].all()
        assert crossing - 0.005 <= found["mu_star"] <= crossing + 0.02
        assert found["mu_star_low"] <= crossing <= found["mu_star_high"]
    n_arms = 2 if measure == "delta" else 1
    assert len(rows) == 2 * n_arms
    assert [row.get("arm") for row in rows][:n_arms] == (
        list(arms) if measure == "delta" else [None]
    )
    assert sum(row["status"] == "found" for row in rows) >= n_arms


async def test_only_the_arm_that_is_searched_is_run(manager):
    asked = {"axis": "mu", "at_most": "0.2"}
    config = {"sweep_type": "noisy", "vary": {"mu": "0:1"}, "n_replicates": 10}
    job, (found,) = await carried_out(
        manager, **config, threshold={**asked, "arm": "really-very-stormy"}
    )
    runs = await manager.runs(job.job_id, limit=1000)
    assert {run["arm"] for run in runs} == {"really-very-stormy"}
    assert {run["design"] for run in runs} == {"frontier-really-very-stormy"}
    assert len(runs) == 10 * found["probes"]
    assert "arm" in found


async def test_all_arms_are_run_for_their_difference(manager):
    threshold = {"axis": "mu", "measure": "delta_difference", "at_most": "0.2"}
    job, _ = await carried_out(
        manager, sweep_type="noisy", vary={"mu": "0:1"}, n_replicates=10, threshold=threshold
    )
    runs = await manager.runs(job.job_id, limit=1000)
    arms = [run["arm"] for run in runs]
    assert arms.count("calm") == arms.count("really-very-stormy") == len(runs) / 2


def test_the_measure_is_the_primary_one_unless_another_is_named(functions):
    config = JobConfig(
        sweep_type="noisy", vary={"mu": "0:1"}, threshold={"axis": "mu", "at_most": 1}
    )
    assert config.frontier
    assert config.threshold["measure"] == "delta"


async def test_whole_numbers_are_tried_as_the_function_takes_them(manager, functions):
    job, rows = await carried_out(
        manager,
        sweep_type="noisy",
        vary={"crew": "3:300"},
        threshold={"axis": "crew", "measure": "other", "at_most": 1000, "arm": "calm"},
    )
    (found,) = rows
    assert (found["crew_star"], found["other"], found["met"]) == (30, 900, "at and below")
    assert {run["crew"] % 3 for run in await manager.runs(job.job_id, limit=1000)} == {0}


@pytest.mark.parametrize(
    ("axis", "bracket", "measure", "limit"),
    [("rate", "0:1", "height", 0.3), ("size", "2:90", "steps", 40)],
)
def test_a_batch_function_is_searched_alike(functions, axis, bracket, measure, limit):
    config, (found,) = found_by(
        sweep_type="vector",
        n_replicates=30,
        vary={axis: bracket},
        threshold={"axis": axis, "measure": measure, "at_most": limit},
    )
    seeds = np.array(list(config.all_seeds()))

    def mean(value):
        return functions.vector(seeds, **{axis: value})[measure].mean()

    star = found[f"{axis}_star"]
    assert mean(star) <= limit < mean(star + (1 if axis == "size" else 0.01))
    assert found[measure] == pytest.approx(mean(star))


def test_measures_of_functions_that_declare_none_are_searched(functions):
    _, rows = found_by(
        sweep_type="plain-arms",
        vary={"rate": "0:1"},
        n_replicates=2,
        threshold={"axis": "rate", "measure": "wait_difference_three_b", "at_most": 2},
    )
    (found,) = rows
    assert 0.49 <= found["rate_star"] <= 0.5
    _, rows = found_by(
        sweep_type="plain-arms",
        vary={"rate": "0:1"},
        n_replicates=2,
        threshold={"axis": "rate", "measure": "wait", "at_most": "1.5"},
    )
    assert [row["arm"] for row in rows] == ["one", "two", "three-b"]
    assert [row["status"] for row in rows] == ["above bracket", "found", "found"]


async def test_a_measure_that_is_not_returned_fails_the_runs_with_the_nearest(manager):
    config = JobConfig(
        sweep_type="ramp",
        vary={"rate": "0.1:0.9"},
        threshold={"axis": "rate", "measure": "laod", "at_most": 1},
    )
    job = await manager.run_job((await manager.create_job("try", config)).job_id)
    assert job.status is JobStatus.FAILED
    assert (
        "threshold.measure: got 'laod'; allowed: load, idle, which runs return. Did you mean load?"
        in job.error
    )
    results = await manager.results(job.job_id)
    assert "not finished" in str(results.headline) + str(results.frontier)


def test_a_mean_that_is_not_defined_does_not_meet_a_limit(functions):
    _, (found,) = found_by(
        sweep_type="undefined",
        vary={"rate": "0.5:1"},
        threshold={"axis": "rate", "measure": "load", "at_most": 2},
    )
    assert 0.89 <= found["rate_star"] <= 0.9


async def test_the_headline_names_the_axis_and_measure_as_the_function_does(manager):
    job, _ = await carried_out(
        manager,
        sweep_type="noisy",
        n_replicates=20,
        vary={"mu": "0:2"},
        threshold={"axis": "mu", "measure": "delta", "at_least": "0.5", "arm": "calm"},
    )
    headline = (await manager.results(job.job_id)).headline
    assert headline.startswith("mu from 0 to 2 where the mean delta is at least 0.5: mu* ")
    assert ", at and above it, in 1 of 1 cell. (Ranges: 95 %, 20 seeds.)" in headline
    assert "average" not in headline
    _, (missed,) = found_by(
        sweep_type="noisy",
        vary={"mu": "0:2"},
        threshold={"axis": "mu", "measure": "delta", "at_least": 99, "arm": "calm"},
    )
    assert missed["status"].startswith("above bracket: delta = ")
    assert missed["status"].endswith(" at mu = 2")


async def test_what_is_beside_a_search_is_averaged_without_its_probes(manager):
    job, _ = await carried_out(
        manager,
        sweep_type="ramp",
        n_replicates=2,
        points=[{"rate": "0.5"}],
        vary={"rate": "0.1:0.9"},
        threshold={"axis": "rate", "measure": "load", "at_most": "0.36"},
    )
    assert job.summary["avg_load"] == 0.25
    assert "avg_rate" not in job.summary
    headline = (await manager.results(job.job_id)).headline
    assert headline.startswith("The average load is 0.2500 ")
    assert "rate from 0.1 to 0.9 where the mean load is at most 0.36: rate* " in headline


async def test_rows_of_probes_in_one_arm_show_that_arm_and_no_verdict(manager):
    job, _ = await carried_out(
        manager,
        sweep_type="noisy",
        vary={"mu": "0:1"},
        points=[{"mu": "0.3"}, {"mu": "0.9"}],
        n_replicates=10,
        threshold={"axis": "mu", "at_most": "0.3"},
    )
    mixed = await manager.results(job.job_id, group_by=["design"])
    verdicts = {row["design"]: row["verdict"] for row in by_name(mixed.table)}
    assert verdicts.pop("points") in {"lower", "higher", "undecided"}
    assert set(verdicts.values()) == {"one arm only"}
    said = " there is no delta_difference: the search tries each arm at values of its own."
    assert f"In 2 rows{said}" in mixed.warnings
    alone = await manager.results(job.job_id, group_by=["design"], where="mu < 0.2")
    assert not {"verdict", "delta_difference"} & {*alone.table.columns}
    assert {"delta_calm", "delta_really_very_stormy"} <= {*alone.table.columns}
    assert f"T{said[2:]}" in alone.warnings
    assert not alone.verdicts


async def test_files_hold_what_was_searched(manager):
    job, (found,) = await carried_out(
        manager,
        sweep_type="noisy",
        n_replicates=3,
        vary={"mu": "0:2"},
        threshold={"axis": "mu", "measure": "delta", "at_least": "0.5", "arm": "calm"},
    )
    with (job.folder / "frontier.csv").open(newline="") as file:
        (line,) = csv.DictReader(file)
    assert float(line["mu_star"]) == found["mu_star"]
    with (job.folder / "cells.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    assert len(cells) == job.completed_runs
    tried = {float(cell["mu"]) for cell in cells}
    assert found["mu_star"] in tried
    assert len(tried) == found["probes"]
    told = json.loads((job.folder / "columns.json").read_text())["files"]["frontier.csv"]
    facts = {each["name"]: each for each in told}
    assert facts["delta"]["meaning"] == "Height."
    assert facts["mu_star"]["meaning"].startswith("Value of mu at which the limit is met")


@pytest.mark.parametrize("sweep", ["ramp", "noisy", "vector"])
async def test_a_search_is_verified_with_the_probes_that_it_chose(manager, sweep):
    axis, measure = {
        "ramp": ("rate", "load"), "noisy": ("mu", "other_difference"), "vector": ("rate", "height"),
    }[sweep]  # fmt: skip
    job, _ = await carried_out(
        manager,
        sweep_type=sweep,
        n_replicates=4,
        vary={axis: "0.1:0.9"},
        threshold={"axis": axis, "measure": measure, "at_most": "0.2"},
    )
    assert (await manager.verify(job.job_id, sample=None)).same


@pytest.mark.parametrize("sweep", ["ramp", "noisy"])
@pytest.mark.parametrize("table", ["runs.csv", "cells.csv"])
async def test_a_folder_is_read_back_with_its_search(manager, tmp_path, sweep, table):
    axis, measure = {"ramp": ("rate", "load"), "noisy": ("mu", "delta_difference")}[sweep]
    job, rows = await carried_out(
        manager,
        sweep_type=sweep,
        n_replicates=4,
        vary={axis: "0.1:0.9"},
        threshold={"axis": axis, "measure": measure, "at_most": "0.2"},
    )
    (copy := tmp_path / "copy" / job.job_id).mkdir(parents=True)
    for name in ("job_manifest.json", table):
        (copy / name).write_bytes((job.folder / name).read_bytes())
    async with AsyncJobManager(str(tmp_path / "empty.db"), out_dir=copy.parent) as other:
        results = await other.results(job.job_id)
    assert by_name(results.frontier) == rows
    assert results.headline == (await manager.results(job.job_id)).headline


async def test_a_search_is_not_given_more_seeds_nor_a_precision(manager):
    search = {
        "sweep_type": "ramp",
        "vary": {"rate": "0.1:0.9"},
        "threshold": {"axis": "rate", "measure": "load", "at_most": "0.2"},
    }
    job, _ = await carried_out(manager, **search)
    with pytest.raises(InvalidInput, match="the seeds of a frontier search decide what it tries"):
        await manager.start_sweep(job.job_id, n_replicates=5)
    assert "precision: got 1 with frontier" in refused(**search, precision=1)


BAD = {
    "unknown axis": (
        {"axis": "muu", "at_most": 1}, {},
        "threshold.axis: got 'muu'; allowed: one of mu, concentration, crew. Did you mean mu?",
    ),
    "unknown measure": (
        {"axis": "mu", "measure": "detla", "at_most": 1}, {},
        ("threshold.measure: got 'detla'; allowed: one of delta, other, delta_difference, "
        "other_difference. Did you mean delta?"),
    ),
    "measure of the model": (
        {"axis": "mu", "measure": "delta_total", "at_most": 1}, {},
        "threshold.measure: got 'delta_total'",
    ),
    "unknown arm": (
        {"axis": "mu", "arm": "clam", "at_most": 1}, {}, "Did you mean calm?",
    ),
    "arm of a difference": (
        {"axis": "mu", "measure": "delta_difference", "arm": "calm", "at_most": 1}, {},
        "threshold.arm: got 'calm'; allowed: nothing, for delta_difference is of all arms",
    ),
    "no range": (
        {"axis": "concentration", "at_most": 1}, {},
        ("threshold.axis: got concentration without vary.concentration; allowed: a "
        "vary.concentration too, low:high, the bracket that is searched."),
    ),
    "list": (
        {"axis": "mu", "at_most": 1}, {"vary": {"mu": "0:1:0.5"}},
        ("threshold.axis: got mu with a list in vary.mu; allowed: vary.mu as low:high, the "
        "bracket that is searched."),
    ),
    "range the wrong way": (
        {"axis": "mu", "at_most": 1}, {"vary": {"mu": "1:0"}},
        "vary.mu: got 1:0; allowed: low:high with low below high.",
    ),
    "range of another axis": (
        {"axis": "mu", "at_most": 1}, {"vary": {"mu": "0:1", "crew": "3:9"}},
        "vary.crew: got 3:9; allowed: a list, unless lhs or sobol is asked for.",
    ),
    "no limit": (
        {"axis": "mu"}, {}, "threshold: got no limit; allowed: either at_most or at_least",
    ),
    "frontier alone": (
        None, {"frontier": True},
        ("frontier: got true without threshold; allowed: a threshold too, {axis, measure, at_most "
        "or at_least}."),
    ),
    "range for nothing": (
        None, {},
        "vary.mu: got 0:1; allowed: a list, unless lhs, sobol or threshold is asked for.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("threshold", "more", "sentence"), BAD.values(), ids=BAD)
def test_a_search_that_cannot_be_is_refused_in_a_sentence(functions, threshold, more, sentence):
    config = {"sweep_type": "noisy", "vary": {"mu": "0:1"}, **more}
    if threshold is not None:
        config["threshold"] = threshold
    assert sentence in refused(**config)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            {"sweep_type": "ramp", "threshold": {"axis": "rule", "measure": "load", "at_most": 1}},
            "threshold.axis: got 'rule'; allowed: one of slope, rate, crew.",
        ),
        (
            {"sweep_type": "wordy", "threshold": {"axis": "rule", "measure": "a", "at_most": 1}},
            "threshold: got an axis; allowed: nothing, for no parameter is a number.",
        ),
        (
            {
                "sweep_type": "ramp", "vary": {"rate": "0:1"},
                "threshold": {"axis": "rate", "at_most": 1},
            },
            "threshold.measure: got nothing; allowed: the name of a metric that runs return.",
        ),
        (
            {
                "sweep_type": "ramp", "vary": {"rate": "0:1"},
                "threshold": {"axis": "rate", "measure": "load", "at_most": 1, "arm": "only"},
            },
            "nothing, for there is one arm",
        ),
    ],
)  # fmt: skip
def test_what_a_function_has_not_is_refused_in_a_sentence(functions, config, sentence):
    assert sentence in refused(**config)


def test_the_queue_of_the_documentation_waits_two_services_at_a_load_of_two_thirds(
    functions, monkeypatch, tmp_path
):
    """M/M/1 waits ρ/(1 − ρ), which is 2 at 2/3."""
    with working_in(tmp_path / "queue", monkeypatch) as folder:
        copy_example("queue", folder)
        _, (found,) = found_by(
            sweep_type="queue",
            customers=2000,
            n_replicates=40,
            vary={"rate": "0.5:0.95"},
            threshold={"axis": "rate", "measure": "wait", "at_most": 2, "arm": "two-lines"},
        )
    assert found["rate_star_low"] <= 2 / 3 <= found["rate_star_high"]
    assert found["rate_star_high"] - found["rate_star_low"] < 0.05
