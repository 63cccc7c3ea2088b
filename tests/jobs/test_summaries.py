"""What an experiment's summary, or its preparation, does to a job."""

from typing import Any, Literal

import numpy as np
import pytest
from pydantic import Field

from bilancio.errors import ExperimentFailed
from bilancio.experiments import registry
from bilancio.jobs import AsyncJobManager, JobConfig, JobStatus
from tests.plugins import Counting, CountingExperiment


class FrailSweep(Counting):
    sweep_type: Literal["frail"] = Field(default="frail")
    summary: str = Field(default="")


def exits():
    raise SystemExit(3)


def stops():
    raise StopIteration


FAULTS = {
    "exits": exits,
    "stops": stops,
    "divides": lambda: 1 // 0,
    "returns nothing": lambda: None,
    "returns an object": lambda: {"value": object()},
    "returns a list": lambda: [1, 2],
}
ODD = {
    "numbers": {"nan": np.nan, "inf": -np.inf, "one": np.float32(1), "two": np.int64(2)},
    "text": {"odd": "\ud800", 3: ("a", np.True_)},
}


class Frail(CountingExperiment):
    config_model = FrailSweep
    preparation = ""  # prepare() is told nothing; the test sets it

    def prepare(self) -> None:
        FAULTS.get(self.preparation, str)()

    def summarise(self, config: Any, indices: Any, metrics: Any) -> Any:
        return FAULTS[config.summary]() if config.summary in FAULTS else ODD[config.summary]

    def headline(self, summary: dict[str, Any]) -> str:
        return f"Found {sorted(summary)}."


FRAIL = Frail()


@pytest.fixture
async def manager(monkeypatch):
    monkeypatch.setenv("BILANCIO_PLUGINS", "tests.jobs.test_summaries:FRAIL")
    registry._plugins.cache_clear()
    async with AsyncJobManager() as manager:
        yield manager
    registry._plugins.cache_clear()


async def carried_out(manager, summary):
    job = await manager.create_job("try", JobConfig(sweep_type="frail", n=8, summary=summary))
    return await manager.run_job(job.job_id)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_summary_that_fails_costs_the_summary_only(manager, fault):
    job = await carried_out(manager, fault)
    assert (job.status, job.completed_runs) == (JobStatus.COMPLETED, 8)
    assert job.summary["completed_runs"] == 8
    assert "summary_error" in job.summary
    found = await manager.results(job.job_id)
    assert found.headline.startswith("The experiment could not summarise its runs: ")
    assert [row["value"] for row in await manager.runs(job.job_id)] == [2.0 * n for n in range(8)]


async def test_numbers_of_a_summary_are_finite_or_null(manager):
    job = await carried_out(manager, "numbers")
    assert job.status is JobStatus.COMPLETED
    found = {name: job.summary[name] for name in ("nan", "inf", "one", "two")}
    assert found == {"nan": None, "inf": None, "one": 1.0, "two": 2}


async def test_a_summary_is_stored_as_json_holds_it(manager):
    job = await carried_out(manager, "text")
    assert (job.status, job.summary["odd"], job.summary["3"]) == ("completed", "?", ["a", True])


@pytest.mark.parametrize("fault", ["exits", "stops", "divides"])
async def test_a_preparation_that_fails_fails_the_job_with_its_reason(manager, fault, monkeypatch):
    monkeypatch.setattr(FRAIL, "preparation", fault)
    job = await carried_out(manager, "numbers")
    assert (job.status, job.completed_runs) == (JobStatus.FAILED, 0)
    assert any(kind in job.error for kind in ("SystemExit: 3", "StopIteration", "ZeroDivision"))


async def test_runs_whose_parameters_the_experiment_cannot_give_are_refused_in_a_sentence(
    manager, monkeypatch
):
    job = await carried_out(manager, "numbers")
    monkeypatch.setattr(FRAIL, "parameters", lambda *_: 1 // 0)
    with pytest.raises(ExperimentFailed, match=r"failed in parameters \(ZeroDivisionError"):
        await manager.runs(job.job_id)
