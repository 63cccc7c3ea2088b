"""Jobs beside each other, and the differences to the first one."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from bilancio.analysis.intervals import Intervals
from bilancio.errors import InvalidInput, Problem
from bilancio.experiments.answers import AnswerTable
from bilancio.experiments.comparing import Comparing, Side
from bilancio.experiments.questions import Question
from bilancio.jobs.findings import fixed_values
from bilancio.jobs.plots import words
from bilancio.jobs.plots.asked import Asked
from bilancio.jobs.plots.grouped import Drawn, thinned
from bilancio.jobs.plots.studied import Studied
from bilancio.report.pictures import Estimates, Scale, Versus
from bilancio.report.ticks import written
from bilancio.text import key_text, plural

MOST_ROWS = 16
SHOWN_DIFFERENCES = 3

Key = tuple[Any, ...]


class Pair(NamedTuple):
    """The first job and another one: their values, by group of the cells that both have."""

    first: dict[Key, tuple[float, float, float]]
    other: dict[Key, tuple[float, float, float]]
    table: AnswerTable
    n_cells: int
    more_seeds: bool  # that one job has, and the other has not


async def compare(studied: Studied, others: list[Studied], asked: Asked) -> Drawn:
    """Draw jobs beside each other over the cells and seeds that each shares with the first."""
    if not others:
        raise InvalidInput([Problem("jobs", "nothing", "one to five other jobs")])
    measure = asked.y or studied.primary.name
    x = asked.x or asked.by or _common(studied, others)
    question = Question(group_by=(x,) if x else (), measures=(measure,), where=asked.where)
    pairs = [await _pair(studied, other, question, measure) for other in others]
    keys = [key for key in pairs[0].first if all(key in each.other for each in pairs)]
    if not keys:
        raise InvalidInput([Problem("jobs", "jobs without a whole seed in common", "others")])
    keys.sort()
    kept, left = thinned(keys, MOST_ROWS)
    jobs = [_estimates(studied.job.job_id, pairs[0].first, kept)]
    jobs += [
        _estimates(other.job.job_id, pair.other, kept)
        for other, pair in zip(others, pairs, strict=True)
    ]
    differences = [
        _estimates(other.job.job_id, _rows(pair.table, measure), kept)
        for other, pair in zip(others, pairs, strict=True)
    ]
    found = studied.subject.measure(measure)
    assert found is not None, "the comparison knows the measure"
    name = words.measure_words(found)
    n_seeds = [int(each) for pair in pairs for each in words.column(pair.table, "n_seeds")]
    cells = sorted({pair.n_cells for pair in pairs})
    caption = words.caption(
        studied,
        asked,
        f"{name} of {_number(len(jobs))} jobs"
        + (f" by {words.symbol(studied.job, x)}" if x else ""),
        f"{' and '.join(f'{each:,}' for each in cells)} shared "
        f"{'cell' if cells == [1] else 'cells'}, {words.seeds_text(n_seeds)} in common",
        "values over all seeds of each job" if any(each.more_seeds for each in pairs) else "",
        f"lines: {words.LEVEL_TEXT} intervals"
        if any(map(words.has_width, [*jobs, *differences]))
        else "",
        _differing(studied, others),
        f"{len(kept)} of {len(keys):,} values shown" if left else "",
    )
    caption = replace(
        caption,
        corner=f"{jobs[0].name} and {plural(len(others), 'other job')}",
    )
    rows = words.scale(studied, x, [key[0] for key in kept]) if x else Scale(label="", texts=("",))
    picture = Versus(
        caption=caption,
        rows=rows,
        label=words.measure_label(studied, found),
        difference_label="first − other, paired by seed and cell",
        jobs=tuple(jobs),
        differences=tuple(differences),
    )
    return Drawn(picture, _said(name, jobs, differences, x, kept))


def _number(n: int) -> str:
    return ("no", "one", "two", "three", "four", "five", "six")[n]


def _common(studied: Studied, others: list[Studied]) -> str:
    """Return the parameter with the most values that all jobs vary."""
    varied = studied.varied()
    shared = [name for name in varied if all(name in other.varied() for other in others)]
    return shared[0] if shared else ""


async def _pair(studied: Studied, other: Studied, question: Question, measure: str) -> Pair:
    sides = [Side(each.subject, fixed_values(each.job)) for each in (studied, other)]
    comparing = Comparing(sides[0], sides[1], question)
    for each, side in zip((studied, other), comparing.sides, strict=True):
        await each.hand_over(side)
    table = comparing.table()
    first, second = (side.groups for side in comparing.sides)
    return Pair(
        first=_by_key(first.keys, first.intervals.get(measure)),
        other=_by_key(second.keys, second.intervals.get(measure)),
        table=table,
        n_cells=int(first.n_cells.sum()),
        more_seeds=len(set(comparing.whole_seeds())) > 1,
    )


def _by_key(keys: list[Key], found: Intervals | None) -> dict[Key, tuple[float, float, float]]:
    if found is None:
        return {}
    columns = (each.tolist() for each in (found.estimate, found.low, found.high))
    return dict(zip(keys, zip(*columns, strict=True), strict=True))


def _rows(table: AnswerTable, measure: str) -> dict[Key, tuple[float, float, float]]:
    found = words.estimates(table, measure)
    columns = (each.tolist() for each in (found.value, found.low, found.high))
    keys = [row[: table.n_keys] for row in table.rows]
    return dict(zip(keys, zip(*columns, strict=True), strict=True))


def _estimates(
    name: str, found: dict[Key, tuple[float, float, float]], keys: list[Key]
) -> Estimates:
    nothing = (np.nan, np.nan, np.nan)
    rows = np.array([found.get(key, nothing) for key in keys], np.float64)
    return Estimates(name=name, value=rows[:, 0], low=rows[:, 1], high=rows[:, 2])


def _differing(studied: Studied, others: list[Studied]) -> str:
    """Name the parameters of one value in which jobs differ."""
    jobs = [fixed_values(each.job) for each in (studied, *others)]
    left_out = {"sweep_type", "cloud", "n_replicates", "base_seed"}
    names = [
        name
        for name in jobs[0]
        if name not in left_out
        and all(name in each for each in jobs)
        and len({each[name] for each in jobs}) > 1
    ]
    said = [
        f"{words.symbol(studied.job, name)} "
        + words.joined([key_text(each[name]) for each in jobs])
        for name in names[:SHOWN_DIFFERENCES]
    ]
    more = f" and {len(names) - len(said)} more" if len(names) > len(said) else ""
    return f"they differ in {', '.join(said)}{more}" if said else ""


def _said(
    name: str, jobs: list[Estimates], differences: list[Estimates], x: str, keys: list[Key]
) -> str:
    first = jobs[0].name
    parts = []
    for each in differences:
        form = written(each.value, sign=True)
        known = np.isfinite(each.value)
        if not known.any():
            parts.append(f"{each.name}: not known")
            continue
        low, high = float(each.value[known].min()), float(each.value[known].max())
        size = form(low) if low == high else f"{form(low)} to {form(high)}"
        sure = int(((each.low > 0) | (each.high < 0)).sum())
        rows = plural(len(keys), "row") if x else ""
        parts.append(
            f"minus {each.name} {size}"
            + (f", intervals without 0 in {sure:,} of {rows}" if x else "")
            + ("" if x else ", interval " + ("without 0" if sure else "with 0"))
        )
    return f"{words.sentence_case(name)} of {first} {'; '.join(parts)}."
