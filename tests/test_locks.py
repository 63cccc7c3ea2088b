"""A copy of a process holds none of its locks."""

import fcntl
import os
import signal
import subprocess

import pytest

from bilancio.jobs.worker.lock_file import WorkerLock, WorkerState, process_exists, worker_state
from bilancio.locks import close_lock, open_lock


@pytest.fixture
def forked():
    """Return a function that forks a copy of this process, which runs until it is killed."""
    copies = []

    def fork():
        running, announce = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(announce, b".")
            signal.pause()
            os._exit(1)
        copies.append(child)
        os.close(announce)
        assert os.read(running, 1) == b"."
        os.close(running)

    yield fork
    for each in copies:
        os.kill(each, signal.SIGKILL)
        os.waitpid(each, 0)


def test_a_lock_is_free_when_its_holder_closes_it_although_a_copy_lives_on(tmp_path, forked):
    file = open_lock(tmp_path / "lock")
    fcntl.flock(file, fcntl.LOCK_EX)
    forked()
    close_lock(file)
    other = open_lock(tmp_path / "lock")
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an error if the copy still holds it
    close_lock(other)


def test_a_worker_is_dead_when_it_is_gone_although_its_copy_lives_on(tmp_path, forked):
    lock = WorkerLock(tmp_path / "w.lock")
    assert lock.acquire()
    lock.heartbeat(60)
    forked()
    assert worker_state(tmp_path / "w.lock") is WorkerState.ALIVE
    lock.release()
    assert worker_state(tmp_path / "w.lock") is WorkerState.DEAD


def test_a_worker_is_starting_until_its_first_heartbeat_and_unresponsive_after_an_overdue_one(
    tmp_path,
):
    path = tmp_path / "w.lock"
    lock = WorkerLock(path)
    assert lock.acquire()
    assert not WorkerLock(path).acquire()
    assert worker_state(path) is WorkerState.STARTING
    lock.heartbeat(60)
    assert worker_state(path) is WorkerState.ALIVE
    lock.heartbeat(-0.001)
    assert worker_state(path) is WorkerState.UNRESPONSIVE
    lock.release()
    path.write_text("left behind by a worker that was killed")
    assert worker_state(path) is WorkerState.DEAD


def test_a_process_that_has_ended_does_not_exist_although_nobody_has_waited_for_it():
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process_exists(child.pid)
    child.wait()
    assert not process_exists(child.pid)
    assert not process_exists(2**70)
    assert process_exists(os.getpid())
