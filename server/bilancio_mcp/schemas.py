"""JSON schemas as the model reads them: everything that constrains, in few words."""

import logging
from collections.abc import Mapping
from typing import Any

from bilancio.errors import BilancioError
from bilancio.experiments import registry
from bilancio.experiments.sweep_config import UNOFFERED_FIELDS

Schema = dict[str, Any]

log = logging.getLogger(__name__)

RANGE = 2  # values: low and high
BEYOND = 10**6  # bounds that nobody comes near cost words and say nothing
CONFIG = (
    "The sweep: sweep_type says which fields there are; each but it has a default. "
    "List every value of a grid. balanced compares dealers that hold (passive) with dealers that "
    "trade (active), ring has no dealers, single is one run."
)


def compact(schema: Mapping[str, Any]) -> Schema:
    """Return *schema* without titles, which only repeat names, and without empty defaults."""
    short: Schema = {}
    for name, value in schema.items():
        if name in {"properties", "$defs"}:
            short[name] = {each: compact(inner) for each, inner in value.items()}
        elif name != "title" and not (name == "default" and value in (None, "", [])):
            short[name] = _compact_value(value)
    return short


def without_docs(schema: Mapping[str, Any]) -> Schema:
    """Return the compact schema of an answer, where only fields are described."""
    short = compact(schema)
    objects = {name: _undescribed(each) for name, each in short.get("$defs", {}).items()}
    return _undescribed(short) | ({"$defs": objects} if objects else {})


def _undescribed(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name != "description"}


def _compact_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return compact(value)
    if isinstance(value, list):
        return [_compact_value(each) for each in value]
    return value


def with_sweeps(parameters: Schema) -> Schema:
    """Return the schema of `create_job` with every sweep type spelled out in ``config``.

    What all types have in common stands in ``config`` itself; what several have is defined once
    and referred to. Fields of no type are refused by the models themselves.
    """
    kinds = {name: _properties(model) for name, model in _models().items()}
    shared = _shared(kinds)
    everywhere = shared.pop(tuple(kinds), {})
    options = []
    for kind in kinds:
        own = shared.get((kind,), {})
        option: Schema = {"properties": {"sweep_type": {"const": kind}, **own}}
        several = [owners for owners in shared if kind in owners and len(owners) > 1]
        if several:
            option["allOf"] = [{"$ref": f"#/$defs/{_named(owners)}"} for owners in several]
        options.append(option)
    config = {
        "description": CONFIG,
        "type": "object",
        "properties": {"sweep_type": {"enum": list(kinds)}, **everywhere},
        "required": ["sweep_type"],
        "oneOf": options,
        "unevaluatedProperties": False,
    }
    defined = {
        _named(owners): {"properties": fields}
        for owners, fields in shared.items()
        if len(owners) > 1
    }
    return {
        **parameters,
        "properties": {**parameters["properties"], "config": config},
        "$defs": {**parameters.get("$defs", {}), **defined},
    }


def _shared(kinds: Mapping[str, Schema]) -> dict[tuple[str, ...], Schema]:
    """Return the fields by the sweep types that have them, each the same in all of these."""
    found: dict[tuple[str, ...], Schema] = {}
    for fields in kinds.values():
        for name, field in fields.items():
            owners = tuple(kind for kind, others in kinds.items() if others.get(name) == field)
            found.setdefault(owners, {})[name] = field
    return found


def _named(owners: tuple[str, ...]) -> str:
    return "_".join(owners)


def _models() -> dict[str, Any]:
    """Return the model of each sweep type; the built-in ones where a plug-in does not load."""
    try:
        return {name: registry.config_model(name) for name in registry.sweep_types()}
    except BilancioError as error:
        log.warning("%s", error)
        return {name: registry.config_model(name) for name in ("single", "ring", "balanced")}


def _properties(model: Any) -> dict[str, Schema]:
    """Return the schema of each field of a sweep but its type, as JSON has it: with numbers."""
    schema = model.model_json_schema()
    return {
        name: _field(field, schema)
        for name, field in schema["properties"].items()
        if name not in {"sweep_type", *UNOFFERED_FIELDS}
    }


def _field(field: Schema, root: Schema) -> Schema:
    """Return one field: no reference, no null, and for decimals the number without the text."""
    if "$ref" in field:
        target = root["$defs"][field["$ref"].removeprefix("#/$defs/")]
        rest = {name: value for name, value in field.items() if name != "$ref"}
        return _field({**target, **rest}, root)
    if "anyOf" in field:
        options = [_field(option, root) for option in field["anyOf"]]
        kinds = {option.get("type") for option in options}
        kept = [
            option
            for option in options
            if option.get("type") != "null"
            and not ("number" in kinds and option.get("type") == "string")
        ]
        rest = {name: value for name, value in field.items() if name != "anyOf"}
        field = {**kept[0], **rest} if len(kept) == 1 else {**rest, "anyOf": kept}
    for inner in ("items", "additionalProperties"):
        if isinstance(field.get(inner), dict):
            field = {**field, inner: _field(field[inner], root)}
    if "properties" in field:  # a cell: what its values may be stands with the lists of them
        field = {"type": "object"}
    if field.get("additionalProperties") is True:
        field = {name: value for name, value in field.items() if name != "additionalProperties"}
    if field.get("maximum", 0) >= BEYOND:
        field = {name: value for name, value in field.items() if name != "maximum"}
    if field.get("maxItems") == RANGE:
        field = {**field, "items": _bare(field["items"])}
    if "default" in field:
        field = {**field, "default": _number_of(field)}
    return {name: _whole(value) for name, value in compact(field).items()}


def _bare(field: Schema) -> Schema:
    """Return only the type of a field whose bounds stand elsewhere."""
    return {"type": field["type"]} if "type" in field else field


def _whole(value: Any) -> Any:
    """Write 1000.0 as 1000; a whole number is as good a bound."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number_of(field: Schema) -> Any:
    """Return a default as a number where text stands for an exact decimal."""
    default = field["default"]
    if field.get("type") == "number" and isinstance(default, str):
        return _number(default)
    if field.get("type") == "array" and default and field["items"].get("type") == "number":
        return [_number(each) if isinstance(each, str) else each for each in default]
    return default


def _number(text: str) -> Any:
    return _whole(float(text))
