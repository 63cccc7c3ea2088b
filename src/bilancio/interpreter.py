"""Start another interpreter that runs the same code as this one.

``python -m`` looks into the working folder before it looks anywhere else: a ``random.py`` there
replaces the standard library's, and another clone's ``bilancio`` this one. So an interpreter that
bilancio starts is given this file, which takes over the import path of the parent, and the package
from the folder that the parent has it from.
"""

import contextlib
import gc
import importlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType

IMPORT_PATH = "BILANCIO_IMPORT_PATH"

_THIS_FILE = str(Path(__file__).absolute())
_ROOT = str(Path(__file__).absolute().parents[1])


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that calls `main` of *module*; it needs `environment` as well."""
    flags = ["-P"]
    if sys.flags.ignore_environment:
        flags.append("-E")
    if sys.flags.no_user_site:
        flags.append("-s")
    return [sys.executable, *flags, _THIS_FILE, module, *arguments]


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of this process with *changes*, and its import path."""
    return os.environ | changes | {IMPORT_PATH: json.dumps(import_path())}


def import_path() -> list[str]:
    """Return where this process looks for modules, as absolute paths.

    An empty entry is the working folder of the moment. It comes last: a plug-in is found there,
    and nothing in it replaces what is found elsewhere.
    """
    named = [each for each in sys.path if isinstance(each, str)]
    path = list[str]()
    for each in [*filter(None, named), *(each for each in named if not each)]:
        with contextlib.suppress(FileNotFoundError):  # the working folder was removed
            path.append(str(Path(each).absolute()))
    return path


def main() -> None:
    """Take over the parent's import path and call `main` of the module that is named."""
    path = json.loads(os.environ.pop(IMPORT_PATH))
    sys.path[:] = [_ROOT, *path]
    importlib.import_module("bilancio")
    sys.path[:] = path
    sys.argv[:] = sys.argv[1:]
    load(sys.argv[0]).main()


def load(module: str) -> ModuleType:
    """Return *module* as an interpreter starts with it.

    Nothing of what is loaded then is garbage, and looking for some takes a fifth of the start.
    """
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    main()
