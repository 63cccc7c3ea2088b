"""What contrasts and effects have found, in sentences."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bilancio.experiments.answers import AnswerTable
from bilancio.experiments.standard import size_with_bounds
from bilancio.text import key_text, plural

FEW = 4  # differences that are told one by one
EFFECTS = 3

Told = Mapping[str, Any]


def difference(row: Told, measure: str, *, of_what: str = "") -> tuple[str, str, str]:
    """Return a difference in words, the word of comparison, and the interval in words.

    Parameters
    ----------
    row
        Of a table with the columns m, m_low and m_high of the measure m, which is known.
    of_what
        What the interval is of; empty for the difference itself.
    """
    value, low, high = (row.get(f"{measure}{end}") for end in ("", "_low", "_high"))
    assert value is not None, "the difference is known"
    bounds = None if low is None or high is None else (low, high)
    size, interval = size_with_bounds(value, bounds)
    of_it = f" of the {of_what}," if of_what else ""
    around = "" if interval is None else f"95 % interval{of_it} {interval[0]:.4g} to "
    around += "" if interval is None else f"{interval[1]:.4g}"
    if not value:
        return "the same", "as", around
    return f"{size:.4g} {'higher' if value > 0 else 'lower'}", "than", around


def of_contrasts(table: AnswerTable, measure: str) -> str:
    """Say how the levels of a parameter differ from its lowest one.

    Parameters
    ----------
    table
        Its last two keys are the level and the one that it is compared with.
    measure
        What is told.
    """
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    rows = [row for row in rows if row.get(measure) is not None]
    name = table.columns[table.n_keys - 2]
    if not rows:
        return f"{measure} is not known at two levels of {name} under the same seeds."
    if len(rows) > FEW:
        return _counted(rows, table, measure)
    told = []
    for row in rows:
        size, than, interval = difference(row, measure)
        others = [f"{each} {key_text(row[each])}" for each in table.columns[: table.n_keys - 2]]
        at = ", ".join([*others, f"{name} {key_text(row[name])}"])
        seeds = f"paired by {plural(row['n_seeds'], 'seed')}"
        sure = undecided(row) if interval else "no interval"
        around = ", ".join(filter(None, (interval, seeds, sure)))
        told.append(f"{size} at {at} {than} at {name} {key_text(row['against'])} ({around})")
    return f"{measure} is {'; '.join(told)}."


def undecided(row: Told) -> str:
    """Return the word for a row that is neither above nor below 0; nothing for another."""
    return "undecided" if row.get("verdict") == "undecided" else ""


def _counted(rows: list[dict[str, Any]], table: AnswerTable, measure: str) -> str:
    """Say how many differences there are of each kind, and the ends."""
    name = table.columns[table.n_keys - 2]
    keys = table.columns[: table.n_keys - 1]
    ends = [find(rows, key=lambda row: row[measure]) for find in (max, min)]
    most, least = (
        f"{row[measure]:+.4g} at {', '.join(f'{each} {key_text(row[each])}' for each in keys)}"
        for row in ends
    )
    verdicts = Counter(row["verdict"] for row in rows if row.get("verdict"))
    counted = ", ".join(f"{word} {n:,}" for word, n in verdicts.most_common())
    of_which = f" ({counted})" if counted else ""
    against = key_text(rows[0]["against"])
    one = len({row["against"] for row in rows}) == 1
    return (
        f"Paired by seed, {measure} differs from that at {'' if one else 'the lowest '}{name}"
        f"{f' {against}' if one else ''} by {most} to {least}, in {plural(len(rows), 'row')}"
        f"{of_which}."
    )


def of_part(table: AnswerTable, measure: str, n_cells: int) -> str:
    """Say what a measure is over some of the cells, given a table of one row; nothing if unknown.

    Parameters
    ----------
    n_cells
        How many cells these are.
    """
    row = dict(zip(table.columns, table.rows[0], strict=True)) if table.rows else {}
    if row.get(measure) is None:
        return ""
    over = f"Over {'this 1 cell' if n_cells == 1 else f'these {n_cells:,} cells'}"
    return f"{over} {measure} is {row[measure]:.4g} ({_sure(row, measure)})."


def of_first(table: AnswerTable, ordered_by: str) -> str:
    """Say which row of an ordered table is the first one; nothing where its value is unknown.

    Parameters
    ----------
    ordered_by
        The column that comes first in the order, with a minus if that is descending.
    """
    name = ordered_by.removeprefix("-")
    row = dict(zip(table.columns, table.rows[0], strict=True)) if table.rows else {}
    if len(table.rows) < 2 or row.get(name) is None or name in table.columns[: table.n_keys]:  # noqa: PLR2004 - one row has no order
        return ""
    value = row[name]
    if f"{name}_low" not in row or isinstance(value, str):
        return ""
    at = ", ".join(f"{each} {key_text(row[each])}" for each in table.columns[: table.n_keys])
    which = "highest" if ordered_by.startswith("-") else "lowest"
    rows = plural(len(table.rows), "row")
    return f"Of {rows} {at} has the {which} {name}: {value:.4g} ({_sure(row, name)})."


def _sure(row: Told, measure: str) -> str:
    """Say the interval of a measure and the number of seeds behind it."""
    low, high = row.get(f"{measure}_low"), row.get(f"{measure}_high")
    known = low is not None and high is not None
    interval = f"95 % interval {low:.4g} to {high:.4g}" if known else "no interval"
    return f"{interval}, {plural(row['n_seeds'], 'seed')}"


def of_effects(table: AnswerTable) -> str:
    """Say which parameters the variance between the cells comes from; nothing if not known."""
    share = next((name for name in ("share", "total_order") if name in table.columns), "")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    rows = sorted((row for row in rows if row.get(share) is not None), key=lambda row: -row[share])
    if not rows:
        return ""
    key = table.columns[0]
    told: list[str] = []
    for row in rows[:EFFECTS]:
        low, high = row[f"{share}_low"], row[f"{share}_high"]
        around = "" if low is None or high is None else f" (95 % interval {low:.0%} to {high:.0%})"
        explains = "" if told else "explains "
        told.append(
            f"{row[key]} {explains}{row[share]:.0%}{around}".replace("%", " %").replace("  %", " %")
        )
    measure = key.removeprefix("effect on ")
    over = "over the ranges" if share == "total_order" else "between cells"
    alone = "with all interactions, " if share == "total_order" else ""
    more = len(rows) - len(told)
    rest = f"; {plural(more, 'other term')} less" if more > 0 else ""
    return f"Of the variance of {measure} {over}, {alone}{'; '.join(told)}{rest}."
