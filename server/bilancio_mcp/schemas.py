"""JSON schemas as the model reads them: everything that constrains, in few words."""

import functools
import logging
from collections.abc import Mapping
from typing import Any

from bilancio.errors import BilancioError
from bilancio.experiments import registry
from bilancio.experiments.presets import FIELD
from bilancio.experiments.sweep_config import UNOFFERED_FIELDS
from bilancio.printable import shortened

Schema = dict[str, Any]

log = logging.getLogger(__name__)

SPAN = 3  # fields of a sweep type that are named one by one
ABOUT = 200  # characters of what several sweep types say of one field
KEPT = ("type", "enum", "items", "anyOf", "additionalProperties", "description")
CONFIG = (
    "The sweep. balanced compares dealers that hold (passive arm) with dealers that trade (active) "
    "under the same seeds; ring has no dealers; single is one run. All but sweep_type have "
    "defaults; lists make a grid. Undescribed fields are rare: dry_run='fields' explains all."
)

PRESET = "Fills in the rest."


def compact(schema: Mapping[str, Any]) -> Schema:
    """Return *schema* without titles, which only repeat names, and without empty defaults."""
    short: Schema = {}
    for name, value in schema.items():
        if name in {"properties", "$defs"}:
            short[name] = {each: compact(inner) for each, inner in value.items()}
        elif name != "title" and not (name == "default" and value in (None, "", [], {})):
            short[name] = _compact_value(value)
    return short


def without_null(schema: Schema) -> Schema:
    """Return the schema of arguments without null, which counts as not given."""
    fields = {}
    for name, field in schema.get("properties", {}).items():
        options = [each for each in field.get("anyOf", []) if each.get("type") != "null"]
        rest = {key: value for key, value in field.items() if key != "anyOf"}
        fields[name] = {**options[0], **rest} if len(options) == 1 else field
    return {**schema, "properties": fields}


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
    """Return the schema of `create_job` with the fields of every sweep type in ``config``.

    It is one flat object, each field in it once. What does not belong to a sweep's type is refused
    by the models themselves, which say which types have which fields.
    """
    kinds = {name: _properties(model) for name, model in _models().items()}
    fields = _merged(kinds)
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in fields:
        owners = tuple(kind for kind, others in kinds.items() if name in others)
        groups.setdefault(owners, []).append(name)
    config = {
        "description": f"{CONFIG} {_by_type(groups, tuple(kinds))}",
        "type": "object",
        "properties": {
            "sweep_type": {"enum": list(kinds)},
            **{name: fields[name] for group in groups.values() for name in group},
        },
        "required": ["sweep_type"],
    }
    return {**parameters, "properties": {**parameters["properties"], "config": config}}


def _merged(kinds: Mapping[str, Schema]) -> Schema:
    """Return the fields of all sweep types by name: what several say of one where they agree."""
    merged: Schema = {}
    for name in dict.fromkeys(each for fields in kinds.values() for each in fields):
        said = {kind: fields[name] for kind, fields in kinds.items() if name in fields}
        first = next(iter(said.values()))
        agreed = {
            key: value
            for key, value in first.items()
            if all(each.get(key) == value for each in said.values())
        }
        about: dict[str, list[str]] = {}
        for kind, each in said.items():
            about.setdefault(each.get("description", ""), []).append(kind)
        if len(about) > 1:
            words = (f"{', '.join(who)}: {what}" for what, who in about.items() if what)
            agreed["description"] = shortened(" ".join(words), ABOUT)
        merged[name] = agreed
    return _described_once(merged)


def _described_once(fields: Schema) -> Schema:
    """Return fields, of those that are described alike only the last one with its description."""
    last = {field["description"]: name for name, field in fields.items() if "description" in field}
    return {
        name: field
        if last.get(field.get("description", ""), name) == name
        else {key: value for key, value in field.items() if key in {"type", "enum"}}
        for name, field in fields.items()
    }


def _by_type(groups: Mapping[tuple[str, ...], list[str]], kinds: tuple[str, ...]) -> str:
    """Say which sweep types have which fields, which stand next to each other in the schema."""
    said = []
    for owners, names in groups.items():
        others = [kind for kind in kinds if kind not in owners]
        who = f"not {others[0]}" if len(others) == 1 else ", ".join(owners)
        span = f"{names[0]} to {names[-1]}" if len(names) > SPAN else ", ".join(names)
        said.append(f"{who if others else 'all types'}: {span}")
    return f"In this order, {'; '.join(said)}."


def _models() -> dict[str, Any]:
    """Return the model of each sweep type; the built-in ones where a plug-in does not load."""
    try:
        return {name: registry.config_model(name) for name in registry.sweep_types()}
    except BilancioError as error:
        log.warning("%s", error)
        return {name: registry.config_model(name) for name in ("single", "ring", "balanced")}


@functools.lru_cache(maxsize=32)
def _properties(model: Any) -> dict[str, Schema]:
    """Return the schema of each field of a sweep but its type; of rare ones only the form."""
    schema = model.model_json_schema()
    presets = {FIELD: {"enum": list(model.presets), "description": PRESET}} if model.presets else {}
    return presets | {
        name: _form(short) if field.get("rare") else short
        for name, field in schema["properties"].items()
        if name not in {"sweep_type", *UNOFFERED_FIELDS}
        for short in [_field(field, schema)]
    }


def _form(field: Schema) -> Schema:
    """Return only what kind of values a field takes."""
    if "enum" in field:
        return {"enum": field["enum"]}
    return {name: field[name] for name in ("type", "anyOf") if name in field}


def _field(field: Schema, root: Schema) -> Schema:
    """Return one field in few words: no reference, no null, no bounds.

    Bounds are said by whoever refuses a value. For decimals the number is kept without the text.
    """
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
    if "enum" in field:
        field = {name: value for name, value in field.items() if name != "type"}
    if field.get("additionalProperties") is True:
        field = {name: value for name, value in field.items() if name != "additionalProperties"}
    return compact({name: value for name, value in field.items() if name in KEPT})
