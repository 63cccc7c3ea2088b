"""What a sweep would be, and sweeps like those of other jobs, in Python."""

import pytest

from bilancio.errors import InvalidInput, JobNotFound
from bilancio.jobs import JobConfig, JobManager

RING = {"sweep_type": "ring", "n_agents": 5, "kappas": ["0.5", "1"], "n_replicates": 3}


@pytest.fixture
def manager():
    with JobManager() as manager:
        yield manager


def test_a_preview_counts_and_stores_nothing(manager):
    seen = manager.preview(RING)
    assert (seen.cells, seen.seeds, seen.arms, seen.runs) == (2, 3, ("passive",), 6)
    assert seen.estimate == manager.estimate(RING)
    assert seen.config == JobConfig(**RING)
    assert manager.list_jobs().total == 0


def test_a_preview_warns_of_what_may_not_be_meant(manager):
    [warning] = manager.preview({"sweep_type": "ring", "n_agents": 5}).warnings
    assert warning == "One seed gives no interval; n_replicates 10 does."


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("n", [10**9 + 1, 10**19])
def test_a_sweep_that_no_store_would_hold_is_refused_before_it_is_stored(manager, n):
    huge = {"sweep_type": "trivial", "n": n}
    refusal = rf"trivial sweep: got {n:,} runs; allowed: at most 1,000,000,000 runs in one job\."
    for ask in (manager.preview, lambda config: manager.create_job("try", config)):
        with pytest.raises(InvalidInput, match=refusal):
            ask(huge)
    assert manager.list_jobs().total == 0
    assert manager.preview(huge | {"n": 10**9}).runs == 10**9


CHANGES = {
    "nothing": (None, {}),
    "a list": ({"kappas": ["2"]}, {"kappas": ["2"]}),
    "nothing left of a field": ({"kappas": None}, {"kappas": ...}),
    "an axis in place of one value": (
        {"vary": {"n_agents": [5, 9]}}, {"n_agents": ..., "vary": {"n_agents": [5, 9]}},
    ),
    "seeds in place of their number": ({"seeds": [1, 2]}, {"n_replicates": ..., "seeds": [1, 2]}),
    "another sweep type": ({"sweep_type": "balanced"}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_a_job_like_another_differs_in_what_is_changed(manager, case):
    changes, expected = CHANGES[case]
    first = manager.create_job("first", RING)
    job = manager.create_job("second", changes, like=first.job_id.replace("-", " "))
    asked = {**first.config.asked(), **expected}
    assert job.config.asked() == {name: value for name, value in asked.items() if value is not ...}
    assert job.config.sweep_type == (changes or {}).get("sweep_type", "ring")


def test_an_axis_of_another_job_is_changed_by_parameter(manager):
    first = manager.create_job(
        "first", {**RING, "vary": {"maturity_days": [5, 9], "q_total": [100]}}
    )
    seen = manager.preview({"vary": {"maturity_days": [7], "q_total": None}}, like=first.job_id)
    assert seen.config.asked()["vary"] == {"maturity_days": [7]}


def test_a_wrong_change_is_refused_and_nothing_stored(manager):
    first = manager.create_job("first", RING)
    with pytest.raises(InvalidInput, match="kapas: unknown field; did you mean kappas"):
        manager.create_job("second", {"kapas": [1]}, like=first.job_id)
    with pytest.raises(JobNotFound):
        manager.create_job("second", like="no-such-job")
    assert manager.list_jobs().total == 1


def test_nothing_is_asked_before_a_start_below_the_limits(manager):
    job = manager.create_job("small", RING)
    assert manager.question_before_start(job.job_id) == ""


def test_a_start_above_a_limit_is_asked_about_until_the_job_runs(monkeypatch):
    monkeypatch.setenv("BILANCIO_CONFIRM_RUNS", "5")
    with JobManager() as manager:
        job = manager.create_job("large", RING)
        assert "computes 6 runs" in manager.question_before_start(job.job_id)
        manager.run_job(job.job_id)
        assert manager.question_before_start(job.job_id) == ""
        more = manager.question_before_start(job.job_id, n_replicates=6)
        assert "computes 6 runs" in more
