"""What callers hand in is stored whole, or refused in a sentence that changes nothing."""

import math
import os
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from bilancio.errors import BilancioError, InvalidInput, JobNotFound, JobStateError
from bilancio.jobs import AsyncJobManager, JobManager

SURROGATE, NUL = "a\udce9b", "a\0b"
LONG = "x" * 10**6
ODD = [SURROGATE, NUL, LONG, 7, None, b"bytes", ["a"]]
SENTENCE = 700


async def refused(call, field):
    """See that *call* is refused in a sentence of bearable length that names *field*."""
    with pytest.raises(InvalidInput) as error:
        await call
    sentence = str(error.value)
    assert sentence.startswith(field)
    assert len(sentence) < SENTENCE


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
async def test_texts_of_a_new_job_are_stored_whole_or_refused(manager, small, odd):
    await refused(manager.create_job(odd, small), "description")
    await refused(manager.create_job("try", small, notes=odd), "notes")
    await refused(manager.create_job("try", small, tags=[odd]), "tags")
    await refused(manager.create_job("try", small, tags=odd if odd != ["a"] else 3), "tags")
    if odd is not None:
        await refused(manager.create_job("try", small, job_id=odd), "job_id")
        await refused(manager.create_job("try", small, request_key=odd), "request_key")
    assert (await manager.list_jobs()).total == 0


async def test_texts_of_just_the_allowed_length_are_stored_and_longer_ones_refused(manager, small):
    tags = [f"{number:0100}" for number in range(50)]
    job = await manager.create_job(
        "d" * 10_000, small, notes="n" * 10_000, tags=tags, request_key="k" * 1000
    )
    assert await manager.get_job(job.job_id) == job
    assert (len(job.description), len(job.notes), list(job.tags)) == (10_000, 10_000, tags)
    await refused(manager.create_job("d" * 10_001, small), "description")
    await refused(manager.create_job("try", small, notes="n" * 10_001), "notes")
    await refused(manager.create_job("try", small, tags=[*tags, "more"]), "tags")
    await refused(manager.create_job("try", small, tags=["x" * 101]), "tags")
    await refused(manager.create_job("try", small, request_key="k" * 1001), "request_key")
    assert (await manager.list_jobs()).total == 1


@pytest.mark.parametrize("blank", ["", "  \n"])
async def test_a_description_says_something(manager, small, blank):
    await refused(manager.create_job(blank, small), "description")
    await refused(manager.create_job("try", small, tags=[blank]), "tags")


async def test_any_other_text_comes_back_as_it_was(manager, small):
    text = "λ 😀 \x1b]0;title\x07 \x9b1m \u202e\ttab\r\n'quotes\" \ufeff"
    job = await manager.create_job(text, small, notes=text, tags=[text])
    found = await manager.get_job(job.job_id)
    assert (found.description, found.notes, found.tags) == (text, text, (text,))
    await manager.cancel_job(job.job_id, text)
    assert (await manager.events(job.job_id))[-1].details["reason"] == text


@pytest.mark.parametrize(
    "folder",
    [SURROGATE, NUL, "~nosuchuser/out", "/" + "x" * 300, "/" + "x/" * 2000, "", 7],
    ids=lambda folder: repr(folder)[:12],
)
async def test_a_folder_that_cannot_be_is_refused(manager, small, folder):
    await refused(manager.create_job("try", small, out_dir=folder), "out_dir")
    if isinstance(folder, str) and folder:
        async with AsyncJobManager(out_dir=folder) as other:
            assert (await other.list_jobs()).total == 0
            assert await other.get_job("castle-river-mountain-forest") is None
            await refused(other.create_job("try", small), "out_dir")


async def test_a_folder_without_room_for_a_job_s_files_is_refused(manager, small):
    deep = "/" + "/".join(["x" * 200] * 19 + ["x" * 150])
    assert len(deep) < 4096
    await refused(manager.create_job("try", small, out_dir=deep), "out_dir")


@pytest.mark.parametrize("name", [LONG, SURROGATE, NUL, "", "…", "-" * 10**5])
async def test_a_name_that_no_job_has_is_not_found_whatever_it_is(manager, small, name):
    await manager.create_job("try", small)
    assert await manager.get_job(name) is None
    for call in (manager.progress, manager.cancel_job, manager.start_sweep, manager.results):
        with pytest.raises(JobNotFound) as error:
            await call(name)
        assert len(str(error.value)) < SENTENCE


