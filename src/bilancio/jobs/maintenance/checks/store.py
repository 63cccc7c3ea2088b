"""Checks of the store: its file or server, the chunks of results, the counters of jobs."""

import functools
from collections.abc import AsyncIterator

from bilancio.errors import JobDamaged
from bilancio.jobs.artifacts.folder import PARQUET, RUNS
from bilancio.jobs.artifacts.ownership import KEPT_MANIFEST
from bilancio.jobs.maintenance.checks.base import (
    RESTORE,
    Checked,
    Issue,
    cut,
    error,
    info,
    warning,
)
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore, integrity
from bilancio.jobs.worker.lock_file import WorkerState, worker_state
from bilancio.text import plural

MIB = 1 << 20
MUCH_FREE, MUCH_OF_FILE = 64 * MIB, 0.25
CLOCK_S = 2.0
MANY = 0.8


async def check_file(session: Session) -> AsyncIterator[Checked | Issue]:
    """Have SQLite check the store's file, page by page."""
    store = await session.store()
    if await store.server():
        return
    complaints = await store.integrity_errors()
    yield Checked("the store's file, page by page")
    for complaint in cut(complaints):
        yield error(f"The store's file is damaged: {complaint}.", f"{RESTORE}.")


async def check_room(session: Session) -> AsyncIterator[Checked | Issue]:
    """Look whether much of the store's file holds nothing."""
    store = await session.store()
    size, free, _ = await store.space()
    yield Checked(f"the store's size: {size / MIB:,.0f} MiB, of which {free / MIB:,.0f} are free")
    if free < max(MUCH_FREE, size * MUCH_OF_FILE):
        return
    message = f"{free / MIB:,.0f} of the {size / MIB:,.0f} MiB of the store's file hold nothing."
    busy = any(worker_state(lock) is not WorkerState.DEAD for lock in store.worker_locks())
    if busy:  # it would wait until the file is written, and give up if that takes long
        repair = "Run `bilancio doctor --repair` when no job runs, to give them back to the disk."
        yield info(message, repair)
    else:
        repair = "Run `bilancio doctor --repair` to give them back to the disk."
        yield info(message, repair, fix=store.write_anew)


async def check_server(session: Session) -> AsyncIterator[Checked | Issue]:
    """Look whether the server's clock is right, and whether it grants what the store needs."""
    server = await (await session.store()).server()
    if server is None:
        return
    used = f"{server.connections} of {server.max_connections} connections"
    yield Checked(f"PostgreSQL {server.version.split()[0]}, {used}")
    if server.missing_rights:
        yield error(
            f"The store's user cannot do all that work needs: {server.missing_rights} is missing.",
            "Ask its owner to grant it.",
        )
    if abs(server.ahead_s) > CLOCK_S:
        side = "behind" if server.ahead_s > 0 else "ahead of"
        yield warning(
            f"This machine's clock is {abs(server.ahead_s):,.0f} s {side} the server's. Leases are "
            "kept by the server's; files and logs have this machine's times.",
            "Set it, or have it set by NTP.",
        )
    if server.connections > MANY * server.max_connections:
        yield warning(
            f"{used} of the server are used. A worker takes up to 6.",
            "Raise max_connections, or run fewer jobs at once.",
        )


async def check_rows(session: Session) -> AsyncIterator[Checked | Issue]:
    """Read the row of every job and event."""
    damaged = await integrity.damage(await session.store())
    yield Checked("the rows of jobs and events")
    for job_id, what in damaged.items():
        yield error(
            f"Job {job_id} is damaged in the store: {'; '.join(cut(what, 3))}.",
            f"{RESTORE}. Other jobs are not affected.",
            job_id=job_id,
        )


async def check_chunks(session: Session) -> AsyncIterator[Checked | Issue]:
    """Read every chunk of results and compare it with its checksum."""
    store = await session.store()
    seen = await integrity.chunks(store)
    yield Checked(f"{plural(seen.chunks, 'chunk')} of {plural(seen.runs, 'run')}, with checksums")
    for job_id, faults in seen.faults.items():
        yield error(
            f"{plural(len(faults), 'chunk')} of job {job_id} cannot be read: "
            f"{'; '.join(cut(faults, 3))}.",
            await _repair_of_chunks(store, job_id),
            job_id=job_id,
        )


async def check_counters(session: Session) -> AsyncIterator[Checked | Issue]:
    """Compare the counters and states of jobs with their chunks, failed runs and events."""
    store = await session.store()
    total = len(await store.job_ids())
    yield Checked(f"{plural(total, 'job')} against their chunks, failed runs and events")
    for each in await integrity.contradictions(store):
        message = f"Job {each.job_id} contradicts itself: {'; '.join(each.faults)}."
        if each.recountable:
            fix = functools.partial(store.recount, each.job_id)
            repair = "Run `bilancio doctor --repair` to recount."
            yield warning(message, repair, job_id=each.job_id, fix=fix)
        else:
            yield error(message, f"{RESTORE}, or run the job's sweep again.", job_id=each.job_id)


async def _repair_of_chunks(store: JobStore, job_id: str) -> str:
    try:
        job = await store.job(job_id)
    except JobDamaged:
        job = None
    tables = () if job is None or job.manual else (RUNS, PARQUET)
    there = [name for name in tables if job is not None and (job.folder / name).is_file()]
    if job is not None and there:
        return (
            f"{RESTORE}. Or import the runs from {there[0]}: bilancio jobs delete {job_id} "
            f"--keep-files, then bilancio jobs import {job.folder / KEPT_MANIFEST}."
        )
    return f"{RESTORE}, or delete the job and run its sweep again."
