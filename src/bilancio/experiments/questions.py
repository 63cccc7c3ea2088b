"""What is asked of a sweep's results, checked against what there is."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from bilancio.errors import MAX_PROBLEMS, InvalidInput, Problem, invalid, shown
from bilancio.experiments.fields import json_text
from bilancio.validation import near, nearest

CELLS, RUNS = "cells", "runs"
_ROWS = {CELLS: CELLS, **dict.fromkeys((RUNS, "pairs", "arms"), RUNS)}
MAX_BINS = 1000
MAX_NAMES = 200  # in one list


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a table of results shows.

    Attributes
    ----------
    of
        `cells` for averages over seeds, `runs` for single runs or pairs of them.
    group_by
        Parameters whose values make the rows; `seed` may be among them.
    measures
        What is shown; all where it is empty.
    where
        Condition on parameters, as `analysis.conditions` reads it; None for all cells.
    order_by
        Columns of the table that its rows are ordered by, descending with a minus before them;
        the cells where there are neither groups nor a pivot.
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

    of: str = CELLS
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
    of: str | None = None,
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
    if not isinstance(effects, bool | None):
        raise invalid("effects", effects, "true or false")
    given = condition(where)
    asked = Question(
        of=_rows(of),
        group_by=names("group_by", group_by),
        measures=names("measures", measures),
        where=given or None,
        order_by=tuple(map(_ordering, names("order_by", order_by))),
        contrast=name("contrast", contrast),
        effects=bool(effects),
        pivot=name("pivot", pivot),
        bins=0 if bins is None else _n_bins(bins),
        precision=None if precision is None else _half_width(precision),
    )
    _check_twice("order_by", [each.removeprefix("-") for each in asked.order_by])
    if asked.pivot and len(asked.measures) > 1:
        got = ", ".join(asked.measures)
        raise InvalidInput([Problem("measures", got, "one measure beside pivot")])
    return asked


def _ordering(given: str) -> str:
    """Return a column to order by, with a minus where `desc` or `descending` follows it."""
    name, _, direction = given.rpartition(" ")
    match direction.lower():
        case "desc" | "descending":
            return f"-{name.strip()}"
        case "asc" | "ascending":
            return name.strip()
        case _:
            return given


def _rows(given: object) -> str:
    """Return what the rows of a table are of."""
    if given is None or given == "":
        return CELLS
    word = given.strip().lower() if isinstance(given, str) else ""
    found = _ROWS.get(word) or _ROWS.get(f"{word}s")
    if found is None:
        raise invalid("of", given, f"{CELLS} or {RUNS}", nearest(word, [CELLS, RUNS]))
    return found


def condition(given: object) -> str | Mapping[str, Any] | None:
    """Return a condition as text or by names; text of a JSON object or list is read as it, too."""
    given = all_of(given)
    if isinstance(given, str):
        try:
            named = all_of(json_text(given))
        except InvalidInput:
            return given
        return named if isinstance(named, Mapping | str) else given
    if given is None or isinstance(given, Mapping):
        return given
    raise invalid("where", given, "text such as 'kappa < 0.5 and mu = 0', or a mapping")


def all_of(given: object) -> object:
    """Return a list of conditions in text as one that all of them hold; else what was given."""
    if isinstance(given, list | tuple) and given and all(isinstance(each, str) for each in given):
        return " and ".join(f"({each})" for each in given)
    return given


def _n_bins(given: object) -> int:
    whole = isinstance(given, Integral) and not isinstance(given, bool)
    if not (whole and 1 <= int(given) <= MAX_BINS):  # type: ignore[call-overload]  # it is whole
        raise invalid("bins", given, f"whole numbers from 1 to {MAX_BINS:,}")
    return int(given)  # type: ignore[call-overload,no-any-return]  # as above


def _half_width(given: object) -> float:
    number = math.nan
    if isinstance(given, Real | Decimal) and not isinstance(given, bool):
        try:
            number = float(given)
        except OverflowError:
            number = math.inf
    if not 0 < number < math.inf:
        raise invalid("precision", given, "finite numbers above 0")
    return number


def names(field: str, given: Sequence[str] | str) -> tuple[str, ...]:
    """Return names of columns; a text may hold several with commas between them."""
    found = given.split(",") if isinstance(given, str) else given
    if not isinstance(found, Sequence) or not all(isinstance(each, str) for each in found):
        raise invalid(field, given, "a list of names")
    found = tuple(each.strip() for each in found if each.strip())
    if len(found) > MAX_NAMES:
        got, allowed = f"{len(found):,} names", f"at most {MAX_NAMES:,} names"
        raise InvalidInput([Problem(field, got, allowed)])
    return found


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
        One sentence for each of the first; what is known is listed once.
    """
    unknown = [each for each in dict.fromkeys(given) if each not in known]
    problems = [
        Problem(field, shown(each), "" if place else near(each, known), nearest(each, known))
        for place, each in enumerate(unknown[:MAX_PROBLEMS])
    ]
    if problems:
        raise InvalidInput(problems, max(0, len(unknown) - MAX_PROBLEMS))
    _check_twice(field, given)


def _check_twice(field: str, given: Sequence[str]) -> None:
    twice = [each for each, times in Counter(given).items() if times > 1]
    if twice:
        raise InvalidInput([Problem(field, f"{each} twice", "each name once") for each in twice])
