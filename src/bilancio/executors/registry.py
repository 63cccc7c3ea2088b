"""Which executors there are, by name. Their code, and numpy, are loaded when one is opened."""

import importlib.util
import re
from typing import TYPE_CHECKING

from bilancio.errors import ExecutorUnavailable, LibraryMissing, invalid
from bilancio.executors.names import DASK, DEFAULT
from bilancio.settings import Settings

if TYPE_CHECKING:  # names are listed without loading numpy
    from bilancio.executors.base import Executor

__all__ = ["DEFAULT", "check", "names", "open_executor"]

_ADDRESS = re.compile(r"(?:tcp|tls)://(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}")


def names() -> tuple[str, ...]:
    """Return the names of all executors."""
    return (DEFAULT, DASK)


def check(settings: Settings) -> None:
    """Refuse an executor that cannot be opened as the settings say; nothing is connected to.

    Raises
    ------
    ExecutorUnavailable
        There is no executor of this name.
    LibraryMissing
        What it needs is not installed.
    InvalidInput
        It lacks the address of its scheduler.
    """
    if settings.executor not in names():
        raise ExecutorUnavailable(settings.executor, names())
    if settings.executor == DASK:
        # Importing it would take a second of a process that computes nothing.
        if importlib.util.find_spec("distributed") is None:
            raise LibraryMissing("distributed", asker="The executor dask", extra="dask")
        if not _ADDRESS.fullmatch(settings.dask_address):
            allowed = "the address of a Dask scheduler, as tcp://HOST:8786"
            raise invalid("BILANCIO_DASK_ADDRESS", settings.dask_address, allowed)


def open_executor(settings: Settings, *, run_timeout_s: float = 600.0) -> "Executor":
    """Return the executor that the settings name, ready to compute; close it after use.

    Parameters
    ----------
    run_timeout_s
        Longest time that a run may take where it can be stopped.

    Raises
    ------
    ExecutorUnavailable, LibraryMissing, InvalidInput
        As `check`.
    """
    check(settings)
    if settings.executor == DASK:
        from bilancio.executors.dask import DaskExecutor  # distributed, which is optional

        return DaskExecutor(settings.dask_address, run_timeout_s=run_timeout_s)
    from bilancio.executors.local import LocalExecutor  # numpy

    return LocalExecutor(settings.workers, run_timeout_s=run_timeout_s)
