"""The figures of the house: what the layout of the code is held to.

``uv run python -m tests.test_house`` prints them.
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = {"bilancio": ROOT / "src/bilancio", "bilancio_mcp": ROOT / "server/bilancio_mcp"}
LONGEST_P95 = 40
LARGEST_MODULE_OF_JOBS = 400
LARGEST_MANAGER = 300
MOST_FILES = 3
PARAMETERS = ("phi_m", "phi_o", "vbt_share", "dealer_share", "quiet_days", "outside_depth")
METRICS = ("written_off_face", "defaulted_face", "traded_face", "n_passthrough", "dealer_start")


@functools.cache
def trees() -> dict[str, ast.Module]:
    """Return every module, by its dotted name."""
    found = {}
    for package, folder in SOURCES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def path_of(module: str) -> Path:
    package, _, rest = module.partition(".")
    place = SOURCES[package].joinpath(*rest.split(".")) if rest else SOURCES[package]
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def imports(module: str) -> set[str]:
    """Return the modules of ours that a module imports, those inside functions among them."""
    found = set()
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & trees().keys() or {node.module}
    return found & trees().keys() - {module}


def circles() -> list[list[str]]:
    """Return the groups of modules that import each other, directly or by way of others."""
    graph = {module: imports(module) for module in trees()}
    reach = {module: set(found) for module, found in graph.items()}
    for middle in graph:
        for found in reach.values():
            if middle in found:
                found.update(reach[middle])
    inside = [module for module in graph if module in reach[module]]
    return sorted({tuple(sorted(b for b in reach[a] if a in reach[b])) for a in inside})


def functions() -> Iterator[tuple[int, str]]:
    """Yield the length of each function, without its docstring's lines, and its name."""
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (node.end_lineno or 0) - node.lineno + 1, f"{module}.{node.name}"


def lengths() -> list[int]:
    return sorted(length for length, _ in functions())


def p95() -> int:
    every = lengths()
    return every[len(every) * 95 // 100]


def lines(module: str) -> int:
    return len(path_of(module).read_text(encoding="utf-8").splitlines())


def largest_of_jobs() -> tuple[int, str]:
    return max((lines(name), name) for name in trees() if name.startswith("bilancio.jobs"))


def files_with(pattern: str) -> list[str]:
    """Return the modules in whose text a pattern occurs."""
    found = re.compile(pattern)
    return [name for name in trees() if found.search(path_of(name).read_text(encoding="utf-8"))]


def literals(text: str) -> list[str]:
    """Return the modules that hold *text* as a literal, once for each place."""
    return [
        module
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == text
    ]


def test_no_files_import_each_other_in_a_circle():
    assert circles() == []


def test_functions_are_short():
    assert p95() <= LONGEST_P95


def test_modules_of_jobs_are_small():
    assert largest_of_jobs()[0] <= LARGEST_MODULE_OF_JOBS
    assert lines("bilancio.jobs.manager") <= LARGEST_MANAGER


def test_the_local_executor_is_named_once():
    assert len(literals("local")) == 1


def test_cores_are_counted_in_one_file():
    assert files_with(r"sched_getaffinity|cpu_count|process_cpu_count") == ["bilancio.machine"]


@pytest.mark.parametrize("name", [*PARAMETERS, *METRICS])
def test_a_parameter_or_metric_is_named_in_few_files(name):
    assert len(files_with(rf"\b{name}\b")) <= MOST_FILES


def report() -> str:
    size, largest = largest_of_jobs()
    every = lengths()
    spread = f"median {every[len(every) // 2]}, p95 {p95()}, longest {every[-1]}"
    per_name = {name: len(files_with(rf"\b{name}\b")) for name in (*PARAMETERS, *METRICS)}
    return "\n".join(
        [
            f"modules                          {len(trees())}",
            f"circles of files                 {len(circles())}",
            f"lines of a function              {spread}",
            f"largest module of jobs           {size} ({largest})",
            f"manager.py                       {lines('bilancio.jobs.manager')}",
            f"places that write 'local'        {len(literals('local'))}",
            f"files that count cores           {len(files_with('sched_getaffinity|cpu_count'))}",
            f"files that name a parameter or metric, at most  {max(per_name.values())}",
        ]
    )


if __name__ == "__main__":
    print(report())  # noqa: T201 - that is what the script is for
