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

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = int(os.environ.get("BILANCIO_KILLS", "200"))
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
    """Choose somebody who is at work on the job: its worker, or one of the pool."""
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


async def disturbed(manager, rng, kills):
    """Start the job again and again, and kill somebody each time; return how often."""
    done = 0
    while done < kills:
        job = await job_or_none(manager)
        if job is not None and job.state == "completed":
            return done
        by_server = rng.random() < SERVERS
        with (asked if by_server else started)(CONFIG) as starter:
            starter_dies = rng.random() < STARTERS
            if not starter_dies:  # the moment is drawn from when there is a worker
                await asyncio.to_thread(starter.stdout.readline)
            await ended_within(rng.uniform(0.0, LONGEST_S), psutil.Process(starter.pid))
            with contextlib.suppress(psutil.NoSuchProcess):
                chosen = first_cause(starter) if starter_dies else await victim(manager, rng)
                if chosen is not None:
                    chosen.kill()
                    done += 1
            starter.kill()
    return done


@pytest.mark.parametrize("seed", range(SWEEPS))
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
