"""The manager as an object: closed, forked, pickled, shared by threads, called from callbacks."""

import asyncio
import copy
import inspect
import os
import pickle
import threading

import pytest

from bilancio.errors import InvalidInput, ManagerUnusable
from bilancio.jobs import AsyncJobManager, JobConfig, JobManager
from bilancio.jobs import manager as promised

pytestmark = pytest.mark.databases

RING = JobConfig(sweep_type="ring", n_agents=10, kappas=["0.5", "1"], seeds=[1, 2])


def test_both_managers_are_where_they_are_promised():
    assert promised.JobManager is JobManager
    assert promised.AsyncJobManager is AsyncJobManager


def test_the_blocking_manager_has_every_method_with_the_same_parameters_and_words():
    theirs = {n: m for n, m in vars(AsyncJobManager).items() if not n.startswith("_")}
    for name in theirs.keys() - {"close", "runs", "settings", "store", "watch"}:
        mine, other = getattr(JobManager, name), theirs[name]
        assert inspect.signature(mine) == inspect.signature(other), name
        assert mine.__doc__ == other.__doc__
        assert mine.__doc__, name


def test_a_closed_manager_refuses_in_a_sentence():
    manager = JobManager()
    manager.list_jobs()
    manager.close()
    manager.close()
    with pytest.raises(ManagerUnusable, match="cannot be used: it was closed"):
        manager.list_jobs()
    with pytest.raises(ManagerUnusable, match="it was closed"):
        list(manager.watch("castle-river-mountain-forest"))


async def test_a_closed_asynchronous_manager_refuses_in_a_sentence():
    manager = AsyncJobManager()
    await manager.list_jobs()
    await manager.close()
    with pytest.raises(ManagerUnusable, match="it was closed"):
        await manager.list_jobs()


def test_a_manager_of_an_open_event_loop_is_not_shared_with_another():
    manager = AsyncJobManager()
    first = asyncio.new_event_loop()
    try:
        assert first.run_until_complete(manager.list_jobs()).total == 0
        with pytest.raises(ManagerUnusable, match="belongs to another event loop"):
            asyncio.run(manager.list_jobs())
    finally:
        first.run_until_complete(manager.close())
        first.close()


def test_a_manager_serves_one_event_loop_after_another():
    manager = AsyncJobManager()
    asyncio.run(manager.create_job("try", RING))
    assert asyncio.run(manager.list_jobs()).total == 1
    asyncio.run(manager.close())


async def test_a_manager_that_is_closed_while_it_opens_leaves_no_store_open():
    manager = AsyncJobManager()
    asking = asyncio.ensure_future(manager.list_jobs())
    await asyncio.sleep(0)
    await manager.close()
    with pytest.raises(ManagerUnusable, match="it was closed"):
        await asking


@pytest.mark.parametrize("kind", [JobManager, AsyncJobManager])
@pytest.mark.parametrize("given", [{"database_url": 7}, {"out_dir": b"x"}])
def test_what_is_not_a_place_is_refused(kind, given):
    with pytest.raises(InvalidInput, match=f"{next(iter(given))}: got .*; allowed: text or a path"):
        kind(**given)


def test_a_store_is_named_by_a_path_too(tmp_path):
    with JobManager(tmp_path / "s.db", out_dir=tmp_path) as manager:
        manager.create_job("try", RING)
    assert (tmp_path / "s.db").is_file()


@pytest.mark.parametrize("kind", [JobManager, AsyncJobManager])
@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_manager_is_not_copied_or_sent_away(kind, copied):
    manager = kind()
    with pytest.raises(ManagerUnusable, match="cannot be copied or sent to another process"):
        copied(manager)
    if kind is JobManager:
        manager.close()


def told_by_fork(ask):
    """Return what *ask* raises in a forked process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # leaves by os._exit, whatever happens: it must not run the rest of the tests
        try:
            ask()
            os.write(writing, b"no error")
        except BaseException as error:  # noqa: BLE001 - the parent judges it
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        sentence = told.read()
    os.waitpid(child, 0)
    return sentence


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.timeout(30)
def test_a_forked_process_is_told_and_leaves_the_parents_manager_alone():
    with JobManager() as manager:
        manager.list_jobs()
        assert "belongs to the process that forked" in told_by_fork(manager.list_jobs)
        assert told_by_fork(manager.close) == "no error"
        manager.create_job("after the fork", RING)
        assert manager.list_jobs().total == 1


@pytest.mark.timeout(60)
def test_threads_share_a_manager():
    with JobManager() as manager:
        made = []

        def create():
            made.extend(manager.create_job("try", RING).job_id for _ in range(3))

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(made)) == manager.list_jobs().total == 12


@pytest.mark.timeout(30)
def test_closing_ends_the_calls_that_other_threads_wait_for():
    manager = JobManager()
    job = manager.create_job("try", RING)
    manager.start_job(job.job_id)
    begun, told = threading.Event(), []

    def wait():
        steps = manager.watch(job.job_id)
        next(steps)
        begun.set()
        try:
            next(steps)
        except ManagerUnusable as error:
            told.append(str(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    begun.wait()
    manager.close()
    waiting.join()
    assert "it was closed" in told[0]


@pytest.mark.timeout(60)
def test_a_callback_that_calls_its_own_manager_is_told_instead_of_waiting_for_itself():
    with JobManager() as manager:
        job = manager.create_job("try", RING)
        manager.run_job(job.job_id)

        def tell(*_):
            manager.get_job(job.job_id)

        with pytest.raises(ManagerUnusable, match="own callback would wait for itself"):
            manager.verify(job.job_id, tell=tell)
