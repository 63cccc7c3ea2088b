"""What the code imports is what pyproject.toml declares."""

import ast
import functools
import inspect
import re
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import packages_distributions
from pathlib import Path

from bilancio.cli import serve
from bilancio.errors import LibraryMissing

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OWN = {"bilancio", "bilancio_mcp", "tests", "benchmarks", "docs_src"}
OWN |= {file.stem for file in ROOT.glob("examples/*/*")}
OWN |= {"my_queue", "simulations", "words"}  # modules that tests write


def name_of(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")


@functools.cache
def imported(*folders):
    """Return the distributions that a folder's code imports, in functions too, and where."""
    known = packages_distributions()
    found = defaultdict(set)
    for file in (file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for top in {name.partition(".")[0] for name in names}:
                if top not in sys.stdlib_module_names | OWN:
                    found[name_of(known.get(top, [top])[0])].add(str(file.relative_to(ROOT)))
    return dict(found)


def declared_for_use():
    """Return what the project needs, and what some of it needs."""
    optional = PROJECT["project"]["optional-dependencies"].values()
    every = [*PROJECT["project"]["dependencies"], *(each for extra in optional for each in extra)]
    return {name_of(each) for each in every}


def test_every_library_that_is_imported_is_declared():
    declared = declared_for_use()
    undeclared = {
        name: sorted(files)
        for name, files in imported("src", "server").items()
        if name not in declared
    }
    assert undeclared == {}


def test_every_library_that_is_declared_is_imported():
    assert declared_for_use() - {*imported("src", "server")} == set()


def literal(node):
    return node.value if isinstance(node, ast.Constant) else None


def offers():
    """Yield the library, where it is a word, and the extra of each LibraryMissing."""
    signature = inspect.signature(LibraryMissing)
    for file in (file for folder in ("src", "server") for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "LibraryMissing":
                named = {each.arg: literal(each.value) for each in node.keywords}
                bound = signature.bind(*map(literal, node.args), **named)
                bound.apply_defaults()
                yield bound.arguments["library"], bound.arguments["extra"]


def test_what_is_missing_is_in_the_extra_that_its_error_names():
    extras = {
        extra: {name_of(each) for each in needed}
        for extra, needed in PROJECT["project"]["optional-dependencies"].items()
    }
    assert {extra for _, extra in offers()} == extras.keys()
    for library, extra in [*offers(), *((library, "web") for library in serve.NEEDED)]:
        assert library is None or name_of(library) in extras[extra]


def test_what_is_optional_is_there_for_development():
    development = {name_of(each) for each in PROJECT["dependency-groups"]["dev"]}
    needed = {name_of(each) for each in PROJECT["project"]["dependencies"]}
    assert declared_for_use() <= development | needed


def test_what_tests_import_is_declared_for_development():
    declared = {name_of(each) for each in PROJECT["project"]["dependencies"]}
    declared |= {name_of(each) for each in PROJECT["dependency-groups"]["dev"]}
    assert {*imported("tests", "benchmarks")} - declared == set()