@pytest.mark.parametrize("name", [7, None, b"bright-ocean"])
async def test_a_name_is_text(manager, name):
    await refused(manager.get_job(name), "job_id")
    await refused(manager.start_sweep(name), "job_id")


@pytest.fixture
async def by_hand(manager, small):
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    return job.job_id


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
async def test_texts_of_a_manual_job_are_stored_whole_or_refused(manager, by_hand, odd):
    await refused(manager.record_progress(by_hand, odd, {"delta": 0.5}), "run_id")
    await refused(manager.record_progress(by_hand, "r1", {odd: 0.5} if odd != ["a"] else odd), "m")
    await refused(manager.fail_job(by_hand, odd), "error")
    await refused(manager.cancel_job(by_hand, odd), "reason")
    job = await manager.get_job(by_hand)
    assert (job.state, job.completed_runs) == ("running", 0)


async def test_one_metric_that_is_not_finite_costs_no_other(manager, by_hand):
    await manager.record_progress(by_hand, "r1", {"a": math.nan, "b": math.inf, "c": 0.5})
    await manager.record_progress(by_hand, "r1", {"a": math.nan, "b": math.inf, "c": 0.5})
    (run,) = await manager.runs(by_hand)
    assert (run["a"], run["b"], run["c"]) == (None, None, 0.5)
    event = (await manager.events(by_hand))[-1]
    assert event.details["metrics"] == {"a": None, "b": None, "c": 0.5}
    assert (await manager.progress(by_hand)).means == {"a": None, "b": None, "c": 0.5}
    job = await manager.complete_job(by_hand, {"mean": math.nan, "list": [math.inf, 1.5]})
    assert job.summary == {"mean": None, "list": [None, 1.5]}
    rows = (job.folder / "runs.csv").read_text().splitlines()
    assert rows[0] == "job_id,run_id,index,a,b,c"


async def test_numbers_of_other_libraries_are_numbers(manager, by_hand):
    given = {
        "a": np.float32(0.5), "b": np.int64(3), "c": Fraction(1, 4), "d": Decimal("0.125"),
        "e": True,
    }  # fmt: skip
    await manager.record_progress(by_hand, "r1", given)
    (run,) = await manager.runs(by_hand)
    assert [run[name] for name in given] == [0.5, 3.0, 0.25, 0.125, 1.0]
    job = await manager.complete_job(by_hand, {"n": np.int64(3), "x": np.float64("nan")})
    assert job.summary == {"n": 3, "x": None}


@pytest.mark.parametrize("value", ["0.5", b"1", None, [1], 10**400, 1j, object()])
async def test_what_is_not_a_number_is_refused(manager, by_hand, value):
    await refused(manager.record_progress(by_hand, "r1", {"a": 1, "b": value}), "metrics.b")
    assert (await manager.get_job(by_hand)).completed_runs == 0


@pytest.mark.parametrize(
    "metrics", [{}, None, [1], {"run_id": 1.0}, {f"m{n}": n for n in range(1001)}]
)
async def test_metrics_that_no_row_holds_are_refused(manager, by_hand, metrics):
    await refused(manager.record_progress(by_hand, "r1", metrics), "metrics")


async def test_a_run_holds_a_thousand_metrics(manager, by_hand):
    metrics = {f"m{number:0199}": float(number) for number in range(1000)}
    await manager.record_progress(by_hand, "r1", metrics)
    (run,) = await manager.runs(by_hand)
    assert {name: run[name] for name in metrics} == metrics
    await refused(manager.record_progress(by_hand, "r2", {"m" * 201: 1.0}), "metrics")


async def test_more_runs_can_be_recorded_manually_than_were_planned(manager, tmp_path):
    job = await manager.create_job("by hand", {"sweep_type": "single"})
    await manager.start_job(job.job_id)
    for number in range(3):
        await manager.record_progress(job.job_id, f"r{number}", {"delta": 0.5})
    job = await manager.complete_job(job.job_id)
    assert (job.completed_runs, job.total_runs, len(job.run_ids)) == (3, 1, 3)
    assert "Completed, 3 runs." in (await manager.results(job.job_id)).headline
    async with AsyncJobManager(str(tmp_path / "other.db"), out_dir=tmp_path / "none") as other:
        assert (await other.import_job(job.folder)).completed_runs == 3


