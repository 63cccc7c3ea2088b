"""What matters, and where limits are met: shares of the variance, and frontiers."""

from typing import Any

import numpy as np

from bilancio.errors import InvalidInput, NothingToDraw, Problem
from bilancio.experiments.protocol import searching
from bilancio.experiments.questions import Question
from bilancio.experiments.reporting import searches_of
from bilancio.jobs.plots import words
from bilancio.jobs.plots.asked import Asked
from bilancio.jobs.plots.grouped import Drawn, answer, cells_of, nothing_varies
from bilancio.jobs.plots.studied import Studied
from bilancio.jobs.recorded import searched_rows
from bilancio.jobs.threads import in_thread
from bilancio.report.pictures import Bars, Estimates, Joined, Lines, Scale
from bilancio.report.ticks import written

MOST_SHARES = 14
CROSSED_SHARE = "share"  # the column of shares between the cells of a crossed grid


async def main_effects(studied: Studied, asked: Asked) -> Drawn:
    """Draw the shares of the variance between cells."""
    measure = studied.in_arms(asked.y)[0] if asked.y else studied.primary
    if not studied.varied(cells_of(studied, asked)):
        raise nothing_varies(studied)
    question = Question(measures=(measure.name,), where=asked.where, effects=True)
    try:
        table = (await answer(studied, question)).effects
    except InvalidInput as error:
        if all(each.field != "effects" for each in error.problems):
            raise
        got = "main_effects, of cells that are no crossed grid"
        raise studied.refusal("main_effects", got, "where that leaves a crossed grid") from None
    rows = [] if table is None else list(table.rows)
    name = words.measure_words(measure)
    columns = () if table is None else table.columns
    share = CROSSED_SHARE if CROSSED_SHARE in columns else columns[1] if columns else ""
    places = [columns.index(f"{share}{end}") for end in ("", "_low", "_high")] if rows else []
    known = [row for row in rows if row[places[0]] is not None]
    known = sorted(known, key=lambda row: -row[places[0]])[:MOST_SHARES]
    if not known:
        few = len(studied.subject.seeds) == 1
        why = "one seed shows no spread" if few else f"cells differ in {name} no more than seeds do"
        raise NothingToDraw(studied.job.job_id, f"{why}.")
    values = np.array([[row[place] for place in places] for row in known], np.float64)
    names = tuple(
        " × ".join(words.symbol(studied.job, each) for each in str(row[0]).split(" × "))
        for row in known
    )
    found = Estimates(name="", value=values[:, 0], low=values[:, 1], high=values[:, 2])
    more = f"the {len(known)} largest of {len(rows):,}" if len(rows) > len(known) else ""
    title = table.title if table is not None else ""
    caption = words.caption(
        studied,
        asked,
        f"what moves the {name}",
        title or "shares of the variance between cells",
        words.interval_text("lines:", [len(studied.subject.seeds)], found),
        more,
    )
    picture = Bars(caption=caption, names=names, label=_share_label(share), shares=found)
    crossed = share == CROSSED_SHARE
    first = (
        f"{names[0]} {'accounts' if crossed else 'alone accounts'} for {100 * values[0, 0]:.0f} %"
    )
    if np.isfinite(values[0]).all():
        low, high = 100 * values[0, 1:]
        first += f" ({words.LEVEL_TEXT} interval {low:.0f} % to {high:.0f} %)"
    where = "between cells" if crossed else "over the ranges"
    return Drawn(picture, f"{first} of what differs in {name} {where}.")


def _share_label(column: str) -> str:
    if column == CROSSED_SHARE:
        return "share of the variance between cells"
    return f"{column.replace('_', ' ')}: share of the variance over the ranges"


# -- searches --------------------------------------------------------------------------------


def _limit(studied: Studied) -> str:
    config: Any = studied.job.config
    target = config.search_target
    return f"where the mean {target.measure_symbol.replace('_', ' ')} is {target.words}"


async def frontier(studied: Studied, asked: Asked) -> Drawn:
    """Draw what searches have found, with its range."""
    search = searching(studied.experiment, studied.job.config)
    if search is None:
        raise studied.refusal("frontier", "frontier, of a sweep without searches")
    rows = await searched_rows(studied.store, studied.job)
    table = await in_thread(searches_of, search, studied.job.config, *rows)
    star = next(name for name in table.columns if name.endswith("_star"))
    places = [table.columns.index(f"{star}{end}") for end in ("", "_low", "_high")]
    keys = table.columns[: table.n_keys]
    known = [row for row in table.rows if row[places[0]] is not None]
    if not known:
        raise NothingToDraw(studied.job.job_id, "no search has found anything yet.")
    varied = [
        name
        for place, name in enumerate(keys)
        if name not in {"arm", "cell"} and len({row[place] for row in known}) > 1
    ]
    if asked.x and asked.x not in varied:
        raise InvalidInput([Problem("x", asked.x, ", ".join(varied) or "nothing: one search")])
    x = asked.x or (varied[0] if varied else "")
    arm = keys.index("arm") if "arm" in keys else None
    at = keys.index(x) if x else None
    xs = sorted({row[at] for row in known}) if at is not None else [""]
    series = []
    for name in dict.fromkeys(row[arm] if arm is not None else "" for row in known):
        mine = [row for row in known if arm is None or row[arm] == name]
        dense = np.full((3, len(xs)), np.nan)
        for row in mine:  # of several searches at one place the first one is drawn
            where = xs.index(row[at]) if at is not None else 0
            if np.isnan(dense[0, where]):
                dense[:, where] = [np.nan if row[p] is None else row[p] for p in places]
        series.append(Estimates(name=name, value=dense[0], low=dense[1], high=dense[2]))
    axis = star.removesuffix("_star")
    short = f"{words.symbol(studied.job, axis)}*"
    caption = words.caption(
        studied,
        asked,
        f"{short} by {words.symbol(studied.job, x)}" if x else f"{short} of the search",
        _limit(studied)
        + (f"; lines: {words.LEVEL_TEXT} ranges" if any(map(words.has_width, series)) else ""),
        f"{len(known):,} of {len(table.rows):,} searches found it",
    )
    label = words.parameter_label(studied, axis).replace("  (", "*  (", 1)
    scale = words.scale(studied, x, xs) if x else Scale(label="", texts=("",))
    picture = Lines(
        caption=caption, x=scale, label=label, series=tuple(series), joined=Joined.POINTS
    )
    form = written(np.concatenate([each.value for each in series]))
    low, high = (pick(row[places[0]] for row in known) for pick in (min, max))
    found = form(low) if low == high else f"{form(low)} to {form(high)}"
    counted = f"from {len(known):,} of {len(table.rows):,} searches"
    return Drawn(picture, f"{short}, {_limit(studied)}, is {found}, {counted}.")
