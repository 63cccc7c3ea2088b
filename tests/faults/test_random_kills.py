"""Kill -9 of workers, pool processes, starters and servers at random moments, by a fixed seed."""

import asyncio
import contextlib
import os
import random

import psutil
import pytest

from bilancio.errors import JobNotFound
from bilancio.jobs import AsyncJobManager
from tests.faults.kit import NAME, asked, assert_sound, carried_on, outcome, started
from tests.night import nightly

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = int(os.environ.get("BILANCIO_KILLS", "60"))
SWEEPS = 4
LONGEST_S = 1.0
SERVERS = 0.2  # the share of starts that an MCP server makes
STARTERS = 0.2  # the share of kills that hit whoever starts the job
CONFIG = {"sweep_type": "laborious", "n": 4_000}


async def ended_within(seconds, process):
    """Tell whether the process ends by itself before so many seconds are over."""
    gone, _ = await asyncio.to_thread(psutil.wait_procs, [process], seconds)
    return bool(gone)


async def job_or_none(manager):
    try:
        return await manager.exact(NAME)
    except JobNotFound:
        return None


async def victim(manager, rng):
    """Choose a process that computes the job: its worker, or one of the worker's own."""
    job = await job_or_none(manager)
    if job is None or job.holder is None or not job.holder.pid:
        return None
    worker = psutil.Process(job.holder.pid)
    pool = worker.children()
    return rng.choice(pool) if pool and rng.random() < 0.5 else worker


def first_cause(starter):
    """Return the server that *starter* asks, if it has one, else itself."""
    process = psutil.Process(starter.pid)
    return next((each for each in process.children() if "bilancio_mcp" in each.cmdline()), process)


def killed(process):
    """Kill *process*, unless it is gone; return how many were killed."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if process is not None:
            process.kill()
            return 1
    return 0


async def start_and_kill_its_starter(rng, *, by_server):
    with (asked if by_server else started)(CONFIG) as starter:
        await ended_within(rng.uniform(0.0, LONGEST_S), psutil.Process(starter.pid))
        done = 0
        with contextlib.suppress(psutil.NoSuchProcess):
            done = killed(first_cause(starter))
        starter.kill()
    return done


async def start_by_a_server_and_kill_the_worker(manager, rng):
    with asked(CONFIG) as starter:
        await asyncio.to_thread(starter.stdout.readline)  # until there is a worker
        await ended_within(rng.uniform(0.0, LONGEST_S), psutil.Process(starter.pid))
        done = killed(await victim(manager, rng))
        starter.kill()
    return done


async def start_here_and_kill_the_worker(manager, rng):
    if await job_or_none(manager) is None:
        await manager.create_job("try", CONFIG, job_id=NAME)
    job = (await manager.start_sweep(NAME)).job
    if job.holder is None or not job.holder.pid:
        return 0
    await ended_within(rng.uniform(0.0, LONGEST_S), psutil.Process(job.holder.pid))
    return killed(await victim(manager, rng))


async def disturbed(manager, rng, kills):
    """Start the job again and again, and kill something each time; return how often."""
    done = 0
    while done < kills:
        job = await job_or_none(manager)
        if job is not None and job.state == "completed":
            return done
        by_server = rng.random() < SERVERS
        with contextlib.suppress(psutil.NoSuchProcess):
            if rng.random() < STARTERS:
                done += await start_and_kill_its_starter(rng, by_server=by_server)
            elif by_server:
                done += await start_by_a_server_and_kill_the_worker(manager, rng)
            else:
                done += await start_here_and_kill_the_worker(manager, rng)
    return done


@pytest.mark.parametrize("seed", [0, 1, *nightly(*range(2, SWEEPS))])
async def test_whoever_is_killed_at_whatever_moment_the_job_ends_as_if_undisturbed(
    seed, isolated, expected
):
    rng, left, number = random.Random(seed), KILLS // SWEEPS, 0
    while left:
        number += 1
        folder = isolated / str(number)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BILANCIO_DATABASE_URL", str(folder / "s.db"))
            patch.setenv("BILANCIO_OUT_DIR", str(folder / "out"))
            async with AsyncJobManager() as manager:
                left -= await disturbed(manager, rng, left)
                await carried_on(manager, CONFIG)
                await assert_sound(manager)
                assert await outcome(manager) == await expected(CONFIG)
