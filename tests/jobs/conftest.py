"""Managers on an empty store, a small sweep, and a clock that tests turn."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from bilancio.experiments import registry
from bilancio.jobs import AsyncJobManager, JobConfig, JobManager
from tests.plugins import ALL


class Clock:
    """Time passes because the test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


def pytest_generate_tests(metafunc):
    """Run the tests that are marked so, of those that use the store, on both databases."""
    marked = metafunc.definition.get_closest_marker("databases")
    if marked and "database" in metafunc.fixturenames:
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request, isolated, monkeypatch):
    """The address of an empty store, in a file unless a test asks for another: the setting's."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return os.environ["BILANCIO_DATABASE_URL"]
    url = request.getfixturevalue("postgres_url")
    monkeypatch.setenv("BILANCIO_DATABASE_URL", url)
    return url


@pytest.fixture
async def manager(clock, database):
    async with AsyncJobManager(clock=clock) as manager:
        yield manager


@pytest.fixture
def blocking(database):
    """A manager for tests that do not await."""
    with JobManager() as manager:
        yield manager


@pytest.fixture
def done(blocking):
    """Return a function that carries a sweep out, and returns its job."""

    def done(config):
        return blocking.run_job(blocking.create_job("carried out", config).job_id)

    return done


@pytest.fixture
def small():
    """Eight pairs that take a few milliseconds."""
    return JobConfig(
        sweep_type="balanced", n_agents=10, kappas=["0.3", "1"], mus=[0, 1], seeds=[1, 2]
    )


@pytest.fixture
def plugins(monkeypatch):
    """Plug the experiments of tests.plugins in, for this process and the workers it starts."""
    monkeypatch.setenv("BILANCIO_PLUGINS", ALL)
    monkeypatch.setenv("BILANCIO_WORKERS", "2")
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()
