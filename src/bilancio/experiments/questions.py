"""What is asked of a sweep's results, checked against what there is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.validation import nearest

MAX_BINS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a table of results shows.

    Attributes
    ----------
    group_by
        Parameters whose values make the rows; `seed` may be among them.
    measures
        What is shown; all where it is empty.
    where
        Condition on parameters, as `analysis.conditions` reads it; None for all cells.
    order_by
        Columns of the table that its rows are ordered by, descending with a minus before them.
    contrast
        Parameter whose levels are compared with its lowest one, paired by seed; empty for none.
    effects
        Whether the variance between cells is split into main effects and interactions.
    pivot
        Parameter whose values make the columns; empty for none.
    bins
        Number of bins for parameters that were sampled from ranges; 0 for none.
    precision
        Half width that a plan of seeds is for; None for half the present one.
    """

    group_by: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    where: str | Mapping[str, Any] | None = None
    order_by: tuple[str, ...] = ()
    contrast: str = ""
    effects: bool = False
    pivot: str = ""
    bins: int = 0
    precision: float | None = None

    @property
    def asks(self) -> tuple[str, ...]:
        """The fields that ask for more than a table of all."""
        given = {
            "group_by": self.group_by,
            "measures": self.measures,
            "where": self.where,
            "order_by": self.order_by,
            "contrast": self.contrast,
            "effects": self.effects,
            "pivot": self.pivot,
            "bins": self.bins,
        }
        return tuple(name for name, value in given.items() if value)


def question(
    *,
    group_by: Sequence[str] | str = (),
    measures: Sequence[str] | str = (),
    where: str | Mapping[str, Any] | None = None,
    order_by: Sequence[str] | str = (),
    contrast: str | None = None,
    effects: bool = False,
    pivot: str | None = None,
    bins: int | None = None,
    precision: float | None = None,
) -> Question:
    """Return a question; texts of several names have commas between them.

    Raises
    ------
    InvalidInput
        Something is of the wrong type, or out of range.
    """
    if bins is not None and (isinstance(bins, bool) or not 1 <= bins <= MAX_BINS):
        raise invalid("bins", bins, f"whole numbers from 1 to {MAX_BINS:,}")
    if precision is not None and not precision > 0:
        raise invalid("precision", precision, "numbers above 0")
    if where is not None and not isinstance(where, str | Mapping):
        raise invalid("where", where, "text such as 'kappa < 0.5 and mu = 0', or a mapping")
    return Question(
        group_by=names("group_by", group_by),
        measures=names("measures", measures),
        where=where or None,
        order_by=names("order_by", order_by),
        contrast=name("contrast", contrast),
        effects=effects,
        pivot=name("pivot", pivot),
        bins=bins or 0,
        precision=precision,
    )


def names(field: str, given: Sequence[str] | str) -> tuple[str, ...]:
    """Return names of columns; a text may hold several with commas between them."""
    found = given.split(",") if isinstance(given, str) else given
    if not isinstance(found, Sequence) or not all(isinstance(each, str) for each in found):
        raise invalid(field, given, "a list of names")
    return tuple(each.strip() for each in found if each.strip())


def name(field: str, given: str | None) -> str:
    """Return the name of a column; empty for none."""
    if given is not None and not isinstance(given, str):
        raise invalid(field, given, "the name of a parameter")
    return (given or "").strip()


def check_names(field: str, given: Sequence[str], known: Sequence[str]) -> None:
    """Refuse names that are not known, or given twice.

    Raises
    ------
    InvalidInput
        One sentence for each.
    """
    problems = [
        Problem(field, repr(each), ", ".join(known), nearest(each, known))
        for each in given
        if each not in known
    ]
    problems += [
        Problem(field, f"{each} twice", "each name once")
        for each in dict.fromkeys(given)
        if list(given).count(each) > 1
    ]
    if problems:
        raise InvalidInput(problems)
