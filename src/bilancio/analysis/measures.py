"""What is said of a group of cells: a weighted sum of columns, or a ratio of two such sums."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

#: Sums of doubles cannot tell apart what differs by less than this share of their parts.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number that results show for each group, made of the means of columns.

    Attributes
    ----------
    name
        How tables and answers call it.
    numerator
        Weight of each column in the sum; a column is `metric` or `metric@arm`.
    denominator
        The sum to divide by, for a ratio of means; None for a plain sum.
    unit, meaning
        Of its values, in words.
    """

    name: str
    numerator: Mapping[str, float]
    denominator: Mapping[str, float] | None = None
    unit: str = ""
    meaning: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is made of, each once."""
        return tuple(dict.fromkeys((*self.numerator, *(self.denominator or ()))))

    @property
    def compares_arms(self) -> bool:
        """Whether it is made of more than one arm."""
        return len({column.partition("@")[2] for column in self.columns}) > 1

    def per_seed(self, columns: Mapping[str, Values]) -> tuple[Values, Values | None]:
        """Return numerator and denominator of each group under each seed.

        Parameters
        ----------
        columns : float64 (n_groups, n_seeds) each
            Means over the cells of a group under a seed; NaN where the seed is not whole.

        Returns
        -------
        numerator : float64 (n_groups, n_seeds)
            NaN where a column is NaN.
        denominator : float64 (n_groups, n_seeds) or None
            None where the measure is a plain sum.
        """
        numerator = _weighted(self.numerator, columns)
        if self.denominator is None:
            return numerator, None
        return numerator, _weighted(self.denominator, columns)


def weighted_sum(parts: Iterable[tuple[float, Values]]) -> Values:
    """Return Σ weight · array, with 0 where the parts cancel up to rounding.

    Rounding that is left of equal parts would look like a small effect without any noise.
    """
    (weight, first), *others = parts
    total = first * weight
    if not others:
        return total
    rounding = ROUNDING * np.abs(total)
    with np.errstate(invalid="ignore", over="ignore"):  # infinite parts that cancel are NaN
        for weight, array in others:
            part = array * weight
            total += part
            rounding += ROUNDING * np.abs(part, out=part)
        total[(np.abs(total) <= rounding) & np.isfinite(total)] = 0
    return total


def _weighted(weights: Mapping[str, float], columns: Mapping[str, Values]) -> Values:
    return weighted_sum((weight, columns[name]) for name, weight in weights.items())
