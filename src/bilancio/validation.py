"""Turn pydantic's findings into sentences: field, value got, values allowed, what was meant.

What is allowed is read off the model's JSON schema, the same that the tools show,
so that the sentence and the rule cannot drift apart.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeGuard, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from bilancio.errors import MAX_PROBLEMS, InvalidInput, Problem, invalid, shown

M = TypeVar("M", bound=BaseModel)
Schema = Mapping[str, Any]
_COMPARED = 100  # characters of a name that is not known
_LISTED = 150  # characters of names that are listed in full
_NEAREST = 3  # names of those that are more
# From which likeness on a name is proposed: one letter in three of a short word may be wrong.
_LIKE, _LIKE_LONG, _SHORT = 65, 72, 6
_BEGINNING, _PART, _SAME_PART = 4, 3, 75  # letters of a beginning and of a part; likeness of parts
_OPPOSITE = 15  # less, where one of both says no


def validated(model: type[M], data: Mapping[str, Any], *, within: str = "") -> M:
    """Return *data* as an instance of *model*.

    Parameters
    ----------
    model, data
        What is asked for, and what was given.
    within
        Name of the argument that held *data*, put before the fields' names.

    Raises
    ------
    InvalidInput
        One sentence for each field that is wrong.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise explained(error, model.model_json_schema(), within=within) from None


def explained(error: ValidationError, schema: Schema, *, within: str = "") -> InvalidInput:
    """Return what pydantic found as sentences of ours: the first ones, and a count of the rest."""
    problems: dict[Problem, None] = {}
    every, omitted = error.errors(include_url=False), 0
    for number, found in enumerate(every):
        if len(problems) >= MAX_PROBLEMS:
            return InvalidInput(_once_known(problems), omitted + len(every) - number)
        problems.update(dict.fromkeys(_problems(dict(found), schema, within)))
        reason = found.get("ctx", {}).get("error")
        omitted += reason.omitted if isinstance(reason, InvalidInput) else 0
    return InvalidInput(_once_known(problems), omitted)


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return the choice that *word* was probably meant to be, or an empty string."""
    likeness, best = max(((_likeness(word, each), each) for each in choices), default=(0.0, ""))
    return best if likeness >= (_LIKE if len(word) < _SHORT else _LIKE_LONG) else ""


def _likeness(word: str, choice: str) -> float:
    """Return how likely it is that a name was meant by a word, from 0 to 100.

    It is the share of letters in common, in their order, with the word's plural where that is more,
    as lists of values have it in their names. It is more, too, where the name begins like the
    word, has its parts in another order, or has all of them among others. Parts of words, as "ctor"
    in "executor", say nothing.
    """
    from rapidfuzz import distance, fuzz, utils  # loaded only when something was misspelt

    given, name = (
        utils.default_process(each[:_COMPARED].replace("_", " ").replace("-", " ")).split()
        for each in (word, choice)
    )
    if not given or not name:
        return 0.0
    one, other = " ".join(given), " ".join(name)
    alike = max(fuzz.ratio(one, other), 0.99 * fuzz.ratio(_plural(one), other))
    scores = [alike, 0.98 * fuzz.ratio(" ".join(sorted(given)), " ".join(sorted(name)))]
    if distance.Prefix.similarity(one, other) >= _BEGINNING:
        scores.append(alike + 5)
        if other.startswith(one):
            scores.append(75 + alike / 5)
    few, many = sorted((given, name), key=len)
    negated = ("no" in given) != ("no" in name)
    if len(few) < len(many) and min(map(len, few)) >= _PART and not negated:
        among = min(max(fuzz.ratio(part, each) for each in many) for part in few)
        scores.append(0.9 * among if among >= _SAME_PART else 0.0)
    return min(max(scores), 100.0) - (_OPPOSITE if negated else 0)


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def unknown_field(name: str, known: Iterable[str], within: str = "") -> Problem:
    """Return the problem of a name that does not exist, with those that do; of many the nearest."""
    names = sorted(known)
    where = f"{within}.{name}" if within else name
    return Problem(where, "", near(name, names), nearest(name, names), unknown=True)


def near(word: str, names: Sequence[str]) -> str:
    """List names; of many the three nearest to *word*, and how many more there are."""
    every = ", ".join(names)
    if len(every) <= _LISTED:
        return every
    found = sorted(names, key=lambda name: _likeness(word, name), reverse=True)[:_NEAREST]
    return f"{', '.join(found)} and {len(names) - len(found):,} more"


def unknown_fields(
    names: Iterable[str], known: Iterable[str], prefix: str = ""
) -> InvalidInput | None:
    """Return the error of those *names* that are not *known*; None where all are.

    Parameters
    ----------
    prefix
        Put before each name: of what they are fields.
    """
    choices = set(known)
    strangers = [str(name) for name in names if name not in choices]
    if not strangers:
        return None
    first = [unknown_field(name, choices) for name in strangers[:MAX_PROBLEMS]]
    first = [problem._replace(field=f"{prefix}{problem.field}") for problem in first]
    return InvalidInput(_once_known(first), max(0, len(strangers) - MAX_PROBLEMS))


def parse_int(field: str, text: str, *, least: int | None = None) -> int:
    """Read a whole number.

    Raises
    ------
    InvalidInput
        It is not one, or less than *least*.
    """
    allowed = "whole numbers" if least is None else f"whole numbers from {least}"
    try:
        value = int(text)
    except ValueError:
        raise invalid(field, text, allowed) from None
    if least is not None and value < least:
        raise invalid(field, text, allowed)
    return value


def parse_number(field: str, text: str) -> float:
    """Read a finite number.

    Raises
    ------
    InvalidInput
        It is not one.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise invalid(field, text, "numbers")
    return value


