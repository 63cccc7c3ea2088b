"""What results depend on beside their configuration: versions, commit, machine."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bilancio import machine

_GIT = (
    # Hooks and file monitors that a repository configures are not started: clones are foreign.
    "git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C",
)  # fmt: skip
# Set where a hook of some repository has started us: they would answer for that one.
_OF_A_HOOK = {
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE", "GIT_PREFIX",
}  # fmt: skip
_TRACKED = ("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=untracked")


def provenance(folder: Path) -> dict[str, Any]:
    """Return what the results depend on beside the configuration.

    Parameters
    ----------
    folder
        Where the sweep was started; its git commit is noted.

    Returns
    -------
    dict
        Versions by name, `git_commit`, `git_clean`, `host`, `platform`, `cores`, `executable`.
    """
    return {
        **machine.versions(),
        **_git(folder),
        "host": machine.host(),
        "platform": machine.system(),
        "cores": machine.cores(),
        "executable": Path(sys.executable).name,
    }


def _git(folder: Path) -> dict[str, Any]:
    """Return the commit of *folder* and whether its tracked files were as committed.

    None outside of git. Files that git does not track, as outputs are, do not count.
    """
    commit = _ask(folder, "rev-parse", "HEAD")
    status = _ask(folder, *_TRACKED) if commit else None
    return {"git_commit": commit, "git_clean": None if status is None else not status}


def _ask(folder: Path, *words: str) -> str | None:
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    try:
        done = subprocess.run(  # noqa: S603 - fixed words; git of the user's PATH
            [*_GIT, str(folder), *words],
            capture_output=True,
            timeout=10,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
