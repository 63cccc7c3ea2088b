"""A project with simulations of its own, as the working folder of this process and its workers."""

import contextlib
import shutil
import sys
from pathlib import Path

from bilancio.experiments import registry

EXAMPLES = Path(__file__).parents[1] / "examples"


@contextlib.contextmanager
def working_in(folder, monkeypatch):
    """Work in *folder*; what is loaded from it is forgotten afterwards."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BILANCIO_WORKERS", "2")
    path, before = list(sys.path), set(sys.modules)
    registry._plugins.cache_clear()
    yield folder
    registry._plugins.cache_clear()
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def write(folder, **modules):
    """Write modules by name, and the pyproject.toml that names them."""
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    name_modules(folder, *modules)


def name_modules(folder, *experiments):
    listed = ", ".join(f'"{each}"' for each in experiments)
    (folder / "pyproject.toml").write_text(f"[tool.bilancio]\nexperiments = [{listed}]\n")


def copy_example(name, folder):
    shutil.copytree(EXAMPLES / name, folder, dirs_exist_ok=True)
