"""What a search looks for: where along an axis a measure meets a limit."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.fields import json_text, plain
from bilancio.validation import nearest, unknown_field

ALIASES = {"delta": "delta_total", "phi": "phi_total"}
LIMITS = ("at_most", "at_least")
FIELDS = ("axis", "measure", *LIMITS, "arm")
DEFAULT_MEASURE = "delta"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What a search can look at.

    Attributes
    ----------
    metrics
        Measures of the runs of one arm.
    paired
        Measures that need the runs of all arms.
    arms
        The arms of the sweep.
    """

    metrics: tuple[str, ...]
    paired: tuple[str, ...]
    arms: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All names that a threshold may give."""
        short = [name for name, metric in ALIASES.items() if metric in self.metrics]
        return (*short, *self.metrics, *self.paired)


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
    logarithmic, whole
        Whether the bracket is halved on the logarithm, and whether only whole numbers are tried.
    two_sided
        Whether the limit may be met at the low end and missed at the high end, too.
    """

    axis: str
    low: Decimal
    high: Decimal
    measure: str
    metric: str | None
    limit: float
    at_most: bool
    logarithmic: bool
    whole: bool = False
    two_sided: bool = True

    @property
    def star(self) -> str:
        """The name of the value found."""
        return f"{self.axis}_star"

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
        allowed = 'values by name, such as {"axis": "kappa", "measure": "delta", "at_most": 0.05}'
        raise InvalidInput([Problem("threshold", shown(named), allowed)])
    strangers = [str(name) for name in named if name not in FIELDS]
    if strangers:
        raise InvalidInput([unknown_field(name, FIELDS, "threshold") for name in strangers])
    found = {name: named[name] for name in FIELDS if named.get(name) is not None}
    found.setdefault("measure", DEFAULT_MEASURE)
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
        value = found.get(name)
        if name == "axis" and value is None:
            yield Problem("threshold.axis", "nothing", f"one of {', '.join(known)}")
        elif value is not None and value not in known:
            meant = nearest(value, known) if isinstance(value, str) else ""
            yield Problem(f"threshold.{name}", shown(value), f"one of {', '.join(known)}", meant)
    if "arm" in found and len(measures.arms) == 1:
        yield Problem("threshold.arm", shown(found["arm"]), "nothing, for there is one arm")
    elif "arm" in found and found["measure"] in measures.paired:
        allowed = f"nothing, for {found['measure']} is of all arms together"
        yield Problem("threshold.arm", shown(found["arm"]), allowed)


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
