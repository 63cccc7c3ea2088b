"""Tables of results as text for other programs: Markdown, LaTeX, CSV."""

from collections.abc import Sequence

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.frames.markup import LEADING_MEASURES, measures_of
from bilancio.jobs.views import Results, Table
from bilancio.validation import nearest

FORMATS = ("markdown", "latex", "csv")
_SHORT = {"md": "markdown", "tex": "latex"}


def check_format(name: str | None, *, as_json: bool) -> str | None:
    """Return the format's name; refuse one that there is not, and one beside --json.

    Raises
    ------
    InvalidInput
    """
    name = _SHORT.get(name or "", name)
    if name is not None and name not in FORMATS:
        raise invalid("format", name, ", ".join(FORMATS), nearest(name, FORMATS))
    if name is not None and as_json:
        raise InvalidInput([Problem("format", f"{name} and --json", "one of the two")])
    return name


def formatted(results: Results, name: str, *, measures: Sequence[str], grouped: bool) -> str:
    """Return the tables of *results* in a format, one after the other.

    Parameters
    ----------
    measures
        Those asked for; the first few otherwise. CSV has all that the table has.
    grouped
        Whether the table itself was asked for, beside contrasts and effects.

    Raises
    ------
    InvalidInput
        There is no table, or CSV was asked for and there are several.
    """
    asked = [results.contrasts, results.effects]
    if grouped or asked == [None, None]:
        asked.insert(0, results.table or results.frontier)
    tables = [each for each in asked if each is not None]
    if not tables:
        raise InvalidInput([Problem("format", "a job without a table", "one with recorded runs")])
    if name == "csv" and len(tables) > 1:
        got = f"csv of {len(tables)} tables"
        raise InvalidInput([Problem("format", got, "csv of one: group_by, contrast or effects")])
    return "\n".join(formatted_table(each, name, measures) for each in tables).rstrip("\n")


def formatted_table(table: Table, name: str, chosen: Sequence[str] = ()) -> str:
    """Return a table in a format, with the measures chosen, else the first few; CSV has all."""
    if name == "csv":
        return table.to_csv() or ""
    known = measures_of(table.columns)
    shown = [each for each in chosen if each in known] or known[:LEADING_MEASURES]
    return (
        table.to_markdown(measures=shown) if name == "markdown" else table.to_latex(measures=shown)
    )
