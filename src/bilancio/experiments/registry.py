"""Which experiments there are: the built-in ones, and those that plug-ins bring.

A plug-in is an object with the attributes of `Experiment`, named by the setting
``BILANCIO_PLUGINS`` (``module:object``) or by an entry point of the group
``bilancio.experiments``. The built-in ones load their code when they are used.
"""

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.configs import BalancedSweep, RingSweep, SingleRun
from bilancio.experiments.plugins import PluginFault, Plugins, load, load_plugins
from bilancio.experiments.protocol import Experiment
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.settings import load_settings
from bilancio.validation import nearest, validated

_BUILT_IN: dict[str, tuple[type[SweepConfig], str]] = {
    "single": (SingleRun, "bilancio.experiments.single:EXPERIMENT"),
    "ring": (RingSweep, "bilancio.experiments.ring:EXPERIMENT"),
    "balanced": (BalancedSweep, "bilancio.experiments.balanced_comparison:EXPERIMENT"),
}


def sweep_types() -> list[str]:
    """Return the names of all experiments."""
    return [*_BUILT_IN, *_plugins().experiments]


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
    meant = nearest(sweep_type, allowed) if isinstance(sweep_type, str) else ""
    if isinstance(sweep_type, str) and not meant and plugin_faults():
        got += f", and {'; '.join(map(str, plugin_faults()))}"
    raise InvalidInput([Problem("sweep_type", got, ", ".join(allowed), meant)])


def configuration(parameters: Mapping[str, Any]) -> SweepConfig:
    """Return a sweep's parameters, checked by the model of its ``sweep_type``.

    Raises
    ------
    InvalidInput
        No experiment has this name, or values are wrong: one sentence for each.
    """
    named = {str(name): value for name, value in parameters.items()}
    return validated(config_model(named.get("sweep_type")), named)


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
    return _plugins().experiments[sweep_type]


def plugin_faults() -> tuple[PluginFault, ...]:
    """Return the plug-ins that are named but cannot be used, and why."""
    return _plugins().faults


@functools.cache
def _plugins() -> Plugins:
    named = [name.strip() for name in load_settings().plugins.split(",") if name.strip()]
    named += [point.value for point in entry_points(group="bilancio.experiments")]
    return load_plugins(named, taken=_BUILT_IN)
