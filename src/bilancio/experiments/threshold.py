"""What a search looks for: where along an axis a measure meets a limit."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments import vocabulary
from bilancio.experiments.fields import json_text, plain
from bilancio.validation import nearest, unknown_field

LIMITS = ("at_most", "at_least")
FIELDS = ("axis", "measure", *LIMITS, "arm")
EXAMPLE = '{"axis": "kappa", "measure": "delta", "at_most": 0.05}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What a search can look at.

    Attributes
    ----------
    metrics
        Measures of the runs of one arm. Empty where what runs report is known only once they have
        run: then every name is taken for one.
    paired
        Measures that need the runs of all arms.
    arms
        The arms of the sweep.
    default
        The measure where none is given; empty where one must be.
    aliases
        Other names of metrics: name → metric.
    symbols
        How measures are written in sentences.
    paired_endings
        Where the metrics are not known: how the names of measures end that need all arms.
    """

    metrics: tuple[str, ...]
    paired: tuple[str, ...]
    arms: tuple[str, ...]
    default: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    symbols: Mapping[str, str] = field(default_factory=dict)
    paired_endings: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names that a threshold may give; none where every name is allowed."""
        short = [name for name, metric in self.aliases.items() if metric in self.metrics]
        return (*short, *self.metrics, *self.paired)

    def metric_of(self, measure: str) -> str | None:
        """Return the metric of one arm that a measure is; None where it needs all arms."""
        if measure in self.paired or (not self.metrics and measure.endswith(self.paired_endings)):
            return None
        return self.aliases.get(measure, measure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a search looks for.

    Attributes
    ----------
    axis
        The parameter that is searched.
    low, high
        The bracket.
    measure
        As it was given; its mean over the seeds is what counts.
    metric
        The metric of one arm; None where the measure needs all arms.
    limit, at_most
        The mean is to be at most the limit, or at least.
    logarithmic
        Whether the bracket is halved on the logarithm.
    step
        Between the values that are tried, of whole numbers; None where all numbers are.
    two_sided
        Whether the limit may be met at the low end and missed at the high end, too.
    axis_symbol, measure_symbol
        How axis and measure are written in sentences.
    """

    axis: str
    low: Decimal
    high: Decimal
    measure: str
    metric: str | None
    limit: float
    at_most: bool
    logarithmic: bool
    step: int | None = None
    two_sided: bool = True
    axis_symbol: str
    measure_symbol: str

    @property
    def star(self) -> str:
        """The name of the value found."""
        return f"{self.axis}_star"

    @property
    def n_steps(self) -> int:
        """Number of steps from the low end to the high one."""
        return int(self.high - self.low) // (self.step or 1)

    @property
    def words(self) -> str:
        """The condition: at most 0.05."""
        return f"at {'most' if self.at_most else 'least'} {self.limit:g}"

    def met(self, mean: float) -> bool:
        """Return whether a mean meets the limit; one that is not defined does not."""
        return mean <= self.limit if self.at_most else mean >= self.limit


def read_threshold(
    given: object, axes: Collection[str], measures: Measures
) -> dict[str, Any] | None:
    """Return a threshold as a sweep holds it: its fields by name, those not given left out.

    Raises
    ------
    InvalidInput
        Says what is wrong with it.
    """
    named = json_text(given)
    if named is None:
        return None
    if not isinstance(named, Mapping):
        allowed = f"values by name, such as {EXAMPLE}"
        raise InvalidInput([Problem("threshold", shown(named), allowed)])
    strangers = [str(name) for name in named if name not in FIELDS]
    if strangers:
        raise InvalidInput([unknown_field(name, FIELDS, "threshold") for name in strangers])
    found = {name: named[name] for name in FIELDS if named.get(name) is not None}
    if measures.default:
        found.setdefault("measure", measures.default)
    problems = [*_unknown(found, axes, measures), *_limits(found)]
    if problems:
        raise InvalidInput(problems)
    (side,) = (name for name in LIMITS if name in found)
    found[side] = _number(found[side], f"threshold.{side}")
    return {name: found[name] for name in FIELDS if name in found}


def _unknown(
    found: Mapping[str, Any], axes: Collection[str], measures: Measures
) -> Iterator[Problem]:
    choices = {"axis": tuple(axes), "measure": measures.names, "arm": measures.arms}
    for name, known in choices.items():
        value, one_of = found.get(name), f"one of {', '.join(known)}"
        if name == "axis" and not known:
            yield Problem("threshold", "an axis", "nothing, for no parameter is a number")
        elif name == "measure" and not known:
            yield from _any_name(value)
        elif name != "arm" and value is None:
            yield Problem(f"threshold.{name}", "nothing", one_of)
        elif value is not None and value not in known:
            meant = _meant(name, value, known) if isinstance(value, str) else ""
            yield Problem(f"threshold.{name}", shown(value), one_of, meant)
    if "arm" not in found:
        return
    if len(measures.arms) == 1:
        yield Problem("threshold.arm", shown(found["arm"]), "nothing, for there is one arm")
    elif (measure := str(found.get("measure"))) and measures.metric_of(measure) is None:
        allowed = f"nothing, for {measure} is of all arms together"
        yield Problem("threshold.arm", shown(found["arm"]), allowed)


def _meant(name: str, word: str, known: tuple[str, ...]) -> str:
    """Return which of the names known a researcher's word, or a misspelt one, means."""
    if name == "axis" and (field := vocabulary.field_of(word, known)) in known:
        return field
    columns = vocabulary.columns_of(word, known) if name == "measure" else ()
    return columns[0] if len(columns) == 1 else nearest(word, known)


def _any_name(value: object) -> Iterator[Problem]:
    """Yield what is wrong with a measure whose name is not known before it is recorded."""
    if not isinstance(value, str) or not value.isidentifier():
        got = "nothing" if value is None else shown(value)
        yield Problem("threshold.measure", got, "the name of a metric that runs return")


def _limits(found: Mapping[str, Any]) -> Iterator[Problem]:
    given = [name for name in LIMITS if name in found]
    if len(given) != 1:
        got = " and ".join(f"{name} {shown(found[name])}" for name in given) or "no limit"
        yield Problem("threshold", got, "either at_most or at_least, with a number")


def _number(value: object, field: str) -> Decimal:
    try:
        number = Decimal("NaN" if isinstance(value, bool) else str(value).strip())
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > Decimal(10**15):
        raise InvalidInput([Problem(field, shown(value), "a number")])
    return Decimal(plain(number))
