"""What is known of this machine: its cores, its name, who uses it, what numbers may depend on."""

import getpass
import os
import platform
from contextlib import suppress
from pathlib import Path

PACKAGES = ("bilancio", "numpy", "numba", "scipy")
_THREADS = "OMP_NUM_THREADS"  # read by OpenBLAS, MKL, BLIS and torch, too


def cores() -> int:
    """Return how many cores this process may use.

    Where the system cannot tell (macOS has no `os.sched_getaffinity`), the machine's.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def sharing_cores(processes: int) -> dict[str, str]:
    """Return the environment of *processes* that compute side by side.

    Each would start a thread of linear algebra per core, which first waits busily for work: a
    third of what it takes to load numpy. What the user has set is kept.
    """
    if _THREADS in os.environ:
        return {}
    return {_THREADS: str(max(cores() // processes, 1))}


def host() -> str:
    """Return the network name of this machine."""
    return platform.node()


def user() -> str:
    """Return the login name of this process; its number where it has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def boot_id() -> str:
    """Return what tells one start of this machine from another; empty where that is unknown."""
    with suppress(OSError):  # Linux
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    return ""


def system() -> str:
    """Return the operating system, its release and the kind of processor."""
    return platform.platform()


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8") as file:  # Linux
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def load() -> tuple[float, float, float]:
    """Return the mean number of processes that wanted a core in the last 1, 5 and 15 minutes."""
    return os.getloadavg()


def python_version() -> str:
    """Return the version of the interpreter."""
    return platform.python_version()


def python_minor() -> str:
    """Return the version of Python without its last part: 3.11."""
    return ".".join(python_version().split(".")[:2])


def package_version(package: str) -> str | None:
    """Return the installed version of a package, or None."""
    # Takes 8 ms to load, by which a command's worker would start later.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def versions() -> dict[str, str | None]:
    """Return the versions that numbers may depend on, by name."""
    return {"python": python_version()} | {name: package_version(name) for name in PACKAGES}
