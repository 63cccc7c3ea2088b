"""Jobs are found by what is remembered of them, and their words changed."""

import pytest

from tests.conversation.archive import (
    FULL_PRICE,
    LARGE,
    LARGE_RING,
    LOW_PRICE,
    N_JOBS,
    STRESS,
)

pytestmark = pytest.mark.slow


async def test_large_jobs_of_last_week(talk):
    async with talk("which jobs had more than 1,000 runs last week?") as chat:
        answer = await chat.call("list_jobs", since="last week", until="last week", min_runs=1001)
    assert {job["job_id"]: job["total_runs"] for job in answer["jobs"]} == {
        LARGE: 1010, LARGE_RING: 1203,
    }  # fmt: skip
    assert answer["total"] == 2


async def test_jobs_that_varied_a_parameter(talk):
    async with talk("which of my sweeps varied the concentration?") as chat:
        answer = await chat.call("list_jobs", varied=["concentration"])
    assert [job["job_id"] for job in answer["jobs"]] == [LARGE_RING]


async def test_description_changed(talk):
    words = "dealers at face value, for section 4"
    async with talk(f"call the golden hawk one '{words}'") as chat:
        listed = await chat.call("list_jobs", text="golden hawk")
        [job] = listed["jobs"]
        edited = await chat.call("edit_job", job_id=job["job_id"], description=words)
        status = await chat.call("job_status", job_id="quiet meadow golden hawk")
    assert (edited["job_id"], edited["description"]) == (FULL_PRICE, words)
    assert status["description"] == words


async def test_job_deleted_once_the_user_has_agreed(talk, desk):
    async with talk("throw the small pilot away") as chat:
        question = await chat.refused("delete_job", job_id="small-pilot")
        assert (desk / "out" / "small-pilot" / "runs.csv").exists()
        deleted = await chat.call("delete_job", job_id="small-pilot", confirm="small-pilot")
        left = await chat.call("list_jobs")
    assert "confirm='small-pilot'" in question
    assert deleted["job_id"] == "small-pilot"
    assert left["total"] == N_JOBS - 1
    assert not (desk / "out" / "small-pilot" / "runs.csv").exists()


async def test_which_of_the_last_days_looked_at_liquidity(talk):
    async with talk("which jobs of the last three days were about liquidity?") as chat:
        listed = await chat.call("list_jobs", since="in the last three days", varied="liquidity")
    assert {job["job_id"] for job in listed["jobs"]} == {STRESS, FULL_PRICE, LOW_PRICE}
    assert "varied kappa" in listed["summary"]
