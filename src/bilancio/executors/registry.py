"""Which executors there are, by name. Their code, and numpy, are loaded when one is opened."""

import importlib.util
import re
from typing import TYPE_CHECKING

from bilancio.errors import (
    ExecutorFailed,
    ExecutorUnavailable,
    LibraryMissing,
    TokenMissing,
    invalid,
)
from bilancio.executors import dask_probe, modal_account
from bilancio.executors.names import DASK, DEFAULT, MODAL
from bilancio.settings import Settings, redact_url
from bilancio.validation import nearest

if TYPE_CHECKING:  # names are listed without loading numpy
    from bilancio.executors.base import Executor

__all__ = ["DEFAULT", "MODAL", "check", "check_name", "names", "open_executor", "probe"]

_ADDRESS = re.compile(r"(?:tcp|tls)://(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):([0-9]{1,5})")
_LAST_PORT = 65535


def names() -> tuple[str, ...]:
    """Return the names of all executors."""
    return (DEFAULT, DASK, MODAL)


def check_name(executor: str) -> None:
    """Refuse a name that no executor has.

    Raises
    ------
    ExecutorUnavailable
    """
    if executor not in names():
        raise ExecutorUnavailable(executor, names(), nearest(executor, names()))


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
    TokenMissing
        It lacks the token of who pays.
    """
    check_name(settings.executor)
    if settings.executor == MODAL:
        if importlib.util.find_spec("modal") is None:
            raise LibraryMissing("modal", asker="The executor modal", extra="modal")
        if modal_account.token() is None:
            raise TokenMissing("Modal")
    if settings.executor == DASK:
        # Importing it would take a second of a process that computes nothing.
        if importlib.util.find_spec("distributed") is None:
            raise LibraryMissing("distributed", asker="The executor dask", extra="dask")
        parts = _ADDRESS.fullmatch(settings.dask_address)
        if parts is None or int(parts[1]) > _LAST_PORT:
            allowed = "the address of a Dask scheduler, as tcp://HOST:8786"
            got = redact_url(settings.dask_address)
            raise invalid("BILANCIO_DASK_ADDRESS", got, allowed)


def probe(settings: Settings) -> None:
    """Refuse an executor where nothing would compute: before a job is stored or started.

    Takes milliseconds as a rule, up to eight seconds where nothing answers, and loads no library of
    an executor. A doctor may ask it as well.

    Raises
    ------
    ExecutorUnavailable, LibraryMissing, InvalidInput, TokenMissing
        As `check`.
    ExecutorFailed
        No Dask scheduler answers at its address.
    """
    check(settings)
    if settings.executor != DASK:
        return
    if fault := dask_probe.fault(settings.dask_address, dask_probe.ANSWER_S):
        reason = f"no Dask scheduler answers at {settings.dask_address} ({fault})"
        raise ExecutorFailed(DASK, f"{reason}; start one there, or choose another executor")


def open_executor(
    settings: Settings, *, run_timeout_s: float = 600.0, label: str = "batches"
) -> "Executor":
    """Return the executor that the settings name, ready to compute; close it after use.

    Parameters
    ----------
    run_timeout_s
        Longest time that a run may take where it can be stopped.
    label
        What the work is called where others see it.

    Raises
    ------
    ExecutorUnavailable, LibraryMissing, InvalidInput, TokenMissing
        As `check`.
    """
    check(settings)
    if settings.executor == MODAL:
        from bilancio.executors.modal import ModalExecutor  # modal, which is optional

        token = modal_account.token()
        if token is None:  # it was removed this moment
            raise TokenMissing("Modal")
        return ModalExecutor(
            settings.modal_containers, token, label=label, run_timeout_s=run_timeout_s
        )
    if settings.executor == DASK:
        from bilancio.executors.dask import DaskExecutor  # distributed, which is optional

        return DaskExecutor(settings.dask_address, run_timeout_s=run_timeout_s)
    from bilancio.executors.local import LocalExecutor  # numpy

    return LocalExecutor(settings.workers, run_timeout_s=run_timeout_s)