def nested(levels):
    return {"a": nested(levels - 1)} if levels else {}


@pytest.mark.parametrize("summary", [[1], "text", {"a": object()}, nested(900), {"a": "x" * 2**21}])
async def test_a_summary_that_json_does_not_hold_is_refused(manager, by_hand, summary):
    await refused(manager.complete_job(by_hand, summary), "summary")
    assert (await manager.get_job(by_hand)).state == "running"


async def test_an_exception_can_be_the_error_of_a_job(manager, by_hand):
    job = await manager.fail_job(by_hand, ValueError("no solution"))
    assert job.error == "ValueError: no solution"


async def test_a_job_that_fails_without_words_fails(manager, by_hand):
    assert (await manager.fail_job(by_hand, "")).error == "no reason was given"


# -- which call is allowed when, and why not ---------------------------------------------------


async def state_of(manager, config, state):
    """Return the name of a job in *state*, brought there by the calls that one would make."""
    job_id = (await manager.create_job("try", config)).job_id
    match state.split():
        case ["pending"]:
            pass
        case ["cancelled", "before"]:
            await manager.cancel_job(job_id)
        case ["completed"]:
            await manager.run_job(job_id)
        case ["stalled"]:
            store = await manager.store()
            await store.claim(job_id, "w", lease_s=-1, executor="local")
        case [ended, "manual"]:
            await manager.start_job(job_id)
            if ended == "failed":
                await manager.fail_job(job_id, "enough")
            elif ended == "completed":
                await manager.complete_job(job_id)
            elif ended == "cancelled":
                await manager.cancel_job(job_id)
    return job_id


WHY = [
    ("pending", "record", "is pending and cannot be recorded to. It has not been started man"),
    ("pending", "complete", "is pending and cannot be marked completed. It has not been started"),
    ("pending", "fail", "is pending and cannot be marked failed. It has not been started man"),
    ("stalled", "complete", "is stalled and cannot be marked completed. A worker computes"),
    (
        "stalled",
        "start",
        "is stalled and cannot be started manually. A worker computes its runs, an",
    ),
    ("completed", "start", "is completed and cannot be started manually. It has ended"),
    ("completed", "record", "is completed and cannot be recorded to. It has ended, and its res"),
    ("completed", "cancel", "is completed and cannot be cancelled. Its results are stored."),
    ("completed", "sweep", "is completed and cannot be started again. Its results are stored."),
    ("cancelled before", "start", "cannot be started manually. It was cancelled before it began"),
    ("running manual", "start", "started manually. It has been started manually already"),
    ("running manual", "sweep", "is running and cannot be started. It was started manually"),
    ("completed manual", "complete", "is completed and cannot be marked completed. It has ended"),
    ("completed manual", "fail", "is completed and cannot be marked failed. It has ended"),
    ("completed manual", "start", "is completed and cannot be started manually. It has ended"),
    ("completed manual", "sweep", "is completed and cannot be started again. Its results are"),
    ("failed manual", "complete", "is failed and cannot be marked completed. It has ended; it can"),
    (
        "failed manual",
        "record",
        "is failed and cannot be recorded to. It has ended; it can be start",
    ),
    ("failed manual", "sweep", "is failed and cannot be started. It was started manually"),
    ("cancelled manual", "fail", "is cancelled and cannot be marked failed. It has ended; it can"),
]


@pytest.mark.parametrize(("state", "call", "why"), WHY)
async def test_a_call_that_comes_at_the_wrong_time_gets_the_right_reason(
    manager, small, state, call, why
):
    job_id = await state_of(manager, small, state)
    before = await manager.events(job_id)
    calls = {
        "start": lambda: manager.start_job(job_id),
        "record": lambda: manager.record_progress(job_id, "r1", {"delta": 0.5}),
        "complete": lambda: manager.complete_job(job_id, {}),
        "fail": lambda: manager.fail_job(job_id, "no"),
        "cancel": lambda: manager.cancel_job(job_id),
        "sweep": lambda: manager.start_sweep(job_id),
    }
    with pytest.raises(JobStateError) as error:
        await calls[call]()
    sentence = str(error.value)
    assert why in sentence
    for word in ("job_results", "start_sweep", "start_job", "bilancio jobs", "job_status"):
        assert word not in sentence
    assert await manager.events(job_id) == before


