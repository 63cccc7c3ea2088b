"""Create jobs: everything about a request is checked before anything is stored."""

import asyncio
import contextlib
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bilancio.errors import JobExists, invalid
from bilancio.executors import registry as executors
from bilancio.experiments import registry
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.artifacts import discovery
from bilancio.jobs.artifacts.current import bring_up_to_date
from bilancio.jobs.artifacts.folder import probe_out_dir
from bilancio.jobs.artifacts.formats import refuse_missing_library
from bilancio.jobs.artifacts.ownership import refuse_taken
from bilancio.jobs.job_id import JobId, generate_job_id, validate_job_id
from bilancio.jobs.models import Job
from bilancio.jobs.owner import present_owner
from bilancio.jobs.preview import asked_sweep, settings_to_create
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore
from bilancio.jobs.texts import MAX_KEY, check_name, check_texts, checked_tags
from bilancio.notify.targets import chosen
from bilancio.paths import absolute_path

REDRAWS = 100
BELOW_OUT_DIR = 200  # bytes of a job's longest name, and of the files in its folder


async def create_job(
    session: Session,
    description: str,
    config: SweepConfig | Mapping[str, Any] | None = None,
    *,
    like: str | None = None,
    job_id: str | None = None,
    notes: str = "",
    tags: Sequence[str] = (),
    notify: Sequence[str] = (),
    out_dir: Path | str | None = None,
    request_key: str | None = None,
    rng: random.Random | None = None,
) -> Job:
    """Store a new job under a name of its own; nothing is computed yet.

    Parameters
    ----------
    description
        What it is for, in the words of whoever asks.
    config
        The sweep; with *like* what differs from that job's, None removing a field.
    like
        Name of a job, in any spelling, whose configuration is taken.
    job_id
        A name of one's own instead of four words that are drawn.
    notify
        Targets of notices, by their names in the setting BILANCIO_NOTIFY: they are told whenever
        the job ends.
    request_key
        A repeated call with the same key returns the job that the first one made.
    rng
        Source of the names drawn; the system's by default.

    Raises
    ------
    InvalidInput, JobNotFound, JobExists, OutputError, ExecutorUnavailable, ExecutorFailed,
    LibraryMissing, TokenMissing
        Nothing was stored.
    """
    checked, *_ = await asked_sweep(session, config, like)
    _check_words(description, notes, request_key)
    settings = settings_to_create(session, checked)
    executors.check(settings)
    refuse_missing_library(settings)
    told_tags = checked_tags(tags)
    targets = await asyncio.to_thread(chosen, session.settings, notify)  # may load apprise
    name = None if job_id is None else validate_job_id(job_id)
    folder = checked_out_dir(session.settings.out_dir if out_dir is None else out_dir)
    await _refuse_unwritable(session, folder)
    if name is not None:
        await _refuse_taken(session, name, folder)
    await asyncio.to_thread(executors.probe, settings)
    store = await session.store()
    job = await _add(
        store,
        name,
        rng,
        config=checked,
        description=description,
        notes=notes,
        tags=told_tags,
        engine=registry.experiment(checked.sweep_type).version,
        out_dir=folder,
        executor=settings.executor,
        owner=present_owner(),
        request_key=request_key,
        notify=targets,
    )
    if not job.attempts:  # a repeated request may find it under way
        await bring_up_to_date(store, job)
    return job


def _check_words(description: str, notes: str, request_key: str | None) -> None:
    """Refuse texts that are too long, missing, or cannot be stored whole."""
    check_name("description", description, wanted="a few words on what the job is for")
    check_texts({"notes": notes})
    if request_key is not None:
        check_name("request_key", request_key, most=MAX_KEY)


async def _add(store: JobStore, name: JobId | None, rng: random.Random | None, **job: Any) -> Job:
    """Store a job under *name*, or under one that is drawn until it is free."""
    if name is not None:
        return await store.add(name, **job)
    for _ in range(REDRAWS):
        drawn = generate_job_id(rng)
        with contextlib.suppress(JobExists):
            return await store.add(drawn, **job)
    raise JobExists(drawn)


def checked_out_dir(out_dir: Path | str) -> Path:
    """Return the folder of a job's output folder as an absolute path.

    Raises
    ------
    InvalidInput
        It is not a path, or so long that no file of a job would fit below it.
    """
    folder = absolute_path("out_dir", out_dir)
    most = os.pathconf("/", "PC_PATH_MAX") - BELOW_OUT_DIR
    if len(os.fsencode(folder)) > most:
        raise invalid("out_dir", str(folder), f"a path of at most {most:,} bytes")
    return folder


async def _refuse_unwritable(session: Session, folder: Path) -> None:
    """Refuse an output folder that cannot be written; look at each once."""
    if folder in session.writable:
        return
    await asyncio.to_thread(probe_out_dir, folder)
    session.writable.add(folder)


async def _refuse_taken(session: Session, name: JobId, folder: Path) -> None:
    """Refuse a name that only a manifest holds, or whose folder holds something else."""
    store = await session.store()
    if await store.job(name) is not None:
        return  # the store says what it is
    manifest = await asyncio.to_thread(discovery.manifest_in_folder_of, name, [folder])
    if manifest is not None:
        await discovery.import_found(store, manifest)
        found = await store.job(name)
        if found is not None:
            raise JobExists(name, found.description)
    await asyncio.to_thread(refuse_taken, folder / name)
