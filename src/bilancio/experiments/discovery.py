"""Where experiments are named: the project's pyproject.toml, settings, installed packages.

The project is the nearest folder, from the working folder upwards, whose pyproject.toml has a
table ``[tool.bilancio]`` with ``experiments``. It goes last on the import path, so that nothing in
it replaces what is found elsewhere; processes that bilancio starts take that path over.
"""

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

from bilancio.errors import shown
from bilancio.settings import Settings

PROJECT_FILE = "pyproject.toml"
GROUP = "bilancio.experiments"

Stamp = tuple[int, int] | None


class Named(NamedTuple):
    """A place where experiments are looked for.

    Attributes
    ----------
    address
        ``module``, of which all decorated functions are meant, or ``module:object``.
    source
        What names it.
    """

    address: str
    source: str


class Project(NamedTuple):
    """A project that names experiments.

    Attributes
    ----------
    fault
        Why they cannot be read; empty where they can.
    """

    file: Path
    experiments: tuple[str, ...]
    fault: str = ""


def named_experiments(settings: Settings, project: Project | None) -> list[Named]:
    """Return every place that is named, each once, those of *project* first."""
    found = [Named(each, str(project.file)) for each in project.experiments] if project else []
    for variable, value in (("EXPERIMENTS", settings.experiments), ("PLUGINS", settings.plugins)):
        found += [Named(each, f"BILANCIO_{variable}") for each in _split(value)]
    for point in entry_points(group=GROUP):
        package = point.dist.name if point.dist else "an installed package"
        found.append(Named(point.value, f"entry point {point.name} of {package}"))
    return list({each.address: each for each in reversed(found)}.values())[::-1]


def find_project(folder: Path | None) -> Project | None:
    """Return the project that *folder* lies in, if one names experiments."""
    if folder is None:
        return None
    for file in project_files(folder):
        if file.is_file() and (project := _read(file, folder)):
            return project
    return None


def add_to_path(folder: Path) -> None:
    """Have modules looked for in *folder*, too, after all other places."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def module_files(folder: Path, module: str) -> tuple[Path, ...]:
    """Return the files that *module* may be, were it in *folder*."""
    place = folder.joinpath(*module.split("."))
    return (place.with_name(f"{place.name}.py"), place / "__init__.py")


def project_files(folder: Path | None) -> list[Path]:
    """Return the files that may name the experiments of who works in *folder*."""
    return [] if folder is None else [each / PROJECT_FILE for each in (folder, *folder.parents)]


def stamp_of(file: Path) -> Stamp:
    """Return what tells one version of a file from another; None where there is no file."""
    try:
        status = file.stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


def _split(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _read(file: Path, asked_from: Path) -> Project | None:
    """Read what a file says of experiments; None where it does not mention them."""
    import tomllib  # only where there is such a file

    text = ""
    try:
        text = file.read_text("utf-8")
        table = tomllib.loads(text)
    except (OSError, ValueError) as error:
        return Project(file, (), f"it cannot be read ({error})") if "bilancio" in text else None
    tools = table.get("tool", {})
    ours = tools.get("bilancio", {}) if isinstance(tools, dict) else {}
    if not isinstance(ours, dict) or "experiments" not in ours:
        return None
    if _is_foreign(file, asked_from):
        return Project(file, (), "it belongs to another user, whose code is not loaded")
    named = ours["experiments"]
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        got = f"[tool.bilancio] experiments is {shown(named)}"
        return Project(
            file, (), f'{got}, not a list such as ["my_module", "package.module:object"]'
        )
    return Project(file, tuple(each.strip() for each in named))


def _is_foreign(file: Path, asked_from: Path) -> bool:
    """Return whether a file above a folder belongs to neither us, the system nor its owner."""
    owners = {os.getuid(), 0, asked_from.stat().st_uid}
    return file.stat().st_uid not in owners