@pytest.mark.parametrize("state", ["failed manual", "cancelled manual"])
async def test_a_manual_job_that_has_ended_can_be_started_again(manager, small, state):
    job_id = await state_of(manager, small, state)
    assert (await manager.start_job(job_id)).state == "running"


# -- places ------------------------------------------------------------------------------------


def test_jobs_work_where_the_working_folder_is_gone(tmp_path, monkeypatch):
    gone = tmp_path / "worktree"
    gone.mkdir()
    monkeypatch.chdir(gone)
    with JobManager(str(tmp_path / "s.db"), out_dir=tmp_path / "out") as manager:
        config = {"sweep_type": "ring", "n_agents": 4, "seeds": [1]}
        known = manager.create_job("before", config)
        gone.rmdir()
        with pytest.raises(FileNotFoundError):
            os.getcwd()  # noqa: PTH109 - what a removed folder does
        assert manager.list_jobs().total == 1
        assert manager.list_jobs(text="before").total == 1
        assert manager.get_job("castle-river-mountain-forest") is None
        assert manager.run_job(known.job_id).state == "completed"
        new = manager.create_job("after", config)
        manager.start_sweep(new.job_id)
        assert manager.wait(new.job_id).state == "completed"
        assert manager.results(new.job_id).summary["completed_runs"] == 1
    with JobManager(str(tmp_path / "s.db"), out_dir="out") as manager:
        assert manager.list_jobs().total == 2
        with pytest.raises(InvalidInput, match="working folder no longer exists"):
            manager.create_job("relative", config)


def test_questions_make_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inside = tmp_path / "asked"
    with JobManager(str(inside / "s.db"), out_dir=inside / "out") as manager:
        assert manager.list_jobs().total == 0
        assert manager.get_job("castle-river-mountain-forest") is None
        for ask in (manager.progress, manager.results, manager.runs, manager.events):
            with pytest.raises(BilancioError):
                ask("castle-river-mountain-forest")
        manager.estimate({"sweep_type": "ring"})
        manager.doctor()
    assert not inside.exists()


async def test_one_recorded_run_is_counted_as_one(manager, by_hand):
    await manager.record_progress(by_hand, "r1", {"c": 0.5})
    assert (await manager.results(by_hand)).headline.startswith("1 run recorded manually.")


async def test_a_job_by_hand_has_no_groups_and_says_so(manager, by_hand):
    await manager.record_progress(by_hand, "r1", {"delta": 0.5})
    with pytest.raises(InvalidInput, match="allowed: nothing: the runs of a manually"):
        await manager.results(by_hand, group_by=["kappa"])


@pytest.mark.parametrize("group_by", ["kappa,mu", "kappa, mu", ["kappa", "mu"], ("kappa", "mu")])
async def test_groups_are_named_by_a_list_or_a_text(manager, small, group_by):
    job = await manager.create_job("try", small)
    await manager.run_job(job.job_id)
    table = (await manager.results(job.job_id, group_by=group_by)).table
    assert table.columns[:2] == ("kappa", "mu")
    assert len(table.rows) == 4


@pytest.mark.parametrize("group_by", [7, [7], None, {"kappa"}])
async def test_groups_that_are_no_names_are_refused(manager, small, group_by):
    job = await manager.create_job("try", small)
    await refused(manager.results(job.job_id, group_by=group_by), "group_by")


async def test_a_worker_keeps_the_compiled_engine_where_its_user_does(manager, small, tmp_path):
    """Settings that are not set are handed on as such, not as the word None."""
    job = await manager.create_job("try", small)
    await manager.start_sweep(job.job_id)
    assert (await manager.wait(job.job_id)).state == "completed"
    told = (job.folder / "worker.log").read_text()
    assert "None" not in told
    assert "WARNING" not in told
