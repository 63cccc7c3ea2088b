"""Checks of the machine and of the settings, which need no store."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bilancio.errors import (
    ExecutorFailed,
    ExecutorUnavailable,
    InvalidInput,
    LibraryMissing,
    StoreError,
    TokenMissing,
)
from bilancio.executors import registry as executors
from bilancio.experiments import registry
from bilancio.jobs.artifacts.formats import refuse_missing_library
from bilancio.jobs.maintenance.checks.base import (
    NO_ACTION,
    Checked,
    Issue,
    error,
    info,
    warning,
)
from bilancio.jobs.store import is_server, locate, location
from bilancio.model import compilation
from bilancio.paths import absolute_path
from bilancio.settings import Settings

LITTLE_SPACE = 1 << 30
NO_SPACE = 64 << 20


def check_sqlite(settings: Settings) -> Iterator[Checked | Issue]:
    """Look whether this Python's SQLite is one that the store can use, if it uses SQLite."""
    if is_server(settings.database_url):
        return
    engine = location.engine()
    yield Checked(engine.name)
    if engine.too_old:
        yield error(
            f"{engine.name} is too old: bilancio needs 3.37 or newer.",
            "Use a Python that comes with a newer SQLite.",
        )
    elif engine.has_reset_bug:
        yield info(
            f"{engine.name} can lose a transaction when a checkpoint runs beside a writer (fixed "
            "in 3.51.3). bilancio keeps the two apart with a lock, so nothing is lost unless "
            "another program writes to the store.",
            NO_ACTION,
        )


def check_experiments(_settings: Settings) -> Iterator[Checked | Issue]:
    """Look whether every plug-in that is named loads."""
    for fault in registry.plugin_faults():
        yield error(f"{fault}.", f"Install or correct it, or take it out of {fault.source}.")
    yield Checked(f"settings; sweep types {', '.join(registry.sweep_types())}")


def check_executor(settings: Settings) -> Iterator[Checked | Issue]:
    """Look whether the executor that the settings name could compute."""
    try:
        executors.probe(settings)
    except ExecutorUnavailable as fault:
        yield error(f"No job can be started: {fault}", "Correct or unset BILANCIO_EXECUTOR.")
    except LibraryMissing as fault:
        yield error(f"No job can be started: {fault}", "Install it, or unset BILANCIO_EXECUTOR.")
    except TokenMissing as fault:
        yield error(f"No job can be started: {fault}", "Make one, or unset BILANCIO_EXECUTOR.")
    except (InvalidInput, ExecutorFailed) as fault:
        repair = "Start a scheduler, correct BILANCIO_DASK_ADDRESS, or unset BILANCIO_EXECUTOR."
        yield error(f"No job can be started: {fault}", repair)
    else:
        yield Checked(f"the executor {settings.executor}")


def check_runs_format(settings: Settings) -> Iterator[Checked | Issue]:
    """Look whether the table of runs that the settings ask for can be written."""
    try:
        refuse_missing_library(settings)
    except LibraryMissing as fault:
        yield error(f"No job can be started: {fault}", "Install it, or unset BILANCIO_RUNS_FORMAT.")


def check_store_folder(settings: Settings) -> Iterator[Checked | Issue]:
    """Look whether the store's address is one, and whether its folder can be written."""
    try:
        place = locate(settings.database_url)
    except (InvalidInput, StoreError) as fault:
        yield error(str(fault), "Correct or unset BILANCIO_DATABASE_URL.")
        return
    if place.file is None:
        return
    if place.network:
        yield error(
            f"The store {place.file} is on a network file system ({place.network}).",
            "Stop everything that uses the store, copy it to a disk of this machine and set "
            "BILANCIO_DATABASE_URL to the copy.",
        )
        return
    yield from _folder_issues("store", place.file.parent, "BILANCIO_DATABASE_URL")


def check_out_dir(settings: Settings) -> Iterator[Checked | Issue]:
    """Look whether output folders can be made."""
    try:
        folder = absolute_path("BILANCIO_OUT_DIR", settings.out_dir)
    except InvalidInput as fault:
        yield error(str(fault), "Correct or unset BILANCIO_OUT_DIR, or change to another folder.")
    else:
        yield from _folder_issues("output folder", folder, "BILANCIO_OUT_DIR")


def check_cache_folder(_settings: Settings) -> Iterator[Checked | Issue]:
    """Look whether the compiled engine can be kept; without it every process compiles anew."""
    try:
        folder = compilation.cache_folder()
    except InvalidInput as fault:
        reason = str(fault).rstrip(".")
        repair = "Set BILANCIO_CACHE_DIR to a folder that can be written."
    else:
        yield Checked(f"the cache folder {folder.parent.parent}")
        reason = unwritable(folder) or ""
        repair = "Grant write permission, or set BILANCIO_CACHE_DIR to another folder."
    if reason:
        yield warning(
            f"The compiled engine cannot be kept: {reason}. Each process compiles it again, which "
            "takes some ten seconds.",
            repair,
        )


def free_bytes(folder: Path) -> int:
    """Return how much can be written on the disk of *folder*."""
    return shutil.disk_usage(folder).free


def unwritable(folder: Path) -> str | None:
    """Return why no file can be made in *folder* (which need not exist yet); None where one can."""
    try:
        os.lstat(folder)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as fault:
        return f"{folder} ({getattr(fault, 'strerror', None) or fault})"
    there = nearest_existing(folder)
    if not there.is_dir():
        return f"{there} is not a folder"
    if not os.access(there, os.W_OK | os.X_OK):
        read_only = os.statvfs(there).f_flag & os.ST_RDONLY
        return f"{there} is on a read-only disk" if read_only else f"no permission for {there}"
    return None


def nearest_existing(path: Path) -> Path:
    """Return *path*, or the nearest of the folders above it that exists."""
    return next(each for each in (path, *path.parents) if os.path.exists(each))  # noqa: PTH110 - Path.exists raises where a folder may not be searched


def _folder_issues(name: str, folder: Path, setting: str) -> Iterator[Checked | Issue]:
    reason = unwritable(folder)
    if reason is not None:
        yield error(
            f"The {name} cannot be written: {reason}.",
            f"Grant write permission, or set {setting} to another place.",
        )
    free = free_bytes(nearest_existing(folder))
    yield Checked(f"free space for the {name}: {free / (1 << 30):.1f} GiB")
    if free < LITTLE_SPACE:
        found = error if free < NO_SPACE else warning
        yield found(
            f"Only {free / (1 << 20):.0f} MiB are free for the {name} ({folder}).",
            "Free some space; jobs that failed for lack of it can then be resumed.",
        )