def split_csv(texts: str | Iterable[str] | None) -> list[str]:
    """Split what is written with commas, once or several times; nothing gives an empty list."""
    joined = texts if isinstance(texts, str) else ",".join(texts or ())
    return [part.strip() for part in joined.split(",")] if joined.strip() else []


def word_of(annotation: object, value: object) -> object:
    """Return *value*, given for a field that takes one of few words, if it is text.

    pydantic writes out in full whatever it finds in place of an enum's member, be it a list
    that refers to itself a million times.

    Parameters
    ----------
    annotation
        Of any field; of one that is not an enum every value is returned.

    Raises
    ------
    InvalidInput
        The field is an enum, and *value* is not text.
    """
    kinds = get_args(annotation) or (annotation,)
    words = [each.value for kind in kinds if _is_enum(kind) for each in kind]
    if not words or value is None or isinstance(value, str | Enum):
        return value
    raise invalid("", value, " or ".join(", ".join(map(str, words)).rsplit(", ", 1)))


def _is_enum(kind: object) -> TypeGuard[type[Enum]]:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _once_known(problems: Iterable[Problem]) -> list[Problem]:
    """List the known fields in the first problem that needs them, not in each."""
    told: set[str] = set()
    found = []
    for problem in problems:
        again = problem.unknown and problem.allowed in told
        found.append(problem._replace(allowed="") if again else problem)
        told |= {problem.allowed} if problem.unknown else set()
    return found


def allowed_by(schema: Schema, root: Schema) -> str:
    """Say in words which values a JSON schema allows.

    Parameters
    ----------
    schema
        The schema of one value.
    root
        The whole schema, in which references are looked up.
    """
    schema = _resolved(schema, root)
    if "enum" in schema or "const" in schema:
        values = schema.get("enum") or [schema["const"]]
        return " or ".join(", ".join(map(str, values)).rsplit(", ", 1))
    if options := schema.get("anyOf") or schema.get("oneOf"):
        words = [allowed_by(option, root) for option in options if not _plain_text(option, root)]
        return " or ".join(dict.fromkeys(word for word in words if word and word != "null"))
    match schema.get("type"):
        case "integer":
            return f"whole numbers{_range(schema)}{_multiples(schema)}"
        case "number":
            return f"numbers{_range(schema)}{_multiples(schema)}"
        case "boolean":
            return "true or false"
        case "array":
            items = allowed_by(schema.get("items", {}), root) or "values"
            return f"a list of {'names' if items == 'text' else items}"
        case "string":
            return "text" + (
                f" of at most {schema['maxLength']} characters" if "maxLength" in schema else ""
            )
        case "null":
            return "null"
        case _:
            return ""


