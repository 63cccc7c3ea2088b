"""What the executors are called, in settings, events and errors."""

from bilancio.settings import DEFAULT_EXECUTOR

DEFAULT, DASK, MODAL = DEFAULT_EXECUTOR, "dask", "modal"
