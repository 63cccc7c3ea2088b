"""What a sweep asks for once some of it is changed: by options over a file, or from another job.

A parameter has several places: a field of its own, a list, a range, `vary`; and some things are
said in one of two ways. What is changed takes the place of all that said the same.
"""

from collections.abc import Mapping
from typing import Any

from bilancio.experiments.derived import range_of
from bilancio.experiments.fields import json_text
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.sweep_config import SweepConfig

_EITHER_OR = (({"seeds"}, {"n_replicates", "base_seed"}), ({"q_total"}, {"q_per_agent"}))
_WAYS = (*_EITHER_OR, *(ways[::-1] for ways in _EITHER_OR))


def changed(
    model: type[SweepConfig], before: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is asked for after some changes, to be checked by *model*.

    Parameters
    ----------
    before
        What was asked for, by field.
    changes
        What takes the place of it; None removes a field. `vary` is changed by parameter.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    kept = {name: value for name, value in before.items() if name not in changes or name in given}
    if issubclass(model, GridSweep):
        given, kept = _axes_chosen(model, given, kept)
    for one, other in _WAYS:
        if one & given.keys() and not other & given.keys():
            for name in other:  # the changes choose between two ways to say the same
                kept.pop(name, None)
    return {**kept, **given}


def _axes_chosen(
    model: type[GridSweep], changes: dict[str, Any], before: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both, for each parameter with what the changes say of it in place of what was said."""
    varied, kept = json_text(changes.get("vary")), json_text(before.get("vary"))
    kept = kept if isinstance(kept, Mapping) else {}
    varied = varied if isinstance(varied, Mapping) else {}
    chosen, left = dict(before), dict(kept)
    for axis in model.parameters_that_vary():
        fields = {axis, model.listed.get(axis, axis), range_of(axis)}
        if axis in varied:
            for field in fields:
                chosen.pop(field, None)
        if (fields | _said_otherwise(axis)) & (changes.keys() | varied.keys()):
            left.pop(axis, None)
        if _said_otherwise(axis) & varied.keys():
            chosen.pop(axis, None)
    if kept:
        chosen["vary"] = left
    return (changes | {"vary": {**left, **varied}} if varied else changes), chosen


def _said_otherwise(name: str) -> set[str]:
    """Return the names under which the same is said in another way."""
    return {other for one, others in _WAYS if name in one for other in others}
