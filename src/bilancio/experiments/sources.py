"""The user's own code that an experiment consists of, and the libraries that it needs."""

import ast
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

INSTALLED = {"site-packages", "dist-packages"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Sources(NamedTuple):
    """What an experiment consists of.

    Attributes
    ----------
    files
        Path below the folder of the code → file; nothing of what is installed.
    distributions
        Names of the installed ones that the code needs, bilancio among them.
    project
        A pyproject.toml that names the experiment.
    """

    files: dict[str, Path]
    distributions: tuple[str, ...]
    project: str


def sources_of(address: str) -> Sources:
    """Return what an experiment at ``module`` or ``module:object`` consists of.

    Where its module imports other modules of the same folder, these belong to it. Of a package
    all modules do.
    """
    named = f"experiments = {json.dumps([address] if address else [])}"
    project = f"[tool.bilancio]\n{named}\n"
    module = address.partition(":")[0]
    spec = importlib.util.find_spec(module) if module else None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return Sources({}, ("bilancio",), project)
    origin = Path(spec.origin)
    if INSTALLED & {*origin.parts}:
        return Sources({}, ("bilancio", *_distributions({module.partition(".")[0]})), project)
    root = origin.parents[module.count(".") + (origin.name == "__init__.py")]
    files, foreign = _closure(root, module)
    relative = {str(each.relative_to(root)): each for each in sorted(files)}
    return Sources(relative, ("bilancio", *_distributions(foreign)), project)


def _closure(root: Path, module: str) -> tuple[set[Path], set[str]]:
    """Return the files in *root* that a module consists of, and what else they import."""
    files: set[Path] = set()
    foreign: set[str] = set()
    todo, seen = [module.partition(".")[0]], set[str]()
    while todo:
        name = todo.pop()
        if name in seen or name in sys.stdlib_module_names or name == "bilancio":
            continue
        seen.add(name)
        found = _files_of(root, name)
        if not found:
            foreign.add(name)
        files |= {*found}
        for file in found:
            todo += _imported(file)
    return files, foreign


def _files_of(root: Path, name: str) -> list[Path]:
    single, folder = root / f"{name}.py", root / name
    if folder.is_dir() and (folder / "__init__.py").is_file():
        return [each for each in folder.rglob("*.py") if each.is_file()]
    return [single] if single.is_file() else []


def _imported(file: Path) -> Iterator[str]:
    """Yield the top-level names that a file imports from outside its own package."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _distributions(modules: set[str]) -> list[str]:
    known = metadata.packages_distributions()
    return sorted({each for name in modules for each in known.get(name, ())} - {"bilancio"})


def pinned(distributions: tuple[str, ...]) -> list[str]:
    """Return the installed versions of some distributions and of all that they need.

    What is needed on other systems only, or by extras, is not installed or not followed.
    """
    found: dict[str, str] = {}
    todo = list(distributions)
    while todo:
        name = _canonical(todo.pop())
        if name in found:
            continue
        try:
            one = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = f"{one.name}=={one.version}"
        for needed in one.requires or ():
            head = _NAME.match(needed)
            if head is not None and "extra ==" not in needed:
                todo.append(head[0])
    return sorted(found.values(), key=str.lower)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
