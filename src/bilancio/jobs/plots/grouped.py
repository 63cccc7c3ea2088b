"""Pictures of averages by groups: effects, measures by a parameter, what matters, frontiers."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from bilancio.analysis.measures import Measure
from bilancio.errors import InvalidInput, NothingToDraw, Problem
from bilancio.experiments.answering import chosen_cells
from bilancio.experiments.answers import Answer, AnswerTable
from bilancio.experiments.questions import Question
from bilancio.jobs.findings import findings
from bilancio.jobs.plots import words
from bilancio.jobs.plots.asked import Asked
from bilancio.jobs.plots.studied import Bools, Studied
from bilancio.report.pictures import Estimates, HeatMap, Joined, Lines, Picture

OF_ONE_CELL = ("distribution", "precision", "days")
MOST_BINS, MOST_BINS_OF_TWO = 10, 7  # of a sampled parameter, alone and beside another one
LEAST_BINS = 2
SAMPLES_IN_BIN = 4  # at least, on average: of one alone a bin would say what it says of all


class Drawn(NamedTuple):
    """A picture, and what one sees on it in a sentence."""

    picture: Picture
    sentence: str


async def answer(studied: Studied, question: Question) -> Answer:
    """Return the answer to a question about the job."""
    found = await findings(studied.store, studied.job, question, summed=False)
    return found.answer


def n_bins(studied: Studied, by: Sequence[str], chosen: Bools) -> int:
    """Return in how many bins each parameter stands that was sampled; 0 where none was."""
    sampled = [name for name in by if name in studied.subject.ranges]
    if not sampled:
        return 0
    beside = math.prod(len(studied.levels(name, chosen)) for name in by if name not in sampled)
    together = int(chosen.sum()) / beside / SAMPLES_IN_BIN
    most = MOST_BINS if len(sampled) == 1 else MOST_BINS_OF_TWO
    return min(max(int(together ** (1 / len(sampled))), LEAST_BINS), most)


async def table_by(
    studied: Studied, asked: Asked, by: Sequence[str], measures: Sequence[Measure]
) -> AnswerTable:
    """Return the averages of measures by parameters; sampled ones in bins."""
    names = tuple(each.name for each in measures)
    bins = n_bins(studied, by, cells_of(studied, asked))
    question = Question(group_by=tuple(by), measures=names, where=asked.where, bins=bins)
    table = (await answer(studied, question)).table
    if table is None or not table.rows:
        raise NothingToDraw(studied.job.job_id, "no seed is whole yet.")
    return table


def cells_of(studied: Studied, asked: Asked) -> Bools:
    """Return the cells that are asked for."""
    return chosen_cells(studied.subject, asked.where) & studied.shown_cells


def keys_of(table: AnswerTable, place: int, order: Sequence[str] = ()) -> list[Any]:
    """Return the values of a key in order; bins in the order of the range."""
    found = list(dict.fromkeys(row[place] for row in table.rows))
    if order:
        return sorted(found, key=list(order).index)
    if all(words.is_bin(each) for each in found):
        return sorted(found, key=lambda each: float(each.partition(":")[0]))
    return found if any(isinstance(each, str) for each in found) else sorted(found)


def n_seeds_of(table: AnswerTable) -> list[int]:
    """Return how many seeds are behind each row."""
    place = table.columns.index("n_seeds")
    return [row[place] for row in table.rows]


# -- effects ---------------------------------------------------------------------------------


async def effect(studied: Studied, asked: Asked) -> Drawn:
    """Draw the primary measure over two parameters, or by one."""
    chosen = cells_of(studied, asked)
    measure = studied.primary
    second = asked.by
    if asked.y and asked.y in studied.subject.parameters:
        second = second or asked.y
    elif asked.y:
        measure = studied.in_arms(asked.y)[0]
    varied = studied.varied(chosen)
    if asked.x:
        x = studied.parameter("x", asked.x, chosen)
    elif not varied:
        raise nothing_varies(studied)
    else:
        x = next(name for name in varied if name != second) if set(varied) - {second} else varied[0]
        if not second and len(varied) > 1:
            second = varied[1]
    if second and second != x:
        second = studied.parameter("by" if asked.by else "y", second, chosen)
        return await _over_two(studied, asked, measure, (x, second))
    return await _by_one(studied, asked, measure, x)


def nothing_varies(studied: Studied) -> InvalidInput:
    """Return the refusal of a picture by parameters, of a job of one cell."""
    others = [each for each in studied.kinds if each in OF_ONE_CELL]
    got = f"{studied.job.job_id}, in which no parameter has two values"
    return InvalidInput([Problem("kind", got, f"pictures of one cell: {', '.join(others)}")])


async def _over_two(studied: Studied, asked: Asked, measure: Measure, by: tuple[str, str]) -> Drawn:
    table = await table_by(studied, asked, by, [measure])
    found = _known(studied, measure, words.estimates(table, measure.name))
    xs, ys = keys_of(table, 0), keys_of(table, 1)
    place = ({key: at for at, key in enumerate(xs)}, {key: at for at, key in enumerate(ys)})
    values = np.full((len(ys), len(xs)), np.nan)
    uncertain = np.zeros(values.shape, np.bool_)
    signed = words.is_difference(measure)
    for row, value, unsure in zip(table.rows, found.value, found.uncertain, strict=True):
        at = place[1][row[1]], place[0][row[0]]
        values[at] = value
        uncertain[at] = signed and unsure and bool(np.isfinite(value))
    name = words.measure_words(measure)
    over = words.joined(words.symbols(studied, by))
    one_seed = max(n_seeds_of(table)) == 1
    hatched = "no interval with one seed" if one_seed else f"{words.LEVEL_TEXT} interval contains 0"
    caption = words.caption(
        studied,
        asked,
        f"{name} over {over}",
        words.meaning(studied, measure) or words.measure_label(studied, measure),
        words.direction(studied, measure),
        f"hatched: {hatched}" if uncertain.any() else "",
        words.averaged_over(studied, by, cells_of(studied, asked)),
        words.samples(studied, by, cells_of(studied, asked)),
        words.seeds_text(n_seeds_of(table)),
    )
    scales = [words.scale(studied, each, keys) for each, keys in zip(by, (xs, ys), strict=True)]
    ends = _ends(studied, table, found, by, signed=signed)
    sentence = f"{words.sentence_case(name)} over {over}: {ends}"
    if uncertain.any() and not one_seed:
        n = int(uncertain.sum())
        sentence += f"; the interval contains 0 in {n:,} of {len(table.rows):,}"
    picture = HeatMap(
        caption=caption, x=scales[0], y=scales[1], values=values, uncertain=uncertain, signed=signed
    )
    return Drawn(picture, f"{sentence}.")


def _known(studied: Studied, measure: Measure, found: Estimates) -> Estimates:
    """Return estimates of which some are known.

    Raises
    ------
    NothingToDraw
        None is.
    """
    if not np.isfinite(found.value).any():
        why = f"{measure.name} is not known in any of these cells."
        raise NothingToDraw(studied.job.job_id, why)
    return found


def _ends(
    studied: Studied, table: AnswerTable, found: Estimates, by: Sequence[str], *, signed: bool
) -> str:
    names = words.symbols(studied, by)
    keys = [
        ", ".join(
            f"{name} {words.value_text(value)}" for name, value in zip(names, row, strict=False)
        )
        for row in table.rows
    ]
    return words.extremes(found, keys, sign=signed)


async def _by_one(studied: Studied, asked: Asked, measure: Measure, x: str) -> Drawn:
    table = await table_by(studied, asked, [x], [measure])
    unordered = _known(studied, measure, words.estimates(table, measure.name))
    found = _ordered(table, unordered)
    signed = words.is_difference(measure)
    name, short = words.measure_words(measure), words.symbol(studied.job, x)
    unsure = signed and bool((found.uncertain & np.isfinite(found.low)).any())
    caption = words.caption(
        studied,
        asked,
        f"{name} by {short}",
        words.direction(studied, measure),
        words.interval_text("bars:", n_seeds_of(table), found),
        "hollow: the interval contains 0" if unsure else "",
        words.averaged_over(studied, [x], cells_of(studied, asked)),
        words.binned(short, keys_of(table, 0)),
    )
    picture = Lines(
        caption=caption,
        x=words.scale(studied, x, keys_of(table, 0)),
        label=words.measure_label(studied, measure),
        series=(found,),
        joined=Joined.POINTS,
        zero=signed,
    )
    ends = _ends(studied, table, unordered, [x], signed=signed)
    return Drawn(picture, f"{words.sentence_case(name)} by {short}: {ends}.")


def _ordered(table: AnswerTable, found: Estimates) -> Estimates:
    """Return estimates in the order of the values of the one key."""
    keys = [row[0] for row in table.rows]
    order = [keys.index(each) for each in keys_of(table, 0)]
    return replace(found, value=found.value[order], low=found.low[order], high=found.high[order])


def thinned(levels: Sequence[Any], most: int) -> tuple[list[Any], int]:
    """Return at most so many values, evenly from the first to the last, and how many are left."""
    if len(levels) <= most:
        return list(levels), 0
    places = sorted(set(np.linspace(0, len(levels) - 1, most).round().astype(int).tolist()))
    return [levels[place] for place in places], len(levels) - len(places)
