"""Sentences about jobs, and what to do next with them."""

from dataclasses import dataclass

import pytest

from bilancio import text
from bilancio.jobs.models import Estimate
from bilancio.text import NextStep

CREATE, EXTEND, RESULTS, RESUME = (
    NextStep.CREATE, NextStep.EXTEND, NextStep.RESULTS, NextStep.RESUME,
)  # fmt: skip
RETRY, START, WATCH = NextStep.RETRY, NextStep.START, NextStep.WATCH


@dataclass(frozen=True)
class Facts:
    state: str
    completed_runs: int = 0
    failed_runs: int = 0
    total_runs: int = 12
    manual: bool = False
    total_is_bound: bool = False
    unread: bool = False
    error: str | None = None
    job_id: str = "bright-ocean-swift-tiger"


NEXT = {
    "waits to be started": (Facts("pending"), (START,)),
    "has recorded nothing yet": (Facts("running"), (WATCH,)),
    "runs": (Facts("running", 3), (WATCH, RESULTS)),
    "is complete": (Facts("completed", 12), (RESULTS,)),
    "has lost its worker": (Facts("stalled", 3), (RESUME, RESULTS)),
    "was cancelled before its first run": (Facts("cancelled"), (RESUME,)),
    "failed as a whole": (Facts("failed", 3), (RESUME, RESULTS)),
    "misses only runs that failed": (Facts("failed", 11, 1), (RESULTS, RETRY)),
    "ended by hand": (Facts("cancelled", 3, manual=True), (RESULTS, CREATE)),
    "ended by hand without a run": (Facts("failed", manual=True), (CREATE,)),
}


@pytest.mark.parametrize("case", NEXT)
def test_next_steps_are_those_that_a_job_takes(case):
    job, expected = NEXT[case]
    assert text.next_steps(job) == expected


def test_job_of_another_version_of_the_model_is_created_again_not_resumed():
    job = Facts("failed", 3)
    assert text.next_steps(job, resumable=False) == (RESULTS, CREATE)


def test_job_that_completed_with_few_seeds_gets_more():
    assert text.next_steps(Facts("completed", 12), few_seeds=True) == (RESULTS, EXTEND)


def test_what_takes_less_than_a_second_is_said_to_and_if_that_was_not_measured_probably():
    assert text.estimate(0.0, rough=False) == "less than 1 s"
    assert text.estimate(0.99, rough=True, workers=2) == "probably less than 1 s on 2 cores"
    assert text.estimate(1.04, rough=False) == "about 1.0 s"


def test_estimate_says_that_nothing_like_it_has_run_only_where_it_is_rough():
    rough = text.created(Facts("pending"), Estimate(runs=1, seconds=4, workers=2, rough=True))
    assert "roughly 4.0 s on this machine (not measured here yet)" in rough
    measured = text.created(Facts("pending"), Estimate(runs=1, seconds=4, workers=2, rough=False))
    assert "about 4.0 s on this machine. Nothing has been started." in measured


def test_a_time_of_which_nothing_is_known_is_no_figure():
    unknown = Estimate(runs=12, seconds=None, workers=2, rough=False)
    assert text.computing("12 runs", unknown) == f"12 runs, on 2 cores. {text.UNTIMED}"
    assert text.created(Facts("pending"), unknown) == (
        "Created bright-ocean-swift-tiger: 12 runs, on 2 cores. How long this experiment's runs "
        "take is not known yet; it will be once the first have finished. Nothing has been started."
    )


STANDINGS = {
    "Not started.": Facts("pending"),
    "Running, 3 of at most 12 runs so far.": Facts("running", 3, total_is_bound=True),
    "Completed, 1 of 1 run.": Facts("completed", 1, total_runs=1),
    "Failed, 0 of 12 runs: no reason was recorded.": Facts("failed"),
    "Failed, 11 of 12 runs: 1 of 12 runs failed.": Facts(
        "failed", 11, 1, error="1 of 12 runs failed."
    ),
    "Stalled, 1,000 of 2,000 runs so far.": Facts("stalled", 1000, total_runs=2000),
}


@pytest.mark.parametrize("sentence", STANDINGS)
def test_standing_says_the_state_and_the_runs(sentence):
    assert text.standing(STANDINGS[sentence]) == sentence


def test_progress_says_the_state_the_runs_and_the_time_left():
    assert text.progress(Facts("running", 3, 1), eta_s=200) == (
        "bright-ocean-swift-tiger is running. 3 of 12 runs, 1 failed. About 3 min 20 s left."
    )


def test_an_error_that_counts_the_failed_runs_is_all_that_counts_them():
    error = "2 of 12 runs failed; the first: ValueError."
    told = text.progress(Facts("failed", 10, 2, error=error))
    assert told == f"bright-ocean-swift-tiger is failed. 10 of 12 runs. {error}"
    told = text.progress(Facts("failed", 3, 2, error="The scheduler is gone."))
    assert told.endswith("is failed. 3 of 12 runs, 2 failed. The scheduler is gone.")


def test_long_lists_are_said_by_their_ends_and_a_count():
    assert text.values(range(1, 9)) == "1, 2, 3, 4, 5, 6, 7, 8"
    assert text.values(range(20_000)) == "0, 1, 2 … 19999 (20,000 values)"


def test_part_of_a_list_is_said_by_its_place():
    assert text.listed("job", offset=0, shown=3, total=3) == "3 jobs."
    assert text.listed("job", offset=20, shown=20, total=132) == "132 jobs; these are 21 to 40."
    assert text.listed("job", offset=0, shown=1, total=18) == "18 jobs; this is number 1."
    assert text.listed("job", offset=1000, shown=1, total=1001) == (
        "1,001 jobs; this is number 1,001."
    )
    assert text.listed("job", offset=99, shown=0, total=3) == "3 jobs; none after the first 99."
    assert text.listed("job", offset=1, shown=0, total=1) == "1 job; none after the first."


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (137.98, "138.0"), (35.2, "35.20"), (138.0, "138"), (0.5, "0.5000"), (1234.56, "1,234.6"),
        (2.5e-7, "2.5e-07"), (7, "7"), (None, ""), (float("nan"), ""),
    ],
)  # fmt: skip
def test_a_number_of_a_table_keeps_the_digits_that_it_has(value, written):
    assert text.number(value) == written
