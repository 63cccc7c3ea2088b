"""Which experiments there are: the built-in ones, and those that plug-ins bring.

A plug-in is a function with `@experiment` or an object with the attributes of `Experiment`;
`discovery` says where they are named. The built-in ones load their code when they are used.
"""

import functools
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.configs import BalancedSweep, RingSweep, SingleRun
from bilancio.experiments.declared import declared_here, importable
from bilancio.experiments.discovery import (
    add_to_path,
    find_project,
    named_experiments,
    project_files,
    stamp_of,
)
from bilancio.experiments.plugins import (
    PluginFault,
    Plugins,
    forget_modules,
    load,
    load_plugins,
)
from bilancio.experiments.protocol import Experiment
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.experiments.vocabulary import BESIDE, in_fields, sweep_type_of
from bilancio.model.papers import PAPERS
from bilancio.model.version import ENGINE_VERSION
from bilancio.settings import load_settings
from bilancio.validation import validated

_BUILT_IN: dict[str, tuple[type[SweepConfig], str]] = {
    "single": (SingleRun, "bilancio.experiments.single:EXPERIMENT"),
    "ring": (RingSweep, "bilancio.experiments.ring:EXPERIMENT"),
    "balanced": (BalancedSweep, "bilancio.experiments.balanced_comparison:EXPERIMENT"),
}

_REFRESHING = threading.Lock()


def sweep_types() -> list[str]:
    """Return the names of all experiments."""
    return [*_BUILT_IN, *_plugins().experiments]


def built_in() -> tuple[str, ...]:
    """Return the names of the experiments that bilancio brings along."""
    return tuple(_BUILT_IN)


def config_model(sweep_type: object) -> type[SweepConfig]:
    """Return the model that checks the configuration of a sweep of this type.

    Raises
    ------
    InvalidInput
        No experiment has this name.
    """
    if isinstance(sweep_type, str):
        if sweep_type in _BUILT_IN:
            return _BUILT_IN[sweep_type][0]
        if sweep_type in _plugins().experiments:
            return _plugins().experiments[sweep_type].config_model
    allowed = sweep_types()
    got = "nothing" if sweep_type is None else shown(sweep_type)
    meant = sweep_type_of(sweep_type, allowed) if isinstance(sweep_type, str) else ""
    if isinstance(sweep_type, str) and not meant:
        reasons = [*filter(None, [_why_unknown(sweep_type)]), *map(str, plugin_faults())]
        got += f", and {'; '.join(reasons)}" if reasons else ""
    raise InvalidInput([Problem("sweep_type", got, ", ".join(allowed), meant)])


def configuration(parameters: Mapping[str, Any]) -> SweepConfig:
    """Return a sweep's parameters, checked by the model of its ``sweep_type``.

    Raises
    ------
    InvalidInput
        No experiment has this name, or values are wrong: one sentence for each.
    """
    named = {str(name): value for name, value in parameters.items()}
    model = config_model(named.get("sweep_type"))
    try:
        return validated(model, named)
    except InvalidInput as error:
        types = {kind: each.model_fields for kind, (each, _) in _BUILT_IN.items()}
        raise in_fields(error, model.model_fields, beside=BESIDE, types=types) from None


def stored_configuration(parameters: Mapping[str, Any], *, within: str = "") -> SweepConfig:
    """Return the parameters of a sweep that was stored, in a store or a manifest.

    One that does not say how its runs are numbered is of version 0.1, which went cell by cell.

    Parameters
    ----------
    within
        Where the parameters stand, for errors.

    Raises
    ------
    InvalidInput
        As `configuration`.
    """
    model = config_model(parameters.get("sweep_type"))
    numbered = {"run_order": "cells"} if "run_order" in model.model_fields else {}
    return validated(model, {**numbered, **parameters}, within=within)


def experiment(sweep_type: str) -> Experiment:
    """Return the experiment that computes sweeps of this type, its code loaded."""
    config_model(sweep_type)
    if sweep_type in _BUILT_IN:
        built_in: Experiment = load(_BUILT_IN[sweep_type][1])
        return built_in
    return _made(sweep_type)


def version(sweep_type: str) -> str:
    """Return the version of an experiment's numbers; most are known without loading numpy."""
    if sweep_type in _BUILT_IN:
        return ENGINE_VERSION
    config_model(sweep_type)
    declaration = _plugins().experiments[sweep_type].declaration
    return experiment(sweep_type).version if declaration is None else declaration.version


def papers(sweep_type: str) -> tuple[Mapping[str, Any], ...]:
    """Return the publications of the model that a sweep computes; of plug-ins none are known."""
    return PAPERS if sweep_type in _BUILT_IN else ()


def needs_processes(sweep_type: str) -> bool:
    """Return whether an experiment is known to compute in processes, without loading numpy."""
    found = _plugins().experiments.get(sweep_type)
    return found is not None and found.declaration is not None


def _why_unknown(sweep_type: str) -> str:
    """Say why what was declared in this process is no sweep type; nothing was: an empty string."""
    declaration = declared_here(sweep_type)
    if declaration is None:
        return ""
    return importable(declaration) or (
        f"{declaration.address} declares it, but its module is named neither in "
        "[tool.bilancio] experiments nor in BILANCIO_EXPERIMENTS"
    )


def plugin_faults() -> tuple[PluginFault, ...]:
    """Return the plug-ins that are named but cannot be used, and why."""
    return _plugins().faults


def plugins() -> Plugins:
    """Return what plug-ins bring."""
    return _plugins()


def refresh() -> None:
    """Load again what has changed since: files with decorated functions, and what names them.

    For processes that live long. A worker computes all runs with what it has loaded.
    """
    with _REFRESHING:
        if _plugins.cache_info().currsize and (outdated := _plugins().outdated):
            forget_modules(outdated)
            _plugins.cache_clear()


@functools.cache
def _plugins() -> Plugins:
    _made.cache_clear()
    folder = _working_folder()
    project = find_project(folder)
    if project is not None:
        add_to_path(project.file.parent)
    found = load_plugins(named_experiments(load_settings(), project), _BUILT_IN, project)
    looked_at = {file: stamp_of(file) for file in project_files(folder)}
    return found._replace(files=found.files | looked_at)


@functools.cache
def _made(sweep_type: str) -> Experiment:
    return _plugins().experiments[sweep_type].make()


def _working_folder() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was removed
        return None
