"""What each field of a sweep takes and means, for those who choose among many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bilancio.errors import InvalidInput
from bilancio.experiments.sweep_config import UNOFFERED_FIELDS, SweepConfig, canonical
from bilancio.experiments.vocabulary import field_of, unknown
from bilancio.validation import allowed_by


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What a field of a sweep is.

    Attributes
    ----------
    default
        As JSON holds it; None where there is none, or another field decides.
    allowed
        The values allowed, in words.
    meaning
        A sentence; empty where nothing is declared.
    """

    name: str
    default: Any
    allowed: str
    meaning: str


def explained_fields(model: type[SweepConfig], words: Sequence[str] = ()) -> tuple[FieldFacts, ...]:
    """Return the facts about the fields of a sweep type, in their order.

    Parameters
    ----------
    words
        Only the fields with one of these in their name, and those that researchers' words mean;
        all by default.

    Raises
    ------
    InvalidInput
        A word is in no field, and means none.
    """
    schema = model.model_json_schema()
    offered = [name for name in model.model_fields if name not in {"sweep_type", *UNOFFERED_FIELDS}]
    meant = {word: field_of(word, offered) for word in words}
    asked = {
        word: [name for name in offered if word in name or name == meant[word]] for word in words
    }
    chosen = [name for name in offered if not words or any(name in asked[word] for word in words)]
    if strangers := [word for word in words if not asked[word]]:
        raise InvalidInput([unknown(word, offered) for word in strangers])
    return tuple(_facts(model, name, schema) for name in chosen)


def defaults_of(config: SweepConfig) -> dict[str, Any]:
    """Return what a sweep leaves at a default, of the fields that have one."""
    found = {}
    for name, field in type(config).model_fields.items():
        if name in {"sweep_type", *UNOFFERED_FIELDS} or field.is_required():
            continue
        default = canonical(field.get_default(call_default_factory=True, validated_data={}))
        if default is not None and canonical(getattr(config, name)) == default:
            found[name] = default
    return found


def _facts(model: type[SweepConfig], name: str, schema: Mapping[str, Any]) -> FieldFacts:
    field, here = model.model_fields[name], schema["properties"][name]
    default = None
    if not field.is_required():
        default = canonical(field.get_default(call_default_factory=True, validated_data={}))
    return FieldFacts(name, default, allowed_by(here, schema), field.description or "")
