"""The parameters of a decorated function, read from its signature into a model of one run."""

import inspect
import re
import types
import typing
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import BaseMetadata, GroupedMetadata
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic.fields import FieldInfo

from bilancio.errors import Problem, shown
from bilancio.experiments.search_sweep import SearchSweep
from bilancio.model.parameters import SEED, refuse_boolean
from bilancio.validation import allowed_by, word_of

SEED_NAME, ARM_NAME = "seed", "arm"
MAX_WORD = 40
SCALARS = (
    "int, float, bool, str, a Literal, a StrEnum, or Annotated of one of these with bounds and a "
    "description"
)
COLUMNS = frozenset(
    {"n", "n_seeds", "verdict", "design", "cell", "seed", "arm", "index", "run_id", "job_id"}
    | {"status", "error", "met", "probes", "range_missing"}
)
"""Columns that tables of results have beside parameters and metrics."""

_COLUMN = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{MAX_WORD - 1}}}")
_OPTIONS = frozenset(
    {"config", "description", "notes", "tag", "tags", "job_id", "out_dir", "detach", "as_json"}
    | {"dry_run", "like", "yes"}
)
_OF_SWEEPS = frozenset(dir(SearchSweep)) | SearchSweep.model_fields.keys() | _OPTIONS
_NUMBERS = (int, float)
_SCALARS = (*_NUMBERS, bool, str)
_MUTABLE = (list, dict, set, bytearray)
_FINITE = ConfigDict(allow_inf_nan=False)


