"""The user's own code that an experiment consists of, and the libraries that it needs."""

import ast
import importlib.util
import json
import re
import sys
import traceback
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from bilancio.printable import escaped
from bilancio.text import MAX_ERROR, error_text

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


def files_used(module: str, file: Path) -> tuple[Path, ...]:
    """Return *file*, a module, and the files of its own code that it uses, in order of their paths.

    Those are the modules that it imports, directly or through each other, as far as they lie in
    the folder from which *module* is imported; of what is installed, in the same package. Imports
    that are written in functions count, those that are computed do not.
    """
    root = _root(module, file)
    if root is None:
        return (file,)
    installed = bool(INSTALLED & {*file.parts})
    files, seen, todo = {file}, set[str](), [module]
    while todo:
        name = todo.pop()
        top, _, rest = name.partition(".")
        if name in seen or top in sys.stdlib_module_names or top == "bilancio":
            continue
        seen.add(name)
        if installed and top != module.partition(".")[0]:
            continue
        found = _file_of(root, name)
        if found is not None:
            files.add(found)
            todo += _modules_imported(found, name)
        if rest:  # a package's own code is run before its modules'
            todo.append(name.rpartition(".")[0])
    return tuple(sorted(files))


def raised_in(module: str, error: BaseException) -> str:
    """Return an exception as `error_text` does, and where in a module's own code it was raised.

    As `ValueError: no solution (queueing.py:31)`: the last line of the module, or of what it uses
    of the same project, that the exception has passed. None is named of bilancio's own code.
    """
    line = "" if module.startswith("bilancio.") else _last_line(module, error)
    where = escaped(f" ({line})") if line else ""
    return error_text(error)[: MAX_ERROR - len(where)] + where


def _last_line(module: str, error: BaseException) -> str:
    file = getattr(sys.modules.get(module), "__file__", None)
    root = _root(module, Path(file)) if file else None
    if file is None or root is None:
        return ""
    installed, top = INSTALLED & {*Path(file).parts}, module.partition(".")[0]
    last = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        place = Path(frame.f_code.co_filename)
        if not place.is_relative_to(root) or INSTALLED & {*place.parts} != installed:
            continue
        own = place.relative_to(root)
        if not installed or own.parts[0].removesuffix(".py") == top:
            last = f"{own}:{line}"
    return last


def _root(module: str, file: Path) -> Path | None:
    """Return the folder from which a module is imported; None where the file is not its own."""
    depth = module.count(".") + (file.name == "__init__.py")
    if depth >= len(file.parents):
        return None
    root = file.parents[depth]
    return root if _file_of(root, module) == file else None


def _file_of(root: Path, module: str) -> Path | None:
    place = root.joinpath(*module.split("."))
    both = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((each for each in both if each.is_file()), None)


def _modules_imported(file: Path, module: str) -> Iterator[str]:
    """Yield the full names of what a module imports; those of its objects may be among them."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):  # importing it tells, if it ever is
        return
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


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
