"""worker.log: what it tells of a worker that died early, and what it is never written through."""

import os
import shutil

import pytest

from bilancio.errors import BilancioError, OutputError, WorkerError
from bilancio.jobs import AsyncJobManager, JobConfig, JobStatus
from bilancio.jobs.artifacts.log import LOG, log_tail, opened_log

CONFIG = JobConfig(sweep_type="ring", n_agents=10)
TRAP = "import sys\nsys.modules['aiosqlite'] = None\nprint('\\x1b[2J\\x00 hello')\n"


@pytest.fixture
async def manager():
    async with AsyncJobManager() as manager:
        yield manager


async def stalled(manager, job_id):
    await manager.start_sweep(job_id)
    async for progress in manager.watch(job_id):
        job = progress.job
    assert job.state == "stalled"
    return job


async def test_a_worker_that_cannot_import_what_it_needs_says_so(manager, isolated, monkeypatch):
    (isolated / "sitecustomize.py").write_text(TRAP)
    monkeypatch.setenv("PYTHONPATH", str(isolated))
    job = await manager.create_job("try", CONFIG)
    died = await stalled(manager, job.job_id)
    assert died.error.startswith("Its worker ended before it began: ")
    assert died.error.endswith("import of aiosqlite halted; None in sys.modules")
    assert "\x1b" not in died.error
    assert len(died.error) < 1_100
    monkeypatch.delenv("PYTHONPATH")
    assert (await manager.start_sweep(job.job_id)).action == "recovered"
    assert (await manager.get_job(job.job_id)).error is None


async def test_a_worker_that_says_nothing_is_not_given_the_words_of_an_earlier_one(
    manager, isolated, monkeypatch
):
    job = await manager.create_job("try", CONFIG)
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / LOG).write_text("ModuleNotFoundError: long ago\n")
    monkeypatch.setattr("sys.executable", "/bin/false")
    died = await stalled(manager, job.job_id)
    assert died.error == "Its worker ended before it began: it logged nothing."


@pytest.mark.faults
@pytest.mark.nightly
async def test_a_worker_that_cannot_keep_the_compiled_engine_says_so(
    manager, isolated, monkeypatch
):
    (isolated / "file").touch()
    monkeypatch.setenv("BILANCIO_CACHE_DIR", str(isolated / "file" / "cache"))
    job = await manager.create_job("try", CONFIG)
    await manager.start_sweep(job.job_id)
    assert (await manager.wait(job.job_id)).status is JobStatus.COMPLETED
    said = f"WARNING the engine cannot be kept in {isolated / 'file' / 'cache'} (Not a directory)"
    assert said in (job.folder / LOG).read_text()


async def test_without_an_interpreter_the_job_fails_with_the_reason(manager, monkeypatch):
    job = await manager.create_job("try", CONFIG)
    monkeypatch.setattr("sys.executable", "/no/such/python")
    with pytest.raises(WorkerError, match=r"could not be started.*No such file"):
        await manager.start_sweep(job.job_id)
    assert (await manager.get_job(job.job_id)).status is JobStatus.FAILED


def link(path, target):
    path.symlink_to(target)


def hard_link(path, target):
    os.link(target, path)


def pipe(path, target):
    os.mkfifo(path)


def folder(path, target):
    path.mkdir()


@pytest.mark.parametrize("way", [link, hard_link, pipe, folder])
async def test_a_log_that_is_not_a_file_of_its_own_is_not_written(way, manager, isolated):
    target = isolated / "precious"
    target.write_text("mine")
    job = await manager.create_job("try", CONFIG)
    job.folder.mkdir(parents=True, exist_ok=True)
    way(job.folder / LOG, target)
    with pytest.raises(BilancioError, match=r"worker\.log"):
        await manager.start_sweep(job.job_id)
    assert target.read_text() == "mine"
    assert (await manager.get_job(job.job_id)).status is not JobStatus.RUNNING


async def test_a_job_folder_that_was_replaced_by_a_link_is_not_written(manager, isolated):
    elsewhere = isolated / "elsewhere"
    elsewhere.mkdir()
    job = await manager.create_job("try", CONFIG)
    shutil.rmtree(job.folder)
    job.folder.symlink_to(elsewhere)
    with pytest.raises((WorkerError, OutputError)):
        await manager.start_sweep(job.job_id)
    assert list(elsewhere.iterdir()) == []


def test_the_tail_of_a_log_is_short_and_printable(tmp_path):
    with opened_log(tmp_path, "w") as log:
        os.write(log, b"first\n\n\x1b]0;title\x07 \xff last\n")
    assert log_tail(tmp_path, "w") == "first\n\\x1b]0;title\\x07 � last"
    with opened_log(tmp_path, "v") as log:
        os.write(log, b"x\n" * 10**6 + b"y" * 2_000)
    assert log_tail(tmp_path, "v") == "y" * 1_000
