"""Every test has a store and folders of its own, and leaves no process behind."""

import contextlib
import ctypes
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import platformdirs
import psutil
import pytest
from hypothesis import settings

from bilancio.model import compiled
from tests.processes import wait_until_ended

pytest_plugins = ["tests.chromium", "tests.executors.cloud", "tests.postgres"]

# Compiled kernels and downloaded packages are shared by all tests; they are nobody's data.
CACHE_HOME = platformdirs.user_cache_path()
PR_SET_CHILD_SUBREAPER = 36
LIMIT_S = 300  # pyproject.toml's time limit for a test

# There is little garbage among the many objects of tests that are collected; looking for it takes a
# third of the time.
gc.disable()

settings.register_profile("here", deadline=None)  # other tests run on the same cores
settings.load_profile("here")

# A shell that starts pytest in the background has it ignore SIGINT, and so would each process that
# a test starts: those that are sent SIGINT would never end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Workers outlive who starts them; as their new parent this process can find and end them.
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def pytest_report_header() -> str:
    """Say what is left out."""
    taken = os.environ.get("BILANCIO_NIGHTLY") == "1"
    return f"nightly tests: {'taken along' if taken else 'left out; BILANCIO_NIGHTLY=1 has them'}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the night runs; put the tests first that take longest.

    So none of these is left when all others have ended.
    """
    if os.environ.get("BILANCIO_NIGHTLY") != "1":
        left_out = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]
    items.sort(key=_takes_long, reverse=True)


def _takes_long(item: pytest.Item) -> tuple[bool, bool, bool]:
    limit = item.get_closest_marker("timeout")
    raised = limit is not None and limit.args[0] > LIMIT_S
    faults, slow = (item.get_closest_marker(name) is not None for name in ("faults", "slow"))
    return raised, faults and slow, slow


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compile the engine, once per machine and version, before a test that needs it is timed."""
    gc.freeze()
    gc.enable()
    if session.items and not session.config.option.collectonly and not compiled(traced=True):
        code = "from bilancio.model import warm_up; warm_up(traced=True)"
        subprocess.run([sys.executable, "-c", code], check=True)


def has_children() -> bool:
    """Tell whether any process that this one has started or inherited exists, quickly."""
    if not hasattr(os, "waitid"):
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def processes() -> set[psutil.Process]:
    """Return all living processes below this one, but the one that serves multiprocessing."""
    if not has_children():
        return set()
    found = set()
    for each in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            tracker = "multiprocessing.resource_tracker" in " ".join(each.cmdline())
            if each.name() in {"postgres", "setpriv"}:  # the server of all tests, and its children
                continue
            if not tracker and each.status() != psutil.STATUS_ZOMBIE:
                found.add(each)
    return found


def end(left: set[psutil.Process]) -> None:
    for each in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    wait_until_ended(left)


@pytest.fixture(scope="session", autouse=True)
def _no_process_is_left_at_the_end():
    yield
    left = processes()
    end(left)
    assert left == set()


@pytest.fixture(autouse=True)
def _no_process_outlives_its_test():
    """End what the test has started and has not ended, whatever failed in it.

    The browser of a module's tests starts processes of its own at any time, and gives up when these
    are killed again and again.
    """
    before = processes()
    yield
    # One that was about to start another may have done so.
    while left := {each for each in processes() - before if not _of_browser(each, before)}:
        end(left)


def _of_browser(process: psutil.Process, running: set[psutil.Process]) -> bool:
    """Tell whether a process is below a browser that is among those that were running before."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return any("chrom" in each.name() for each in running.intersection(process.parents()))
    return False


@pytest.fixture(autouse=True)
def isolated(
    _no_process_outlives_its_test: None,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Point every setting and home folder into the test's own folder; return that.

    The working folder is an empty one: jobs below the repository's would be found from it.
    """
    monkeypatch.chdir(tmp_path_factory.mktemp("work"))
    monkeypatch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{tmp_path / 'store' / 'bilancio.db'}")
    monkeypatch.setenv("BILANCIO_OUT_DIR", str(tmp_path / "out"))
    for name in (
        "BILANCIO_WORKERS",
        "BILANCIO_LEASE_S",
        "BILANCIO_EXPERIMENTS",
        "BILANCIO_PLUGINS",
        "BILANCIO_NOTIFY",
        "BILANCIO_NOTIFY_SECRET",
        "BILANCIO_NOTIFY_ALLOW_PRIVATE",
        "MODAL_CONFIG_PATH",
        "MODAL_PROFILE",
        "MODAL_SERVER_URL",
        "MODAL_TOKEN_ID",
        "MODAL_TOKEN_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE_HOME))
    return tmp_path
