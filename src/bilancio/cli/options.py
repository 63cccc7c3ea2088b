"""The options of a sweep or a run, made from the model that checks its parameters."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import typer
from pydantic import BaseModel

from bilancio.errors import InvalidInput, Problem, invalid, shown
from bilancio.experiments.changing import changed
from bilancio.experiments.configs import BalancedSweep, RingSettings
from bilancio.experiments.fields import plain
from bilancio.experiments.frontier_sweep import FrontierSweep
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.presets import FIELD, filled
from bilancio.experiments.search_sweep import SearchSweep
from bilancio.experiments.sweep_config import UNOFFERED_FIELDS, SweepConfig
from bilancio.model.parameters import BalancedParameters, RingParameters
from bilancio.text import either
from bilancio.validation import Schema, allowed_by, split_csv, validated

_METAVARS = {
    "array": "A,B,…",
    "range": "LOW:HIGH",
    "objects": "A=…,B=…;…",
    "object": "NAME=…;…",
    "integer": "N",
    "number": "X",
    "boolean": "",
}
_EXAMPLES = {
    "vary": "kappa=0.5,1; mu=0:1:0.1",
    "threshold": "axis=kappa; measure=delta; at_most=0.05",
}
_TYPES: dict[str, Any] = dict.fromkeys(("array", "objects", "object"), list[str] | None)
_TYPES["boolean"] = bool | None
_ENDS = 2  # of a range
_NOT_OPTIONS = ("sweep_type", "cloud", "kind", *UNOFFERED_FIELDS)
_GRID, _OTHERS, _SWITCHES = "Grid and seeds", "Parameters", "Switches"
_OWNERS: dict[type, str] = {
    GridSweep: _GRID,
    SearchSweep: _GRID,
    FrontierSweep: _GRID,
    RingSettings: "Ring",
    BalancedSweep: "Dealers",
    BalancedParameters: "Dealers",
}
_PANELS = (_GRID, "Ring", "Dealers", _OTHERS, _SWITCHES)


def parameters_of(model: type[BaseModel]) -> list[inspect.Parameter]:
    """Return one option for each field of *model*, None where it is not given."""
    schema = model.model_json_schema()
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_option(model, name, schema),
            annotation=_TYPES.get(_kind(schema, name), str | None),
        )
        for name in model.model_fields
        if name not in _NOT_OPTIONS and "const" not in schema["properties"][name]
    ]
    if presets := getattr(model, "presets", ()):
        options.append(_preset_option(presets))
    return sorted(options, key=lambda option: _PANELS.index(option.default.rich_help_panel))


def with_options(command: Callable[..., None], model: type[BaseModel]) -> Callable[..., None]:
    """Return *command*, which takes parameters by name, with an option for each of them.

    Parameters
    ----------
    command
        Its own options are keyword-only parameters; those of *model* reach it as ``**given``.
    """

    def called(**given: Any) -> None:
        command(**given)

    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # typer reads it
        [*parameters_of(model), *own]
    )
    return called


def configuration(
    model: type[SweepConfig],
    given: Mapping[str, Any],
    file: Mapping[str, Any],
    other: Mapping[str, Any],
) -> SweepConfig:
    """Return the checked configuration: what a file says, overridden by options.

    Parameters
    ----------
    given
        Options as they were written, None where they were not.
    file
        Parameters of the file.
    other
        Those of another job, which these change; a preset takes their place, too.

    Raises
    ------
    InvalidInput
        A value is wrong; nothing has been stored.
    """
    schema = model.model_json_schema()
    options = {
        name: _read(name, value, _kind(schema, name))
        for name, value in given.items()
        if value is not None
    }
    changes = changed(model, file, options)
    if issubclass(model, GridSweep) and model.presets:
        changes = filled(model, changes, changes=True)
    return model(**changed(model, other, changes))


def run_parameters(
    model: type[RingParameters] | type[BalancedParameters], given: Mapping[str, Any]
) -> RingParameters | BalancedParameters:
    """Return the checked parameters of one run.

    Parameters
    ----------
    given
        Options as they were written, None where they were not.

    Raises
    ------
    InvalidInput
        A value is wrong.
    """
    schema = model.model_json_schema()
    chosen = {name: value for name, value in given.items() if value is not None}
    empty = [
        Problem(name, "nothing", allowed_by(schema["properties"][name], schema))
        for name, value in chosen.items()
        if not isinstance(value, bool) and not "".join(value).strip()
    ]
    if empty:
        raise InvalidInput(empty)
    read = {name: _read(name, value, _kind(schema, name)) for name, value in chosen.items()}
    return validated(model, read)


def _option(model: type[BaseModel], name: str, schema: Schema) -> Any:
    field = model.model_fields[name]
    here = schema["properties"][name]
    kind = _kind(schema, name)
    inner = next((each.get("description") for each in here.get("anyOf", [])), None)
    words = [field.description or inner or ""]
    if kind not in {"boolean", "range", "objects", "object"}:
        allowed = allowed_by(here, schema)
        counted = allowed.startswith(("numbers", "whole", "a list", "text"))
        words.append(f"{allowed[:1].upper() if counted else allowed[:1]}{allowed[1:]}.")
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is not None:
        words.append(f"(default {_default_text(default)})")
    flag = f"--{name.replace('_', '-')}"
    return typer.Option(
        None,
        *([f"{flag}/--no-{flag[2:]}"] if kind == "boolean" else [flag]),
        help=" ".join(filter(None, words)).replace("[", r"\["),
        metavar=_METAVARS.get(kind, "WORD"),
        rich_help_panel=_panel(model, name, kind),
        show_default=False,
    )


def _preset_option(presets: Sequence[str]) -> inspect.Parameter:
    """Return the option for a preset, which is no field of its own."""
    about = f"Fills in what is not given: {either(presets)} (`bilancio presets`)."
    return inspect.Parameter(
        FIELD,
        inspect.Parameter.KEYWORD_ONLY,
        default=typer.Option(
            None,
            f"--{FIELD}",
            help=about,
            metavar="NAME",
            rich_help_panel=_GRID,
            autocompletion=lambda incomplete: [
                each for each in presets if each.startswith(incomplete)
            ],
        ),
        annotation=str | None,
    )


def _kind(schema: Schema, name: str) -> str:
    """Return the JSON type that a parameter is written as, its null form left aside.

    A list of values by name is of the kind `objects`, a list of two ends a `range`.
    """
    here = schema["properties"].get(name, {})
    for option in here.get("anyOf", [here]):
        if option.get("type", "null") != "null":
            items = option.get("items", {})
            if option.get("minItems") == option.get("maxItems") == _ENDS:
                return "range"
            return "objects" if items.get("type") == "object" else str(option["type"])
    return ""


def _read(name: str, text: Any, kind: str) -> Any:
    """Take apart what an option holds; its values stay text, which the model reads."""
    if isinstance(text, list) and len(text) == 1 and text[0].lstrip()[:1] in {"[", "{"}:
        return text[0]  # JSON, which the model reads as well
    if kind in {"array", "range"}:
        return split_csv(text)
    if kind == "object":
        return _named(name, text)
    if kind != "objects":
        return text
    objects = []
    for part in filter(str.strip, ";".join(text).split(";")):
        pairs = [pair.partition("=") for pair in split_csv(part)]
        if not all(equals for _, equals, _ in pairs):
            raise invalid(name, part.strip(), "such as 'a=1,b=2; a=3,b=4'")
        objects.append({each.strip().replace("-", "_"): value for each, _, value in pairs})
    return objects


def _named(option: str, texts: list[str]) -> dict[str, str]:
    """Take apart values by name: "a=1,2" once or several times, or with ";" between them."""
    found: dict[str, str] = {}
    for part in filter(str.strip, ";".join(texts).split(";")):
        name, equals, value = part.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            example = _EXAMPLES.get(option, "name=value; name=value")
            raise invalid(option, part.strip(), f"such as '{example}'")
        if name in found:
            got = f"{shown(found[name])} and {shown(value.strip())}"
            raise InvalidInput([Problem(f"{option}.{name}", got, "each name once")])
        found[name] = value.strip()
    return found


def _panel(model: type[BaseModel], name: str, kind: str) -> str:
    if kind == "boolean":
        return _SWITCHES
    owners = [each for each in model.__mro__ if name in inspect.get_annotations(each)]
    first: type = owners[-1] if owners else model
    return (
        _GRID
        if kind in {"array", "range", "objects", "object"}
        and issubclass(first, SweepConfig)
        and first is not RingSettings
        else _OWNERS.get(first, _OTHERS)
    )


def _default_text(default: Any) -> str:
    if isinstance(default, tuple):
        return ",".join(map(_default_text, default))
    if isinstance(default, bool):
        return "yes" if default else "no"
    if hasattr(default, "normalize"):
        return plain(default)
    if isinstance(default, float):
        return f"{default:g}"
    return str(default)
