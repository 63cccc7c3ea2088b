"""Processes that tests have started, or that these have started in turn."""

import contextlib
from collections.abc import Iterable

import psutil


def wait_until_ended(
    waited_for: Iterable[psutil.Process], seconds: float = 20
) -> list[psutil.Process]:
    """Wait for processes and return those alive; one that nobody collects has ended, too."""
    alive = list(waited_for)
    for _ in range(int(seconds / 0.05)):
        _, alive = psutil.wait_procs(alive, 0.05)
        alive = [each for each in alive if not _ended(each)]
        if not alive:
            break
    return alive


def _ended(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True