class RunParameters(BaseModel):
    """The parameters of one run of a decorated function."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True, protected_namespaces=()
    )

    @field_validator("*", mode="before")
    @classmethod
    def _few_words(cls, value: object, info: ValidationInfo) -> object:
        return word_of(cls.model_fields[info.field_name or ""].annotation, value)


def is_column(name: object) -> bool:
    """Return whether tables can have a column of this name."""
    return isinstance(name, str) and _COLUMN.fullmatch(name) is not None


class Signature:
    """What a function takes.

    Parameters
    ----------
    arms
        Empty where its runs have none.
    batch
        Whether it takes arrays of what varies.

    Attributes
    ----------
    problems
        What is wrong with it.
    """

    def __init__(self, function: types.FunctionType, arms: tuple[str, ...], *, batch: bool) -> None:
        self._function = function
        self._arms = arms
        self._batch = batch
        self._fields: dict[str, Any] = {}
        self.problems: list[Problem] = []
        try:
            parameters = inspect.signature(function, eval_str=True).parameters
        except Exception as error:  # noqa: BLE001 - an annotation in quotes may raise anything
            got = f"annotations that cannot be read ({type(error).__name__}: {error})"
            self.problems.append(Problem(function.__name__, got, SCALARS))
            return
        for parameter in parameters.values():
            self._read(parameter)
        if SEED_NAME not in parameters:
            self._wrong(SEED_NAME, "no such parameter", "seed: int, from which all draws follow")
        if arms and ARM_NAME not in parameters:
            self._wrong(ARM_NAME, "no such parameter", "arm: str, since it has arms")

    def model(self) -> type[BaseModel]:
        """Return the model of one run's parameters."""
        return create_model(
            f"{self._function.__name__}_parameters",
            __base__=RunParameters,
            __module__=self._function.__module__,
            __doc__=f"The parameters of one run of {self._function.__name__}.",
            **self._fields,
        )

    def _wrong(self, parameter: str, got: str, allowed: str) -> None:
        problem = Problem(f"{parameter} of {self._function.__name__}", got, allowed)
        self.problems.append(problem)

    def _read(self, parameter: inspect.Parameter) -> None:
        """Read one parameter, or note why it cannot be one of a sweep."""
        name = parameter.name
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            self._wrong(f"{stars}{name}", "any number of values", "one parameter for each value")
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            self._wrong(name, "a parameter by position only", "parameters that are given by name")
        elif name == SEED_NAME:
            self._read_seed(parameter)
        elif name == ARM_NAME:
            self._read_arm(parameter)
        elif not is_column(name) or name.startswith("model_"):
            allowed = f"letters, digits and underscores, at most {MAX_WORD}, not model_ in front"
            self._wrong(name, "this name", f"{allowed}, a letter first")
        elif name in _OF_SWEEPS or name in COLUMNS:
            allowed = "a name that sweeps and their results do not use themselves"
            self._wrong(name, "a name that is taken", allowed)
        elif isinstance(parameter.default, _MUTABLE):
            kind = type(parameter.default).__name__
            self._wrong(name, f"a {kind} as its default", "a default that cannot change")
        elif parameter.annotation is parameter.empty:
            self._wrong(name, "no annotation", SCALARS)
        else:
            self._read_scalar(parameter)

    def _read_seed(self, parameter: inspect.Parameter) -> None:
        annotation, _ = self._taken_apart(parameter.annotation)
        if annotation is not int:
            self._wrong(SEED_NAME, _written(parameter.annotation), "int")
        kind = Annotated[int, SEED, BeforeValidator(refuse_boolean)]
        self._fields[SEED_NAME] = (kind, Field(default=0, description="Seed of all draws."))

    def _read_arm(self, parameter: inspect.Parameter) -> None:
        if not self._arms:
            self._wrong(ARM_NAME, "such a parameter", "none, unless @experiment is given arms")
            return
        annotation, _ = self._taken_apart(parameter.annotation)
        words = get_args(annotation) if get_origin(annotation) is Literal else None
        if annotation is not str and (words is None or set(words) != set(self._arms)):
            allowed = f"str, or a Literal of {', '.join(self._arms)}"
            self._wrong(ARM_NAME, _written(parameter.annotation), allowed)
        kind: Any = Literal.__getitem__(self._arms)
        self._fields[ARM_NAME] = (kind, Field(default=self._arms[0], description="The arm."))

    def _read_scalar(self, parameter: inspect.Parameter) -> None:
        name = parameter.name
        annotation, marks = self._taken_apart(parameter.annotation)
        said = [mark for mark in marks if isinstance(mark, FieldInfo)]
        rules = [mark for mark in marks if not isinstance(mark, FieldInfo | str)]
        rules += [each for field in said for each in field.metadata]
        if not _is_scalar(annotation):
            self._wrong(name, _written(parameter.annotation), SCALARS)
            return
        if not all(isinstance(each, BaseMetadata | GroupedMetadata) for each in rules):
            self._wrong(name, "a validator", "bounds, which can be shown to those who ask")
            return
        if annotation in _NUMBERS:
            rules.append(BeforeValidator(refuse_boolean))
        kind = Annotated[annotation, *rules] if rules else annotation
        about = next((field.description for field in said if field.description), None)
        given = {} if parameter.default is parameter.empty else {"default": parameter.default}
        if allowed := self._outside(name, kind, given):
            self._wrong(name, f"{shown(parameter.default)} as its default", allowed)
        self._fields[name] = (kind, Field(description=about, **given))

    def _outside(self, name: str, kind: Any, given: dict[str, Any]) -> str:
        """Return what is allowed where a default is not; an empty string where it is."""
        try:
            adapter = TypeAdapter(kind, config=None if _is_enum(kind) else _FINITE)
            schema = adapter.json_schema()
        except Exception as error:  # noqa: BLE001 - bounds of another type may raise anything
            reason = shown(str(error).partition("\n")[0])
            self._wrong(name, f"bounds that cannot be read: {reason}", "bounds of its own type")
            return ""
        try:
            for default in given.values():
                adapter.validate_python(default)
        except ValueError:
            return allowed_by(schema, schema)
        return ""

    def _taken_apart(self, annotation: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the type of single values, and what `Annotated` says beside it."""
        marks: tuple[Any, ...] = ()
        annotation = _meant(annotation)
        while get_origin(annotation) is Annotated:
            annotation, *rest = get_args(annotation)
            annotation, marks = _meant(annotation), (*rest, *marks)
        return _scalar_of_arrays(annotation) if self._batch else annotation, marks


def _meant(annotation: Any) -> Any:
    """Return what an alias stands for: float for ``type Rate = float``, ndarray[…] for NDArray[…].

    NDArray is one since numpy 2.5.
    """
    while hasattr(annotation, "__value__"):
        given = get_args(annotation)
        annotation = annotation.__value__[given] if given else annotation.__value__
    return annotation


def _scalar_of_arrays(annotation: Any) -> Any:
    """Return the type of what arrays hold: int for NDArray[np.int64], float for float | NDArray."""
    if get_origin(annotation) in {typing.Union, types.UnionType}:
        members = [_meant(each) for each in get_args(annotation)]
        others = [each for each in members if not _is_array(each)]
        return others[0] if len(others) == 1 else annotation
    inner = get_args(annotation)
    if not _is_array(annotation) or not inner:
        return annotation
    kinds = get_args(inner[-1])  # of numpy.dtype[…]
    name = getattr(kinds[0], "__name__", "") if kinds else ""
    known = {"float": float, "int": int, "bool": bool, "str": str}
    return next((kind for word, kind in known.items() if name.startswith(word)), annotation)


def _is_array(annotation: Any) -> bool:
    return getattr(get_origin(annotation) or annotation, "__name__", "") == "ndarray"


def _is_scalar(annotation: Any) -> bool:
    if get_origin(annotation) is Literal:
        return all(type(each) in {str, int, bool} for each in get_args(annotation))
    return annotation in _SCALARS or _is_enum(annotation)


def _is_enum(annotation: Any) -> bool:
    return (
        isinstance(annotation, type)
        and issubclass(annotation, Enum)
        and issubclass(annotation, str)
    )


def _written(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return "no annotation"
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
