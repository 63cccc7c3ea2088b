"""Which experiments there are: the built-in ones, and those that plug-ins bring.

A plug-in is an object with the attributes of `Experiment`, named by the setting
``BILANCIO_PLUGINS`` (``module:object``) or by an entry point of the group
``bilancio.experiments``. The built-in ones load their code when they are used.
"""

import functools
import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from bilancio.errors import InvalidInput, Problem, invalid, shown
from bilancio.experiments.configs import BalancedSweep, RingSweep, SingleRun
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
    return [*_BUILT_IN, *_plugins()]


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
        if sweep_type in _plugins():
            return _plugins()[sweep_type].config_model
    allowed = sweep_types()
    got = "nothing" if sweep_type is None else shown(sweep_type)
    meant = nearest(sweep_type, allowed) if isinstance(sweep_type, str) else ""
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


def experiment(sweep_type: str) -> Experiment:
    """Return the experiment that computes sweeps of this type, its code loaded."""
    config_model(sweep_type)
    if sweep_type in _BUILT_IN:
        return _load(_BUILT_IN[sweep_type][1])
    return _plugins()[sweep_type]


@functools.cache
def _plugins() -> dict[str, Experiment]:
    named = [name.strip() for name in load_settings().plugins.split(",") if name.strip()]
    named += [point.value for point in entry_points(group="bilancio.experiments")]
    found = map(_load, named)
    return {each.config_model.model_fields["sweep_type"].default: each for each in found}


def _load(address: str) -> Experiment:
    module, _, name = address.partition(":")
    try:
        loaded: Experiment = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise invalid(
            "BILANCIO_PLUGINS", address, f"module:object that imports ({error})"
        ) from None
    return loaded
