"""A search whose experiment fails in it: its job says so, and what is recorded stays."""

import sys
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import Field

from bilancio.errors import ExperimentFailed
from bilancio.experiments import registry
from bilancio.experiments.protocol import Step
from bilancio.jobs import AsyncJobManager, JobConfig, JobStatus
from tests.plugins import Counting, CountingExperiment

pytestmark = pytest.mark.databases


class SeekingSweep(Counting):
    """Half of the runs are known from the start; the search asks for the others."""

    sweep_type: Literal["seeking"] = Field(default="seeking")

    @property
    def fixed_runs(self) -> int:
        return self.n // 2


def exits():
    raise SystemExit(3)


def stops():
    raise StopIteration


FAULTS = {
    "exits": (exits, "SystemExit: 3"),
    "stops": (stops, "StopIteration"),
    "divides": (lambda: 1 // 0, "ZeroDivisionError"),
    "returns a list": (lambda: [1, 2], r"it returned \[1, 2\], not a step"),
}


class Seeking(CountingExperiment):
    config_model = SeekingSweep
    fault: str | None = None  # the test sets it

    def next_step(self, config: Any, indices: Any, metrics: Any) -> Any:
        sys.stdout.write("looking for more\n")
        if self.fault is not None:
            return FAULTS[self.fault][0]()
        rest = np.setdiff1d(np.arange(config.n), indices)
        return Step(config=config, indices=rest) if len(rest) else None

    def search_table(self, config: Any, indices: Any, metrics: Any) -> Any:
        raise NotImplementedError


SEEKING = Seeking()


@pytest.fixture
async def manager(monkeypatch):
    monkeypatch.setenv("BILANCIO_PLUGINS", f"{__name__}:SEEKING")
    registry._plugins.cache_clear()
    async with AsyncJobManager() as manager:
        yield manager
    registry._plugins.cache_clear()


async def carried_out(manager):
    job = await manager.create_job("try", JobConfig(sweep_type="seeking", n=8))
    return await manager.run_job(job.job_id)


async def test_a_search_is_given_the_runs_known_from_the_start_too(manager):
    job = await carried_out(manager)
    assert (job.status, job.completed_runs) == (JobStatus.COMPLETED, 8)
    assert (await manager.verify(job.job_id, sample=None)).same


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_search_that_fails_fails_its_job_with_the_reason(manager, fault, monkeypatch):
    monkeypatch.setattr(SEEKING, "fault", fault)
    job = await carried_out(manager)
    assert (job.status, job.completed_runs) == (JobStatus.FAILED, 4)
    assert job.error.startswith("The experiment seeking failed in next_step (")
    monkeypatch.setattr(SEEKING, "fault", None)
    job = await manager.run_job(job.job_id)
    assert (job.status, job.completed_runs) == (JobStatus.COMPLETED, 8)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_search_that_fails_when_it_is_repeated_cannot_be_verified(
    manager, fault, monkeypatch
):
    job = await carried_out(manager)
    monkeypatch.setattr(SEEKING, "fault", fault)
    with pytest.raises(ExperimentFailed, match=FAULTS[fault][1]):
        await manager.verify(job.job_id, sample=None)


async def test_a_search_that_asks_for_known_runs_again_ends_its_verification(manager, monkeypatch):
    job = await carried_out(manager)
    again = Step(config=job.config, indices=np.arange(4, 8))
    monkeypatch.setattr(SEEKING, "next_step", lambda *_: again)
    assert (await manager.verify(job.job_id, sample=None)).same


async def test_what_a_search_prints_does_not_reach_stdout(manager, capsys):
    job = await carried_out(manager)
    await manager.verify(job.job_id, sample=None)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "looking for more" in printed.err
