"""Plugged-in experiments, and an executor of two workers that is closed."""

import pytest

from bilancio.executors.local import LocalExecutor
from bilancio.experiments import registry
from tests.plugins import ALL


@pytest.fixture
def plugins(monkeypatch):
    monkeypatch.setenv("BILANCIO_PLUGINS", ALL)
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


@pytest.fixture
def executor(plugins):
    executor = LocalExecutor(2, run_timeout_s=60)
    yield executor
    executor.close()
