"""What a decorated function declares: its parameters, arms and metrics, checked when it is read."""

import hashlib
import inspect
import os
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.signature import (
    ARM_NAME,
    COLUMNS,
    MAX_WORD,
    SEED_NAME,
    Signature,
    is_column,
)
from bilancio.experiments.sources import files_used
from bilancio.model.metrics import Metric

ONLY_ARM = "only"
"""The arm of runs that have none."""
MAX_VERSION, HASH_DIGITS = 40, 12
PAIR = 2

_MARK = "_bilancio_experiment"
_WORD = re.compile(rf"[a-z][a-z0-9_-]{{0,{MAX_WORD - 1}}}")
_NUMERIC = frozenset("fiu?b")
_ENDINGS = ("_low", "_high")  # of the columns that hold the interval of a measure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Declaration:
    """A function as the sweep type that it declares.

    Attributes
    ----------
    name
        Of the sweep type.
    address
        Where the function is, ``module:function``.
    arms
        Empty where runs have none.
    primary
        None where it is the first metric that runs return.
    metrics
        Empty where they are what runs return.
    files
        The code that the numbers come from: the file that the function is in, and those of the
        same project that it uses.
    version
        Of this code.
    parameters
        Model of one run: what the function takes, the seed and the arm among it.
    """

    name: str
    function: Callable[..., Any]
    arms: tuple[str, ...]
    primary: str | None
    batch: bool
    files: tuple[Path, ...]
    version: str
    metrics: tuple[Metric, ...]
    parameters: type[BaseModel]

    @property
    def address(self) -> str:
        """Where the function is."""
        return f"{self.function.__module__}:{self.function.__qualname__}"

    @property
    def own_parameters(self) -> dict[str, FieldInfo]:
        """The parameters beside seed and arm."""
        fields = self.parameters.model_fields
        return {name: fields[name] for name in fields if name not in {SEED_NAME, ARM_NAME}}

    @property
    def meaning(self) -> str:
        """The first line of the function's docstring."""
        text = inspect.getdoc(self.function) or ""
        return text.partition("\n")[0]


def declare(
    function: object,
    name: str,
    *,
    arms: Sequence[str],
    primary: str | None,
    batch: bool,
    version: str | None,
    metrics: Mapping[str, Any] | None,
) -> Declaration:
    """Declare *function* a sweep type, and note that with the function; see `experiment`.

    Raises
    ------
    InvalidInput
        One sentence for each thing that is wrong.
    """
    if not inspect.isfunction(function) or _is_odd(function):
        allowed = "a function defined by def, which returns its metrics"
        raise InvalidInput([Problem("@experiment", _as_what(function), allowed)])
    options = _Options(function.__name__, name, arms, primary, batch, version, metrics)
    problems = list(options.problems())
    reader = Signature(function, options.arm_names(), batch=batch is True)
    problems += reader.problems
    if problems:
        raise InvalidInput(problems)
    files = files_used(function.__module__, Path(function.__code__.co_filename))
    declaration = Declaration(
        name=name,
        function=function,
        arms=options.arm_names(),
        primary=primary,
        batch=batch,
        files=files,
        version=version or _hash_of(function, files),
        metrics=options.declared_metrics(),
        parameters=reader.model(),
    )
    vars(function)[_MARK] = declaration
    _DECLARED[name] = declaration
    return declaration


def declaration_of(found: object) -> Declaration | None:
    """Return what an object declares; None where it is not a decorated function.

    One that another decorator has wrapped is not: what is called would not be what is declared.
    """
    declaration = getattr(found, "__dict__", {}).get(_MARK) if callable(found) else None
    declared = isinstance(declaration, Declaration) and declaration.function is found
    return declaration if declared else None


def declared_here(name: str) -> Declaration | None:
    """Return what was declared last under this name in this process, found by workers or not.

    What is of a module that was forgotten since does not count.
    """
    declaration = _DECLARED.get(name)
    if declaration is None or importable(declaration):
        return declaration
    module = sys.modules.get(declaration.function.__module__)
    found = getattr(module, declaration.function.__name__, None)
    return declaration if found is declaration.function else None


def importable(declaration: Declaration) -> str:
    """Return why another process cannot import a function; empty where it can."""
    function = declaration.function
    if function.__module__ == "__main__":
        return f"{function.__qualname__} is defined in __main__, which workers cannot import"
    if "<locals>" in function.__qualname__:
        return f"{function.__qualname__} is defined inside a function, where workers cannot reach"
    return ""


_DECLARED: dict[str, Declaration] = {}


