"""What is drawn: plain data under names that say what they are. Loads no matplotlib."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What is written around a picture.

    Attributes
    ----------
    title
        What it shows.
    subtitle
        How sure that is.
    corner
        Whose it is.
    """

    title: str
    subtitle: str
    corner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The values of a parameter along an axis.

    Attributes
    ----------
    label
        What it is, with its unit.
    texts
        The values as they are written.
    places : float64 (n,)
        Where they stand; None for equal distances.
    logarithmic
        Whether the places are spread over their logarithm.
    """

    label: str
    texts: tuple[str, ...]
    places: Values | None = None
    logarithmic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimates:
    """Values with intervals; NaN where there is none.

    Attributes
    ----------
    name
        What they are of; empty where there is nothing to tell apart.
    value, low, high : float64 (n,)
    look
        Number of its colour, and of its marker and dash; None for those of its place.
    """

    name: str
    value: Values
    low: Values
    high: Values
    look: tuple[int, int] | None = None

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """Which values are not known to be above, at or below 0."""
        sure = (self.low > 0) | (self.high < 0) | (self.low == self.high)
        return np.asarray(~sure, np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatMap:
    """One measure over two parameters.

    Attributes
    ----------
    values : float64 (n_y, n_x)
        NaN where there is none.
    uncertain : bool (n_y, n_x)
        Hatched and in brackets.
    signed
        Whether 0 divides the colours.
    """

    caption: Caption
    x: Scale
    y: Scale
    values: Values
    uncertain: NDArray[np.bool_]
    signed: bool


class Joined(StrEnum):
    """How values of one series are joined."""

    POINTS = "points"
    LINE = "line"
    STEPS = "steps"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """Measures by a parameter, with their intervals.

    Attributes
    ----------
    label
        Of the upright axis.
    zero
        Whether 0 is marked, and values whose interval contains it are hollow.
    """

    caption: Caption
    x: Scale
    label: str
    series: tuple[Estimates, ...]
    joined: Joined = Joined.LINE
    zero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """How single values of one group are distributed.

    Attributes
    ----------
    counts : float64 (n_bins,)
        Values other than 0 in each bin.
    zeros
        Values that are 0.
    quantiles
        5, 25, 50, 75 and 95 %.
    note
        Stands beside it.
    """

    counts: Values
    zeros: int
    quantiles: tuple[float, float, float, float, float]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distribution:
    """Single values by group, a row each.

    Attributes
    ----------
    rows
        The groups; one alone has no name.
    label
        Of the values.
    edges : float64 (n_bins + 1,)
        Bins, of which 0 is an edge where values lie on both sides of it.
    heading
        Of the notes.
    signed
        Whether values below 0 have a colour of their own.
    """

    caption: Caption
    rows: Scale
    label: str
    edges: Values
    spreads: tuple[Spread, ...]
    heading: str
    signed: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bars:
    """Shares with intervals, a row each."""

    caption: Caption
    names: tuple[str, ...]
    label: str
    shares: Estimates


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Versus:
    """Jobs beside each other, and the differences between them.

    Attributes
    ----------
    rows
        Groups; one alone has no name.
    label, difference_label
        Of the two axes.
    jobs, differences
        Values of each job; the first − each other one.
    """

    caption: Caption
    rows: Scale
    label: str
    difference_label: str
    jobs: tuple[Estimates, ...]
    differences: tuple[Estimates, ...]


Picture = HeatMap | Lines | Distribution | Bars | Versus