def _problems(found: dict[str, Any], schema: Schema, within: str) -> list[Problem]:
    reason = found.get("ctx", {}).get("error")
    if isinstance(reason, InvalidInput):  # a validator of ours has said all but where
        here = _field(tuple(found["loc"]), schema, within)
        return [
            problem._replace(field=".".join(filter(None, (here, problem.field))))
            for problem in reason.problems
        ]
    if found["type"] == "too_short" and found["input"]:
        return []  # what is too short is what other errors left of it
    return [_problem(found, schema, within)]


def _problem(found: dict[str, Any], schema: Schema, within: str) -> Problem:
    loc, kind, value = tuple(found["loc"]), found["type"], found["input"]
    if kind == "extra_forbidden":
        parent = _resolved(_at(schema, loc[:-1]), schema)
        return unknown_field(str(loc[-1]), parent.get("properties", {}), within)
    field = _field(loc, schema, within)
    if kind in {"value_error", "assertion_error"}:
        reason = str(found["ctx"]["error"]).rstrip(".")
        return Problem(field or "input", shown(value) if loc else "", reason)
    allowed = allowed_by(_at(schema, loc), schema)
    if kind == "missing":
        return Problem(field, "nothing", allowed)
    if kind in {"too_short", "tuple_too_short"}:
        return Problem(field, "an empty list", f"at least one value: {allowed}")
    meant = ""
    if kind in {"enum", "literal_error"} and isinstance(value, str):
        meant = nearest(value, allowed.replace(" or ", ", ").split(", "))
    return Problem(field or "input", shown(value), allowed or found["msg"], meant)


def _field(loc: tuple[str | int, ...], schema: Schema, within: str) -> str:
    """Return the path to a value as one would write it, without pydantic's union members."""
    known = _resolved(schema, schema).get("properties", {})
    parts = [part for part in loc[:1] if isinstance(part, int) or part in known or len(loc) == 1]
    parts += [part for part in loc[1:] if isinstance(part, int)]
    path = within
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else part)
    return path


def _at(schema: Schema, loc: Iterable[str | int]) -> Schema:
    """Return the sub-schema at *loc*; an empty one where pydantic names no place in it."""
    here = _resolved(schema, schema)
    for part in loc:
        here = _resolved(here, schema)
        if isinstance(part, str) and part in here.get("properties", {}):
            here = here["properties"][part]
        elif isinstance(part, int):
            arrays = [here, *here.get("anyOf", [])]
            items = [_resolved(option, schema).get("items") for option in arrays]
            here = next((item for item in items if item), {})
    return here


def _resolved(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        schema = root["$defs"][name]
    return schema


def _plain_text(schema: Schema, root: Schema) -> bool:
    """Return whether this is the text form that pydantic offers beside a number's."""
    resolved = _resolved(schema, root)
    return resolved.get("type") == "string" and "enum" not in resolved


def _range(schema: Schema) -> str:
    lower, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    upper, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if lower is not None and upper is not None:
        return f" from {_plain(lower)} to {_plain(upper)}"
    words = [
        f"{word} {_plain(bound)}"
        for word, bound in (
            ("from", lower), ("above", above), ("up to", upper), ("below", below),
        )
        if bound is not None
    ]  # fmt: skip
    return " " + " and ".join(words) if words else ""


def _multiples(schema: Schema) -> str:
    return f", multiples of {_plain(schema['multipleOf'])}" if "multipleOf" in schema else ""


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)