class _Options(NamedTuple):
    """What is given to `experiment`, checked."""

    function: str
    name: Any
    arms: Any
    primary: Any
    batch: Any
    version: Any
    metrics: Any

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        if not isinstance(self.name, str) or not _WORD.fullmatch(self.name):
            allowed = f"lower-case letters, digits and hyphens, at most {MAX_WORD}, a letter first"
            yield self._problem("name", self.name, allowed)
        yield from self._wrong_arms()
        if not isinstance(self.batch, bool):
            yield self._problem("batch", self.batch, "True or False")
        text = isinstance(self.version, str) and self.version.isprintable()
        if self.version is not None and not (text and 0 < len(self.version) <= MAX_VERSION):
            yield self._problem("version", self.version, f"text of up to {MAX_VERSION} characters")
        metric_problems = list(self._wrong_metrics())
        yield from metric_problems
        if self.primary is not None and not metric_problems:
            known = list(self.metrics) if self.metrics else []
            if not isinstance(self.primary, str) or (known and self.primary not in known):
                yield self._problem("primary", self.primary, ", ".join(known) or "a metric's name")

    def arm_names(self) -> tuple[str, ...]:
        """Return the arms; none where they are wrong."""
        return () if list(self._wrong_arms()) else tuple(self.arms)

    def declared_metrics(self) -> tuple[Metric, ...]:
        """Return the metrics that are declared, of which all are measures."""
        return tuple(_metric(name, said) for name, said in (self.metrics or {}).items())

    def _wrong_arms(self) -> Iterator[Problem]:
        allowed = "two names or more, each once, of lower-case letters, digits and hyphens"
        if isinstance(self.arms, str) or not isinstance(self.arms, Sequence):
            yield self._problem("arms", self.arms, allowed)
            return
        words = [arm for arm in self.arms if isinstance(arm, str) and _WORD.fullmatch(arm)]
        columns = {as_column(arm) for arm in words}
        if self.arms and (len(words) < 2 or len(columns) < len(self.arms)):  # noqa: PLR2004 - two
            yield self._problem("arms", self.arms, allowed)

    def _wrong_metrics(self) -> Iterator[Problem]:
        allowed = "by name a unit, a pair of unit and meaning, or a Metric"
        if self.metrics is None:
            return
        if not isinstance(self.metrics, Mapping) or not self.metrics:
            yield self._problem("metrics", self.metrics, allowed)
            return
        for name, said in self.metrics.items():
            if problem := wrong_metric_name(name, self.metrics, self.arm_names()):
                yield self._problem("metrics", name, problem)
            elif not _is_description(name, said):
                yield self._problem(f"metrics[{shown(name)}]", said, allowed)

    def _problem(self, what: str, got: object, allowed: str) -> Problem:
        return Problem(f"{what} of {self.function}", shown(got), allowed)


def wrong_metric_name(
    name: object, others: Iterable[object], arms: Sequence[str], taken: Iterable[str] = ()
) -> str:
    """Return what a metric may be called, where it is called otherwise; else an empty string.

    Parameters
    ----------
    others
        The metrics that there are.
    arms
        Those that it is shown of; empty where runs have none.
    taken
        Names of parameters.
    """
    if not isinstance(name, str) or not is_column(name):
        return f"names of letters, digits and underscores, at most {MAX_WORD}, a letter first"
    if name in COLUMNS or name in set(taken):
        return "a name that no column of results and no parameter has"
    known = {
        f"{measure}{ending}": other
        for other in map(str, others)
        if other != name
        for measure in measure_names(other, arms)
        for ending in ("", *_ENDINGS)
    }
    for measure in measure_names(name, arms):
        if measure in known:
            return f"another name, for {measure} is a column of {known[measure]}"
    return ""


def measure_names(metric: str, arms: Sequence[str]) -> tuple[str, ...]:
    """Return the names of what is said of a metric: of each arm, and of the differences."""
    if not arms:
        return (metric,)
    each = (f"{metric}_{as_column(arm)}" for arm in arms)
    return (*each, *(difference_name(metric, arm, arms) for arm in arms[1:]))


def difference_name(metric: str, arm: str, arms: Sequence[str]) -> str:
    """Return what the difference between an arm and the first one is called."""
    ending = "" if len(arms) == PAIR else f"_{as_column(arm)}"
    return f"{metric}_difference{ending}"


def as_column(word: str) -> str:
    """Return a name as columns are called: with underscores for hyphens."""
    return word.replace("-", "_")


def _metric(name: str, said: Any) -> Metric:
    if isinstance(said, Metric):
        return said
    unit, meaning = (said, "") if isinstance(said, str) else said
    return Metric(name, unit=unit, meaning=meaning, measure=True)


def _is_description(name: str, said: object) -> bool:
    if isinstance(said, Metric):
        return said.name == name and said.dtype.lstrip("<>=|")[:1] in _NUMERIC
    words = said if isinstance(said, tuple) and len(said) == PAIR else (said,)
    return all(isinstance(each, str) for each in words)


def _as_what(function: object) -> str:
    """Say what was decorated that is not a function which returns."""
    if not inspect.isfunction(function):
        return shown(function)
    if function.__name__ == "<lambda>":
        return "a lambda"
    kind = "async def" if inspect.iscoroutinefunction(function) else "with yield"
    return f"{function.__name__}, a function {kind}"


def _is_odd(function: types.FunctionType) -> bool:
    return (
        inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
        or inspect.isasyncgenfunction(function)
        or function.__name__ == "<lambda>"
    )


def _hash_of(function: types.FunctionType, files: Sequence[Path]) -> str:
    """Return a hash of the files that a function uses; of its code where they cannot be read.

    A single file counts by its content alone, wherever it is.
    """
    try:
        sources = [file.read_bytes().replace(b"\r\n", b"\n") for file in files]
    except (OSError, ValueError):
        code = function.__code__
        sources = [code.co_code + repr((code.co_consts, code.co_names)).encode()]
    if len(sources) > 1:
        root = os.path.commonpath([file.parent for file in files])
        names = (file.relative_to(root).as_posix() for file in files)
        hashes = (hashlib.sha256(source).hexdigest() for source in sources)
        sources = [repr(sorted(zip(names, hashes, strict=True))).encode()]
    return hashlib.sha256(sources[0]).hexdigest()[:HASH_DIGITS]
