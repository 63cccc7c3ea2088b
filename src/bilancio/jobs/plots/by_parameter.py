"""Measures by a parameter, all arms beside each other."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bilancio.analysis.measures import Measure
from bilancio.errors import InvalidInput, Problem
from bilancio.experiments.answers import AnswerTable
from bilancio.jobs.plots import words
from bilancio.jobs.plots.asked import Asked
from bilancio.jobs.plots.grouped import (
    Drawn,
    cells_of,
    keys_of,
    n_seeds_of,
    nothing_varies,
    table_by,
    thinned,
)
from bilancio.jobs.plots.studied import Studied, stem_of
from bilancio.report.pictures import Estimates, Joined, Lines
from bilancio.report.ticks import written

MOST_LINES, SAID_LINES = 6, 4
MOST_ARMS = 12  # where each has one line


async def measure(studied: Studied, asked: Asked) -> Drawn:
    """Draw a measure by a parameter, in all arms."""
    if asked.y:
        return await _rates(studied, asked, studied.in_arms(asked.y))
    families = studied.families()
    primary = studied.primary
    metric = primary.columns[0].partition("@")[0]
    return await _rates(studied, asked, families.get(metric, (primary,)))


async def default_rate(studied: Studied, asked: Asked) -> Drawn:
    """Draw the default rate by a parameter, in all arms."""
    metric = getattr(studied.experiment, "default_rate", "")
    if not metric or metric not in studied.names:
        got = f"default_rate, which runs of {studied.job.config.sweep_type} do not have"
        raise studied.refusal("default_rate", got)
    arms = studied.families().get(metric)
    found = arms or studied.in_arms(metric)
    if asked.y and asked.y not in {metric, *(each.name for each in found)}:
        raise InvalidInput(
            [Problem("y", asked.y, "nothing beside kind default_rate; kind measure")]
        )
    return await _rates(studied, asked, found)


async def _rates(studied: Studied, asked: Asked, measures: Sequence[Measure]) -> Drawn:
    chosen = cells_of(studied, asked)
    varied = [name for name in studied.varied(chosen) if name != asked.by]
    if not asked.x and not varied:
        raise nothing_varies(studied)
    x = studied.parameter("x", asked.x, chosen) if asked.x else varied[0]
    by = studied.parameter("by", asked.by, chosen) if asked.by else ""
    if by == x:
        raise InvalidInput([Problem("by", f"{by}, which is along the axis", "another parameter")])
    keys = [x, by] if by else [x]
    arms = studied.subject.arms if len(measures) > 1 else ("",)
    most = MOST_LINES if by else MOST_ARMS
    drawn = list(zip(arms, measures, strict=True))[:most]
    table = await table_by(studied, asked, keys, [each for _, each in drawn])
    xs = keys_of(table, 0)
    series, left = _series(studied, table, drawn, xs, by)
    base = stem_of(measures) if len(measures) > 1 else ""
    one = replace(measures[0], name=base) if base else measures[0]
    name, short = words.measure_words(one), words.symbol(studied.job, x)
    in_arms = " in both arms" if len(measures) == 2 else " in each arm" if base else ""  # noqa: PLR2004
    in_order = len(xs) > 1 and (x in studied.subject.ranges or not _are_words(xs))
    marks = "bands:" if in_order else "bars:"
    caption = words.caption(
        studied,
        asked,
        f"{name} by {short}{in_arms}" + (f" and {words.symbol(studied.job, by)}" if by else ""),
        words.averaged_over(studied, keys, chosen),
        words.interval_text(marks, n_seeds_of(table), *series),
        words.binned(short, xs),
        left,
        f"the first {len(drawn)} of {len(measures)} arms" if len(drawn) < len(measures) else "",
    )
    picture = Lines(
        caption=caption,
        x=words.scale(studied, x, xs),
        label=words.measure_label(studied, one, arm=studied.subject.arms[0]),
        series=series,
        joined=Joined.LINE if in_order else Joined.POINTS,
    )
    form = written(np.concatenate([each.value for each in series]))
    ends = "; ".join(
        f"{each.name}: {_first_to_last(each, form)}".lstrip(": ") for each in series[:SAID_LINES]
    )
    from_to = f"{words.value_text(xs[0])} to {words.value_text(xs[-1])}"
    return Drawn(picture, f"{words.sentence_case(name)} from {short} {from_to}; {ends}.")


def _first_to_last(found: Estimates, form: Callable[[float], str]) -> str:
    known = found.value[np.isfinite(found.value)].tolist()
    return f"{form(known[0])} to {form(known[-1])}" if known else "not known"


def _series(
    studied: Studied,
    table: AnswerTable,
    measures: Sequence[tuple[str, Measure]],
    xs: Sequence[Any],
    by: str,
) -> tuple[tuple[Estimates, ...], str]:
    """Return a line for each arm and value of *by*, and which values are left out."""
    place = {key: at for at, key in enumerate(xs)}
    levels = keys_of(table, 1) if by else [None]
    kept, left = thinned(levels, max(MOST_LINES // len(measures), 2))
    short = words.symbol(studied.job, by) if by else ""
    found: list[Estimates] = []
    for level in kept:
        rows = [at for at, row in enumerate(table.rows) if not by or row[1] == level]
        at = np.array([place[table.rows[row][0]] for row in rows], np.int64)
        for arm, each in measures:
            part = words.estimates(table, each.name)
            values = []
            for column in (part.value, part.low, part.high):
                dense = np.full(len(xs), np.nan)
                dense[at] = column[rows]
                values.append(dense)
            name = ", ".join(filter(None, (arm, by and f"{short} {words.value_text(level)}")))
            look = (len(found) // len(measures), len(found) % len(measures)) if by else None
            found.append(
                Estimates(name=name, value=values[0], low=values[1], high=values[2], look=look)
            )
    return tuple(found), f"{len(kept)} of {len(levels):,} values of {short} shown" if left else ""


def _are_words(values: Sequence[Any]) -> bool:
    """Return whether values have no order in which a line could lead from one to the next."""
    return any(isinstance(each, str | bool) for each in values)
