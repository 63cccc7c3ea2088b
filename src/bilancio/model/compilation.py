"""Where the compiled engine is kept, and how it gets there, once per machine and version.

Nothing here imports numba before the engine is needed: telling whether a first
start is due must stay cheap.
"""

import hashlib
import logging
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from bilancio.errors import InvalidInput
from bilancio.paths import absolute_path
from bilancio.settings import cache_dir

_SECONDS_TO_COMPILE, _SECONDS_TO_COMPILE_TRACED = 15, 6  # on a core of 2024, for the notices
_MODEL = Path(__file__).parent
_COMPILED_IN = ("parameters.py", "metrics.py", "tables.py")  # codes and columns
_MARK, _TRACED = "complete", "traced"
_LOADING = threading.Lock()
log = logging.getLogger(__name__)
_ENTRY = "bilancio.model.kernels.run"


def compiled(*, traced: bool = False) -> bool:
    """Return whether the engine is ready to be loaded, or needs no compilation at all.

    With *traced*, the same of the variant that writes down what happens in a run.
    """
    if _compilation_is_off():
        return True
    try:
        return (cache_folder() / (_TRACED if traced else _MARK)).exists()
    except (OSError, InvalidInput):  # as `warm_up` finds, and copes with
        return False


def seconds_to_compile() -> float:
    """Return about how long `warm_up` will compile on this machine; 0 where it need not."""
    return 0.0 if compiled() else float(_SECONDS_TO_COMPILE)


def warm_up(notify: Callable[[str], None] | None = None, *, traced: bool = False) -> float:
    """Load the engine into this process, compiling it first where that is still to be done.

    Processes that start at the same time compile once: the others wait. Where
    the cache folder cannot be written, the engine is compiled for this process only.

    Parameters
    ----------
    notify
        Called with one sentence before a compilation.
    traced
        Whether the variant that writes down what happens in a run is needed, too.

    Returns
    -------
    float
        Seconds spent; 0.0 in a process that has the engine loaded.
    """
    if _is_loaded(traced=traced) and not _LOADING.locked():
        return 0.0
    start = time.perf_counter()
    with _LOADING:
        if not _is_loaded(traced=traced):
            _load(notify or _say_nothing, traced=traced)
    return time.perf_counter() - start


def cache_folder() -> Path:
    """Return the folder of the compiled engine: one per version, sources, place and processor.

    Raises
    ------
    InvalidInput
        BILANCIO_CACHE_DIR is not a path.
    """
    versions = "-".join(
        [
            f"bilancio{metadata.version('bilancio')}",
            f"numba{metadata.version('numba')}",
            f"python{platform.python_version()}",
        ]
    )
    return (
        absolute_path("BILANCIO_CACHE_DIR", cache_dir()) / "engine" / f"{versions}-{_fingerprint()}"
    )


def _is_loaded(*, traced: bool) -> bool:
    engine: Any = sys.modules.get(_ENTRY)
    # Without compilation the kernel is a plain function, which has no signatures.
    return engine is not None and (not traced or bool(getattr(engine.trace_rows, "signatures", 1)))


def _load(notify: Callable[[str], None], *, traced: bool) -> None:
    if _compilation_is_off():
        _import_engine()
        return
    from filelock import (
        FileLock,
    )  # takes 20 ms to load, with asyncio; most processes do not need it

    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock")
        lock.acquire()
    except (OSError, InvalidInput) as error:
        _load_for_this_process(error, notify, traced=traced)
        return
    try:
        _load_from(folder, notify, traced=traced)
    except OSError as error:  # the disk is full, say
        _load_for_this_process(error, notify, traced=traced)
    finally:
        lock.release()


def _load_for_this_process(
    error: Exception, notify: Callable[[str], None], *, traced: bool
) -> None:
    """Compile the engine into a folder that is removed; *error* says why it cannot be kept."""
    reason = getattr(error, "strerror", None) or str(error)
    log.warning("the engine cannot be kept in %s (%s)", cache_dir(), reason)
    notify(
        f"The engine cannot be kept in {cache_dir()} ({reason}). "
        "Set BILANCIO_CACHE_DIR to another folder."
    )
    with tempfile.TemporaryDirectory() as folder:
        _load_from(Path(folder), notify, traced=traced)


def _load_from(folder: Path, notify: Callable[[str], None], *, traced: bool) -> None:
    mark, traced_mark = folder / _MARK, folder / _TRACED
    if not mark.exists() and not _is_loaded(traced=False):
        notify(f"Compiling the engine for this machine, once, about {_SECONDS_TO_COMPILE} s.")
    with _working_folder(), _numba_cache_at(folder):
        _import_engine()
    mark.touch()
    if traced:
        if not traced_mark.exists():
            seconds = _SECONDS_TO_COMPILE_TRACED
            notify(f"Compiling the engine that keeps a log of a run, once, about {seconds} s.")
        with _working_folder():
            _trace_a_run()
        traced_mark.touch()


def _import_engine() -> None:
    # Importing compiles: it must not happen before numba knows the cache folder.
    import bilancio.model.kernels.run  # noqa: F401


def _trace_a_run() -> None:
    """Have the variant that writes down what happens compiled, or loaded."""
    from bilancio.model.parameters import RingParameters
    from bilancio.model.tables import parameter_table  # numpy
    from bilancio.model.trace import trace

    trace(*parameter_table([RingParameters(n_agents=3)]))


@contextmanager
def _numba_cache_at(folder: Path) -> Iterator[None]:
    """Have numba keep what is compiled meanwhile in *folder*, and nothing else of the process."""
    import numba  # heavy: imported when the engine is

    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


@contextmanager
def _working_folder() -> Iterator[None]:
    """Work in the root folder meanwhile if the working folder no longer exists.

    numba writes the names of source files relative to it.
    """
    try:
        Path.cwd()
    except FileNotFoundError:
        removed = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
        os.chdir("/")
        try:
            yield
        finally:
            os.fchdir(removed)
            os.close(removed)
    else:
        yield


def _compilation_is_off() -> bool:
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}


@cache
def _fingerprint() -> str:
    """Return what distinguishes compiled engines of one version: sources, place, processor.

    numba's own index knows the file of the entry, not those that it calls, and finds its
    way back by the sources' folder and the processor's name.
    """
    digest = hashlib.sha256()
    for source in [*sorted(_MODEL.glob("kernels/*.py")), *map(_MODEL.joinpath, _COMPILED_IN)]:
        digest.update(source.read_bytes())
    digest.update(f"{_MODEL} {platform.machine()} {_processor()}".encode())
    return digest.hexdigest()[:16]


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open() as file:
            return "".join(line for line in file.read(4096).splitlines() if _is_lasting(line))
    except OSError:  # not on Linux
        return platform.processor()


def _is_lasting(line: str) -> bool:
    return line.startswith(("model name", "flags", "Features", "CPU part"))


def _say_nothing(_: str) -> None:
    pass
