"""Where the compiled engine is kept, and how it gets there, once per machine and version.

Nothing here imports numba: a process of its own compiles (`kernels.native`), and all others link
what it wrote. Telling whether a first start is due loads not even numpy.
"""

import hashlib
import logging
import os
import platform
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from bilancio import interpreter
from bilancio.errors import InvalidInput
from bilancio.paths import absolute_path
from bilancio.settings import cache_dir

if TYPE_CHECKING:  # numpy and llvmlite load with the engine
    from bilancio.model.linked import Linked

_SECONDS_TO_COMPILE = 7  # on a core of 2024, for the notices
_MODEL = Path(__file__).parent
# How it is compiled, codes and columns.
_COMPILED_IN = ("quickly.py", "linked.py", "parameters.py", "metrics.py", "tables.py")
_PLAIN, _TRACED = "plain", "traced"  # doors of the engine
_NAMES = {
    _PLAIN: "the engine for this machine",
    _TRACED: "the engine that keeps a log of a run",
}
_LOADING = threading.Lock()
_loaded = dict[str, "Linked"]()
log = logging.getLogger(__name__)


def compiled(*, traced: bool = False) -> bool:
    """Return whether the engine is ready to be loaded, or needs no compilation at all.

    With *traced*, the same of the variant that writes down what happens in a run.
    """
    if _compilation_is_off():
        return True
    try:
        return _file(cache_folder(), _door(traced=traced)).exists()
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
        Whether the variant is needed that writes down what happens in a run.

    Returns
    -------
    float
        Seconds spent; 0.0 in a process that has the engine loaded.

    Raises
    ------
    RuntimeError
        It cannot be compiled; says why.
    """
    door = _door(traced=traced)
    if door in _loaded or _compilation_is_off():
        return 0.0
    start = time.perf_counter()
    with _LOADING:
        if door not in _loaded:
            _loaded[door] = _load(door, notify or _say_nothing)
    return time.perf_counter() - start


def linked(*, traced: bool = False) -> "Linked | None":
    """Return a door of the engine, loaded if need be; None where nothing is to be compiled."""
    warm_up(traced=traced)
    return _loaded.get(_door(traced=traced))


def cache_folder() -> Path:
    """Return the folder of the compiled engine: one per version, sources, place and processor.

    Raises
    ------
    InvalidInput
        BILANCIO_CACHE_DIR is not a path, or not set while the user has no home.
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


def _door(*, traced: bool) -> str:
    return _TRACED if traced else _PLAIN


def _file(folder: Path, door: str) -> Path:
    return folder / f"{door}.engine"


def _load(door: str, notify: Callable[[str], None]) -> "Linked":
    from filelock import (
        FileLock,
    )  # takes 20 ms to load, with asyncio; most processes do not need it

    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        path = _file(folder, door)
        if (found := _link(path)) is not None:
            return found
        with FileLock(folder / "lock"):
            if (found := _link(path)) is None:
                notify(f"Compiling {_NAMES[door]}, once, about {_SECONDS_TO_COMPILE} s.")
                _compile(door, path)
                found = _link(path)
    except (OSError, InvalidInput) as error:  # the disk is full, say
        return _load_for_this_process(error, door, notify)
    if found is None:
        message = f"the engine in {path} is damaged as soon as it is written"
        raise RuntimeError(message)
    return found


def _load_for_this_process(
    error: OSError | InvalidInput, door: str, notify: Callable[[str], None]
) -> "Linked":
    """Compile the engine into a folder that is removed; *error* says why it cannot be kept."""
    from bilancio.model.linked import Linked  # numpy and llvmlite

    if isinstance(error, OSError):
        reason = f"in {cache_dir()} ({error.strerror or error})"
    else:
        reason = f"({str(error).rstrip('.')})"
    log.warning("the engine cannot be kept %s", reason)
    notify(f"The engine cannot be kept {reason}. Set BILANCIO_CACHE_DIR to another folder.")
    notify(f"Compiling the engine for this process, about {_SECONDS_TO_COMPILE} s.")
    with tempfile.TemporaryDirectory() as folder:
        path = _file(Path(folder), door)
        _compile(door, path)
        return Linked(path)


def _link(path: Path) -> "Linked | None":
    """Link the engine; None where it is not there yet, or not whole."""
    if not path.exists():
        return None
    from bilancio.model.linked import Damaged, Linked  # numpy and llvmlite

    try:
        return Linked(path)
    except Damaged:
        log.warning("the engine in %s is damaged and is compiled again", path)
        return None


def _compile(door: str, path: Path) -> None:
    """Have a process compile a door into a file, quickly if numba is as it is known here.

    Raises
    ------
    RuntimeError
        It did not; says why.
    """
    for way in ("quickly", "as numba does"):
        compiling = subprocess.run(  # noqa: S603 - our own interpreter and module
            interpreter.command("bilancio.model.kernels.native", door, str(path), way),
            cwd=path.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=interpreter.environment(),
            check=False,
        )
        if not compiling.returncode:
            return
        said = compiling.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said else f"exit code {compiling.returncode}"
        log.warning("the engine could not be compiled %s: %s", way, reason)
    message = f"the engine could not be compiled: {reason}"
    raise RuntimeError(message)


def _compilation_is_off() -> bool:
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}


@cache
def _fingerprint() -> str:
    """Return what distinguishes compiled engines of one version: sources, place, processor."""
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
