"""Look whether a module's decorated functions work, by a few runs of each."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from bilancio.encoding import finite
from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments import registry
from bilancio.experiments.calls import Calls, Rows
from bilancio.experiments.declared import Declaration
from bilancio.experiments.discovery import (
    Named,
    add_to_path,
    find_project,
    module_files,
    named_experiments,
)
from bilancio.experiments.plugins import (
    Plugin,
    Unusable,
    brought,
    stdout_to_stderr,
    sweep_type_of,
)
from bilancio.experiments.sources import raised_in
from bilancio.settings import load_settings
from bilancio.validation import nearest

SEEDS = (0, 1)


class Check(BaseModel):
    """What was found of one experiment.

    Attributes
    ----------
    problems
        What keeps it from being used; empty where nothing does.
    remarks
        What may not be meant.
    metrics
        What its first run returned, by arm; by an empty name where there are no arms. None stands
        for NaN and infinity.
    seconds
        That a run took.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    address: str
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    metrics: dict[str, dict[str, float | None]] = {}
    seconds: float | None = None


def check(module: str, folder: Path) -> tuple[Check, ...]:
    """Import *module* (or the one of ``module:function``) and run what it declares, twice.

    Parameters
    ----------
    folder
        Where it is looked for after all other places, unless a project is found from there.

    Raises
    ------
    InvalidInput
        The module cannot be imported, or declares nothing that can be used.
    """
    project = find_project(folder)
    add_to_path(project.file.parent if project else folder)
    named = {each.address for each in named_experiments(load_settings(), project)}
    try:
        found = brought(Named(module, ""), project)
    except Unusable as error:
        if isinstance(error.__cause__, InvalidInput):  # of a function: a sentence for each reason
            raise error.__cause__ from None
        raise InvalidInput([_not_usable(module, folder, error)]) from error
    return tuple(_checked(each, named) for each in found)


def _not_usable(module: str, folder: Path, error: Unusable) -> Problem:
    """Say why a module cannot be checked; of one that is not there, which it may be."""
    name = module.partition(":")[0]
    if any(file.exists() for file in module_files(folder, name)):
        return Problem("MODULE", f"{shown(module)}, where {error}", "")
    here = sorted(file.stem for file in folder.glob("*.py"))
    got = f"{shown(module)}, where {error}; it was looked for in {folder}, too"
    return Problem("MODULE", got, "", nearest(name, here))


def _checked(plugin: Plugin, named: set[str]) -> Check:
    declaration = plugin.declaration
    found: dict[str, Any] = {"name": sweep_type_of(plugin.config_model), "address": plugin.address}
    if declaration is None:
        remark = "It is an object, not a function with @experiment: no run of it was tried."
        return Check(**found, remarks=(remark,))
    if found["name"] in registry.built_in():
        taken = ", ".join(registry.built_in())
        field = f"name of {declaration.function.__name__}"
        problem = Problem(field, repr(found["name"]), f"another name, for {taken} are taken")
        return Check(**found, problems=(str(problem),))
    remarks, module = [], declaration.function.__module__
    if not {declaration.address, module} & named:
        remarks.append(f'To use it, write experiments = ["{module}"] under [tool.bilancio].')
    required = [name for name, field in declaration.own_parameters.items() if field.is_required()]
    if required:
        remarks.append(f"No run was tried, for there is no default of {', '.join(required)}.")
        return Check(**found, remarks=tuple(remarks))
    try:
        with stdout_to_stderr():
            tried = _tried(declaration)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it may raise anything
        return Check(**found, problems=(raised_in(module, error),), remarks=tuple(remarks))
    if tried.constant:
        remarks.append("Two seeds gave the same: does it draw by its seed?")
    return Check(**found, remarks=tuple(remarks), metrics=tried.metrics, seconds=tried.seconds)


class _Tried(NamedTuple):
    """What a few runs of a function gave, which were right."""

    metrics: dict[str, dict[str, float | None]]
    seconds: float
    constant: bool


def _tried(declaration: Declaration) -> _Tried:
    """Compute some runs of a function at its defaults, together and each alone.

    Raises
    ------
    Exception
        Whatever a run raises.
    ValueError
        The same run gave other numbers, or other metrics, another time.
    """
    calls = Calls(declaration)
    fixed = {name: field.default for name, field in declaration.own_parameters.items()}
    seeds, began = np.array(SEEDS), time.perf_counter()
    tables: dict[str, Rows] = {}
    for arm in declaration.arms or ("",):
        arms = [arm] if arm else None
        together = calls.rows(fixed, {}, seeds, arms and arms * len(seeds))
        alone = [calls.rows(fixed, {}, seeds[at : at + 1], arms) for at in range(len(seeds))]
        if not all(map(_same, together[:, np.newaxis], alone)):
            message = (
                "a run gave other numbers the second time; allowed: draws that follow from its own "
                "seed alone"
            )
            raise ValueError(message)
        tables[arm] = together
    columns = [table.dtype for table in tables.values()]
    for other in columns:
        if other != columns[0]:
            message = f"metrics: got {other.names} in one arm; allowed: {columns[0].names}"
            raise ValueError(message)
    seconds = (time.perf_counter() - began) / (2 * len(seeds) * len(tables))
    return _Tried(
        {arm: finite(_by_name(table[0])) for arm, table in tables.items()},
        seconds,
        all(_same(table[:1], table[1:]) for table in tables.values()),
    )


def _same(one: Rows, other: Rows) -> bool:
    """Return whether two tables hold the same numbers; one NaN equals another."""
    names = one.dtype.names or ()
    if names != other.dtype.names:
        return False
    return all(
        np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
        for name in names
    )


def _by_name(row: np.void) -> dict[str, Any]:
    return dict(zip(row.dtype.names or (), row.item(), strict=True))
