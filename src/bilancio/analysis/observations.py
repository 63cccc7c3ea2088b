"""What was observed: the columns that tables, intervals and comparisons are made of."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # configurations are read, and jobs listed, without loading numpy
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What one compares: a pair of runs in a comparison, else a run.

    Attributes
    ----------
    columns
        Arrays of one length: first the parameters of the cells, then `seed`, then measures.
    parameters, measures
        Names of the columns of each kind.
    primary
        The measure that the interval is given for.
    """

    columns: "dict[str, NDArray[Any]]"
    parameters: tuple[str, ...]
    measures: tuple[str, ...]
    primary: str
