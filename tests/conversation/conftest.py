"""Servers on the researcher's jobs, which are as they were made before each conversation."""

import asyncio
import shutil

import pytest

from bilancio.jobs.manager import AsyncJobManager
from tests.conftest import CACHE_HOME
from tests.conversation import archive
from tests.conversation.talk import Conversation
from tests.own_project import copy_example, name_modules, working_in
from tests.server.talk import ROOT

WAITING = "harbour-light"


def pytest_generate_tests(metafunc):
    """Have each conversation in both eras of the protocol: in the gate those that are marked so."""
    if "era" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker("eras")
        older = pytest.param("legacy", marks=[] if marked else pytest.mark.nightly)
        metafunc.parametrize("era", ["auto", older])


@pytest.fixture(scope="session")
def pristine(tmp_path_factory):
    """Make the jobs once; return the folder of the researcher, and a copy of it."""
    base = tmp_path_factory.mktemp("conversations")
    work, copy = base / "work", base / "copy"
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE_HOME))
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            monkeypatch.setenv(name, str(base / "home"))
        with working_in(work, monkeypatch):
            copy_example("queue", work)
            (work / "simulations.py").write_text(archive.SIMULATIONS)
            name_modules(work, "queueing", "simulations")
            asyncio.run(archive.fill(f"sqlite:///{work / 'bilancio.db'}", work / "out"))
    shutil.copytree(work, copy)
    return work, copy


@pytest.fixture
def desk(pristine, isolated, monkeypatch):
    """Work in the researcher's folder, with her jobs and nobody else's changes to them."""
    work, copy = pristine
    shutil.rmtree(work)
    shutil.copytree(copy, work)
    monkeypatch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{work / 'bilancio.db'}")
    monkeypatch.setenv("BILANCIO_OUT_DIR", str(work / "out"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with working_in(work, monkeypatch):
        yield work


@pytest.fixture
def talk(desk, era):
    """Return what opens a conversation in one era of the protocol."""

    def opened(words, **more):
        return Conversation(words, era, desk, **more)

    return opened


@pytest.fixture
async def waiting(desk):
    """Return the name of a job that is running: its first seeds are there, others wait."""
    gate = desk / "gate"
    async with AsyncJobManager() as manager:
        await archive.begin_waiting(manager, WAITING, gate)
    yield WAITING
    gate.touch()
