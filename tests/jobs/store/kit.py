"""Chunks of results, how a worker records them, and the rights of another user."""

import contextlib
import importlib.readers  # noqa: F401 - otherwise loaded late, where nobody may not read
import os

import numpy as np
import pytest

from bilancio.jobs import JobConfig
from bilancio.jobs.store import FinishedBatch, packing

NOBODY = 65534
SQLITE = pytest.mark.parametrize("address", ["sqlite"], indirect=True)
CONFIG = JobConfig(sweep_type="ring", n_agents=10, n_replicates=100)


def rows(first, last, value=0.5):
    """Return the chunks of runs that all found *value*."""
    indices = np.arange(first, last + 1)
    return packing.split(indices, np.array([(value,)] * len(indices), [("delta_total", float)]))


async def record(store, lease, chunks, failures=()):
    """Record a batch as a worker does."""
    batch = FinishedBatch(chunks=chunks, failures=dict(failures), compute_s=0.1)
    await store.record(lease, [batch], lease_s=30)


@contextlib.contextmanager
def as_nobody():
    """Give up the right to write everywhere, which root has."""
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield
