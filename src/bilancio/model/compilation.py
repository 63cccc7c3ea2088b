"""Where the compiled engine is kept, and how it gets there, once per machine and version.

Nothing here imports numba before the engine is needed: telling whether a first
start is due must stay cheap.
"""

import hashlib
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

import platformdirs
from filelock import FileLock

_SECONDS_TO_COMPILE = 15  # on a core of 2024, for the notice only
_MODEL = Path(__file__).parent
_COMPILED_IN = ("parameters.py", "tables.py")  # codes and columns
_MARK = "complete"
_LOADING = threading.Lock()
_ENTRY = "bilancio.model.kernels.run"


def compiled() -> bool:
    """Tell whether the engine is ready to be loaded, or needs no compilation at all."""
    return _compilation_is_off() or (cache_folder() / _MARK).exists()


def warm_up(notify: Callable[[str], None] | None = None) -> float:
    """Load the engine into this process, compiling it first where that is still to be done.

    Processes that start at the same time compile once: the others wait. Where
    the cache folder cannot be written, the engine is compiled for this process only.

    Parameters
    ----------
    notify
        Called with one sentence before a compilation.

    Returns
    -------
    float
        Seconds spent; 0.0 in a process that has the engine loaded.
    """
    if _ENTRY in sys.modules and not _LOADING.locked():
        return 0.0
    start = time.perf_counter()
    with _LOADING:
        if _ENTRY not in sys.modules:
            _load(notify or _say_nothing)
    return time.perf_counter() - start


def cache_folder() -> Path:
    """Return the folder of the compiled engine: one per version, sources, place and processor."""
    root = os.environ.get("BILANCIO_CACHE_DIR") or platformdirs.user_cache_dir("bilancio")
    versions = "-".join(
        [
            f"bilancio{metadata.version('bilancio')}",
            f"numba{metadata.version('numba')}",
            f"python{platform.python_version()}",
        ]
    )
    return Path(root).expanduser().absolute() / "engine" / f"{versions}-{_fingerprint()}"


def _load(notify: Callable[[str], None]) -> None:
    if _compilation_is_off():
        _import_engine()
        return
    folder = cache_folder()
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        notify(f"The engine cannot be kept in {folder} ({error.strerror}); BILANCIO_CACHE_DIR may.")
        with tempfile.TemporaryDirectory() as for_this_process:
            _load_from(Path(for_this_process), notify)
        return
    try:
        _load_from(folder, notify)
    finally:
        lock.release()


def _load_from(folder: Path, notify: Callable[[str], None]) -> None:
    mark = folder / _MARK
    if not mark.exists():
        notify(f"Compiling the engine for this machine, once, about {_SECONDS_TO_COMPILE} s.")
    with _numba_cache_at(folder):
        _import_engine()
    mark.touch()


def _import_engine() -> None:
    # Importing compiles: it must not happen before numba knows the cache folder.
    import bilancio.model.kernels.run  # noqa: F401


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
