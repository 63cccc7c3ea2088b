"""A manager, plugged-in experiments, and what undisturbed jobs leave behind."""

import pytest

from bilancio.experiments import registry
from bilancio.jobs import AsyncJobManager
from tests.faults.kit import undisturbed
from tests.plugins import ALL


@pytest.fixture(autouse=True)
def plugins(isolated, monkeypatch):
    monkeypatch.setenv("BILANCIO_PLUGINS", f"{ALL},tests.faults.experiments:LABORIOUS")
    monkeypatch.setenv("BILANCIO_WORKERS", "2")
    monkeypatch.delenv("BILANCIO_CRASH_AT", raising=False)
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


@pytest.fixture
async def manager():
    async with AsyncJobManager() as manager:
        yield manager


@pytest.fixture(scope="session")
def known():
    """Outcomes of undisturbed jobs by configuration, computed once."""
    return {}


@pytest.fixture
def expected(known, tmp_path_factory):
    """Return what a configuration's job leaves behind when nobody disturbs it."""

    async def of(config):
        key = repr(config)
        if key not in known:
            known[key] = await undisturbed(config, tmp_path_factory.mktemp("undisturbed"))
        return known[key]

    return of
