"""Paths as callers write them: expanded and absolute, or refused in a sentence."""

import errno
import os
from pathlib import Path

from bilancio.errors import invalid


def absolute_path(field: str, given: Path | str) -> Path:
    """Return *given* as an absolute path, ``~`` expanded; nothing has to exist there.

    Parameters
    ----------
    field
        What the path is for, as errors name it.

    Raises
    ------
    InvalidInput
        It is empty, is not text that a file name can hold, is too long, names the home of an
        unknown user, or is relative while the working folder no longer exists.
    """
    text = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(text, str) or not text:
        raise invalid(field, text, "a path")
    if "\0" in text:
        raise invalid(field, text, "a path without NUL characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid(field, text, "a path of Unicode text (UTF-8)") from None
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError:
        raise invalid(field, text, "a path; there is no such user") from None
    except FileNotFoundError:
        allowed = "an absolute path, because the working folder no longer exists"
        raise invalid(field, text, allowed) from None
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno in {errno.ENAMETOOLONG, errno.ELOOP}:
            allowed = f"a path that the system takes ({error.strerror})"
            raise invalid(field, text, allowed) from None
    return path
