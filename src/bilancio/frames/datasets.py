"""Arrays with named dimensions as xarray holds them; the only home of xarray."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bilancio.errors import LibraryMissing

try:
    import xarray
    from xarray import Dataset
except ImportError as error:
    raise LibraryMissing("xarray", str(error)) from None

__all__ = ["Dataset", "Labelled", "dataset"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """An array, and what it is.

    Attributes
    ----------
    dims
        Names of its dimensions; none for a single value.
    """

    dims: tuple[str, ...]
    values: NDArray[Any]
    unit: str = ""
    meaning: str = ""


def dataset(
    variables: Mapping[str, Labelled],
    coordinates: Mapping[str, Labelled],
    attributes: Mapping[str, Any],
) -> Dataset:
    """Return arrays that share dimensions as a Dataset; units and meanings are attributes."""
    return Dataset(
        {name: _variable(each) for name, each in variables.items()},
        coords={name: _variable(each) for name, each in coordinates.items()},
        attrs=dict(attributes),
    )


def _variable(labelled: Labelled) -> xarray.Variable:
    told = {"units": labelled.unit, "long_name": labelled.meaning}
    attributes = {name: text for name, text in told.items() if text}
    return xarray.Variable(labelled.dims, labelled.values, attributes)
