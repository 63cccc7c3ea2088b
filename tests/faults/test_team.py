"""What a team depends on is killed: database servers, their backends, Dask workers, recorders."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys

import psutil
import pytest

from bilancio.jobs import AsyncJobManager, JobStatus
from tests.faults.kit import NAME, ROOT, assert_sound, last_seen, outcome, until_recorded
from tests.night import nightly
from tests.postgres import database_of

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("BILANCIO_SERVER_KILLS", "4"))  # of the server, and as many of backends
LONGEST_S = 0.6
CONFIG = {"sweep_type": "laborious", "n": 6_000}


@pytest.mark.parametrize("seeds", [300, *nightly(1000)])
def test_a_job_of_two_machines_on_a_cluster_survives_what_it_depends_on(
    seeds, postgres_server, isolated
):
    """The script says on its way what it compares."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.team", isolated / "team", str(seeds)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "BILANCIO_PLUGINS"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"completed, {200 * seeds:,} runs, in 2 attempts" in done.stdout
    assert done.stdout.count("the same") == 5


@pytest.fixture
def shared(postgres_url, monkeypatch):
    monkeypatch.setenv("BILANCIO_DATABASE_URL", postgres_url)
    return postgres_url


def kill_server(server, database, rng):
    server.kill()
    server.start()


def kill_backend(server, database, rng):
    """Kill a process that serves the store, upon which the server ends all; or terminate it."""
    for each in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if f" {database} " in " ".join(each.cmdline()):
                each.send_signal(rng.choice([signal.SIGKILL, signal.SIGTERM]))
                return


async def disturbed(manager, rng, server, database, kills):
    """Carry out a sweep, and kill what is left of *kills* as long as it runs."""
    await manager.create_job("try", CONFIG, job_id=NAME)
    await manager.start_sweep(NAME)
    worker = await until_recorded(manager, 1)
    while kills:
        wait_s = rng.uniform(0, LONGEST_S)
        if (await asyncio.to_thread(psutil.wait_procs, [worker], wait_s))[0]:
            return
        kills.pop()(
            server, database, rng
        )  # the server would end with another thread that starts it


async def test_a_server_and_its_backends_killed_at_random_cost_no_attempt_and_no_run(
    shared, postgres_server, expected
):
    rng, kills = random.Random(1), [kill_server, kill_backend] * KILLS
    rng.shuffle(kills)
    while kills:
        async with AsyncJobManager() as manager:
            await disturbed(manager, rng, postgres_server, database_of(shared), kills)
            job = await last_seen(manager)
            assert (job.status, job.attempts, job.error) == (JobStatus.COMPLETED, 1, None)
            await assert_sound(manager)
            assert (await manager.doctor()).findings == ()
            assert await outcome(manager) == await expected(CONFIG)
            await manager.delete_job(NAME)
