"""Which executors there are, by name. Their code, and numpy, are loaded when one is opened."""

import importlib
from typing import TYPE_CHECKING

from bilancio.errors import ExecutorUnavailable

if TYPE_CHECKING:  # names are listed without loading numpy
    from bilancio.executors.base import Executor

DEFAULT = "local"

_CLASSES = {DEFAULT: "bilancio.executors.local:LocalExecutor"}


def names() -> tuple[str, ...]:
    """Return the names of all executors of this installation."""
    return tuple(_CLASSES)


def check(name: str) -> None:
    """Refuse a name that no executor has.

    Raises
    ------
    ExecutorUnavailable
        This installation has no such executor.
    """
    if name not in names():
        raise ExecutorUnavailable(name, names())


def open_executor(name: str, *, workers: int = 0, run_timeout_s: float = 600.0) -> "Executor":
    """Return the executor of this name, ready to compute; close it after use.

    Parameters
    ----------
    workers
        Batches that compute at the same time; 0 lets the executor choose.
    run_timeout_s
        Longest time that a run may take where it can be stopped.

    Raises
    ------
    ExecutorUnavailable
        This installation has no such executor.
    """
    check(name)
    module, _, kind = _CLASSES[name].partition(":")
    opened: Executor = getattr(importlib.import_module(module), kind)(
        workers, run_timeout_s=run_timeout_s
    )
    return opened
