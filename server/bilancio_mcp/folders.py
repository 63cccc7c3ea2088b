"""Where a job asked for over MCP may write: below the working folder or the default one."""

import os
from pathlib import Path

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.printable import shortened

SHOWN = 100  # characters of a path in a refusal


def output_folder(given: str, default: Path) -> Path | None:
    """Return the folder that *given* names, links resolved; None where nothing is given.

    Parameters
    ----------
    given
        Relative paths start at the server's working folder.
    default
        The folder of the jobs' output folders when no other is asked for.

    Raises
    ------
    InvalidInput
        It lies neither below the working folder nor below the default one.
    """
    if not given:
        return None
    if given.startswith("~") or "\0" in given:
        raise _refused(given)
    try:
        working = Path(os.path.realpath(Path.cwd()))
    except FileNotFoundError:
        working = None  # it was removed
    if working is None and not (default.is_absolute() and Path(given).is_absolute()):
        message = "an absolute path below the default output folder: the working folder is gone"
        raise invalid("out_dir", shortened(given, SHOWN), message)
    start = working or Path("/")
    try:
        folder = Path(os.path.realpath(start / given))
        allowed = Path(os.path.realpath(start / default.expanduser()))
    except (OSError, ValueError, RuntimeError):
        raise _refused(given) from None
    if folder.is_relative_to(allowed) or (working and folder.is_relative_to(working)):
        return folder
    raise _refused(given)


def _refused(given: str) -> InvalidInput:
    allowed = "a folder below the working folder of the server, or below the default output folder"
    return InvalidInput([Problem("out_dir", repr(shortened(given, SHOWN)), allowed)])
