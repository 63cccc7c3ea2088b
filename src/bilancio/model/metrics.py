"""What a run reports: every metric, its type, its unit and its meaning.

Imports neither numpy nor numba: the command line and the server read this module when they start.

References
----------
MODEL.md, section 8.
"""

import math
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a column is handed over by who has numpy loaded
    from numpy.typing import NDArray


MICRO_UNITS = "10⁻⁶ money"


class End(StrEnum):
    """Why a run ended."""

    STABLE = "stable"
    MAX_DAYS = "max-days"
    DEFAULT = "default"
    ALL_DEFAULTED = "all-defaulted"


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that every run reports, and how it is read.

    Attributes
    ----------
    name
        Of the column.
    dtype
        Type of the column as numpy writes it: `f8`, `i4`, `?`.
    unit
        `1` for a ratio; empty where it is not known.
    meaning
        A sentence.
    codes
        The enum whose members the numbers stand for, by position; None where they count or
        measure something.
    missing
        The number that stands for a missing value. NaN does so in every column of floats.
    measure
        Whether sweeps show averages of it.
    dealers
        Whether only runs with dealers have anything to report.
    measured_as
        Name of these averages, in money where the column is in 10⁻⁶ money; empty: `name`.
    """

    name: str
    dtype: str = "f8"
    _: KW_ONLY
    unit: str = ""
    meaning: str = ""
    codes: type[StrEnum] | None = None
    missing: int | None = None
    measure: bool = False
    dealers: bool = False
    measured_as: str = ""

    @property
    def measured(self) -> tuple[str, float, str]:
        """Name and unit of its averages, and between them what a value is multiplied by."""
        micro = self.unit == MICRO_UNITS
        unit = "money" if micro else self.unit
        return self.measured_as or self.name, 1e-6 if micro else 1.0, unit

    def readable(self, value: Any) -> Any:
        """Return one value as JSON holds it: words for codes, None where it is missing."""
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if value == self.missing:
            return None
        return value if self.codes is None else list(self.codes)[value].value

    def to_text(self, column: "NDArray[Any]") -> "NDArray[Any]":
        """Return a column as tables show it: words for codes, empty where a value is missing.

        Infinite numbers stay, since a table can hold them.
        """
        numbers = column.dtype.kind == "f"
        unknown = column != column if numbers else column == self.missing  # noqa: PLR0124 - NaN
        some = (numbers or self.missing is not None) and unknown.any()
        if self.codes is None and not some:
            return column
        values = column.astype(object)
        if self.codes is not None:
            words = [code.value for code in self.codes]
            values[:] = [words[value] for value in column.tolist()]
        if some:
            values[unknown] = ""
        return values

    def from_text(self, text: str) -> float | int:
        """Return the number that a cell of a table stands for; the inverse of `to_text`.

        Raises
        ------
        ValueError
            The cell holds nothing that this metric can be.
        """
        if self.codes is not None:
            return [code.value for code in self.codes].index(text)
        if not text and self.missing is not None:
            return self.missing
        if self.dtype in {"?", "b1"}:
            return ("False", "True").index(text)
        if self.dtype.startswith("f"):
            return float(text or "nan")
        return int(text)


_EVERY_RUN = (
    Metric(
        "delta_total",
        unit="1",
        meaning="Default rate: share of debt defaulted on, 1 − phi_total.",
        measure=True,
    ),
    Metric(
        "phi_total",
        unit="1",
        meaning="Clearing rate: share of the initial face due that was settled in full on its day.",
        measure=True,
    ),
    Metric("defaulted_face", "i8", unit="money", meaning="Face of the debts defaulted on."),
    Metric("written_off_face", "i8", unit="money", meaning="Face of the debts written off."),
    Metric(
        "recovered_micro",
        "i8",
        unit=MICRO_UNITS,
        meaning="Paid on debts in default.",
        measure=True,
        measured_as="recovered_face",
    ),
    Metric("n_defaults", "i4", unit="agents", meaning="Agents that defaulted.", measure=True),
    Metric("days_simulated", "i2", unit="days", meaning="Days that were completed.", measure=True),
    Metric(
        "time_to_stability",
        "i2",
        unit="day",
        meaning="Last day on which a debt was settled; none if no debt was.",
        missing=-1,
    ),
    Metric("end", "i1", meaning="Why the run ended.", codes=End),
)
_TRADING = (
    Metric("n_trades", "i4", unit="tickets", meaning="Tickets sold.", measure=True, dealers=True),
    Metric(
        "n_interior",
        "i4",
        unit="tickets",
        meaning="Tickets bought by a dealer for its own account.",
        measure=True,
        dealers=True,
    ),
    Metric(
        "n_passthrough",
        "i4",
        unit="tickets",
        meaning="Tickets passed on by a dealer to the VBT.",
        measure=True,
        dealers=True,
    ),
    Metric(
        "traded_face",
        "i4",
        unit="money",
        meaning="Face of the tickets sold.",
        measure=True,
        dealers=True,
    ),
    Metric(
        "dealer_pnl", unit="money", meaning="Profit of the dealers.", measure=True, dealers=True
    ),
    Metric(
        "dealer_return",
        unit="1",
        meaning="Profit of the dealers / dealer_start; none if that is 0.",
        dealers=True,
    ),
    Metric(
        "vbt_pnl",
        unit="money",
        meaning="Profit of the VBTs, injected cash left out.",
        measure=True,
        dealers=True,
    ),
)
_CASH = (
    Metric(
        "cash_start_micro",
        "i8",
        unit=MICRO_UNITS,
        meaning="All cash at the start: cash_start × 10⁶.",
    ),
    Metric(
        "cash_end_micro", "i8", unit=MICRO_UNITS, meaning="All cash at the end: cash_end × 10⁶."
    ),
)
_INJECTION = Metric(
    "injection_micro",
    "i8",
    unit=MICRO_UNITS,
    meaning="Cash from outside: outside_injection × 10⁶.",
    dealers=True,
)
_DEALER_START = Metric(
    "dealer_start", unit="money", meaning="Worth of the dealers at the start.", dealers=True
)

RING_METRICS = _EVERY_RUN
"""What sweeps of plain rings record."""
BALANCED_METRICS = (*_EVERY_RUN, *_TRADING, *_CASH, _INJECTION)
"""What sweeps with dealers record."""
METRICS = (*BALANCED_METRICS, _DEALER_START)
"""What a run reports."""
