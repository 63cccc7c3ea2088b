"""Exact numbers as sweeps take them: decimals within the model's bounds, ranges, points."""

import math
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.model import parameters as bounds


def plain(number: Decimal) -> str:
    """Write a decimal as people do: 0.3, 10000, never 1E+4 or 0.30."""
    return format(number.normalize(), "f") if number else "0"


def each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a value that is listed twice."""
    seen = set()
    for value in values:
        if value in seen:
            raise InvalidInput([Problem("", f"{value} twice", "each value once")])
        seen.add(value)
    return values


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise invalid("", value, "a number, not true or false")
    return value


def _finite_double(number: Decimal) -> Decimal:
    double = float(number)
    if not math.isfinite(double) or (number and not double):
        raise invalid("", number, "a number that a double can hold")
    return number


def _two_ends(value: object) -> object:
    """Read a range: [low, high] or "low:high"."""
    ends = value[0] if isinstance(value, list | tuple) and len(value) == 1 else value
    if isinstance(ends, str):
        ends = [part.strip() for part in ends.split(":")]
    if not isinstance(ends, list | tuple) or len(ends) != 2:  # noqa: PLR2004 - said in the sentence
        raise invalid("", value, "two numbers, low:high")
    return ends


def _low_first(ends: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    low, high = ends
    if not low < high:
        raise InvalidInput([Problem("", range_words(ends), "low:high with low below high")])
    return ends


def range_words(ends: tuple[Decimal, ...]) -> str:
    """Write a range as it is given: 0.2:5."""
    return ":".join(map(plain, ends))


NO_BOOL = BeforeValidator(_no_bool)
DOUBLE = AfterValidator(_finite_double)
PLAIN = PlainSerializer(plain, return_type=str)
_ENDS = BeforeValidator(_two_ends)
_ORDER = AfterValidator(_low_first)
_TWO = Field(min_length=2, max_length=2)

Kappa = Annotated[Decimal, bounds.KAPPA, NO_BOOL, DOUBLE, PLAIN]
Concentration = Annotated[Decimal, bounds.CONCENTRATION, NO_BOOL, DOUBLE, PLAIN]
Mu = Annotated[Decimal, bounds.MU, NO_BOOL, DOUBLE, PLAIN]
Monotonicity = Annotated[Decimal, bounds.MONOTONICITY, NO_BOOL, DOUBLE, PLAIN]
MidRatio = Annotated[Decimal, bounds.OUTSIDE_MID_RATIO, NO_BOOL, DOUBLE, PLAIN]
Share = Annotated[Decimal, bounds.SHARE, NO_BOOL, DOUBLE, PLAIN]
Spread = Annotated[Decimal, bounds.SPREAD, NO_BOOL, DOUBLE, PLAIN]
Sensitivity = Annotated[Decimal, bounds.SENSITIVITY, NO_BOOL, DOUBLE, PLAIN]
Seed = Annotated[int, bounds.SEED, NO_BOOL]

KappaRange = Annotated[tuple[Kappa, ...], _TWO, _ENDS, _ORDER]
ConcentrationRange = Annotated[tuple[Concentration, ...], _TWO, _ENDS, _ORDER]
MuRange = Annotated[tuple[Mu, ...], _TWO, _ENDS, _ORDER]
MonotonicityRange = Annotated[tuple[Monotonicity, ...], _TWO, _ENDS, _ORDER]
MidRatioRange = Annotated[tuple[MidRatio, ...], _TWO, _ENDS, _ORDER]


class RingPoint(BaseModel):
    """One cell by the values of its parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kappa: Kappa | None = Field(default=None, description="κ; default the one of kappas.")
    concentration: Concentration | None = Field(
        default=None, description="c; default the one of concentrations."
    )
    mu: Mu | None = Field(default=None, description="μ; default the one of mus.")
    monotonicity: Monotonicity | None = Field(
        default=None, description="m; default the one of monotonicities."
    )


class BalancedPoint(RingPoint):
    """One cell of a balanced comparison by the values of its parameters."""

    outside_mid_ratio: MidRatio | None = Field(
        default=None, description="ρ; default the one of outside_mid_ratios."
    )
