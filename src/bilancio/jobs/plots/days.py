"""Defaults by day: a sample of a job's runs, simulated again."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.intervals import Lack, mean_intervals
from bilancio.errors import InvalidInput, NothingToDraw, Problem
from bilancio.experiments.configs import RingSettings
from bilancio.experiments.reduction import Groups
from bilancio.experiments.reporting import parameters_of
from bilancio.jobs.plots import words
from bilancio.jobs.plots.asked import Asked
from bilancio.jobs.plots.grouped import Drawn, cells_of
from bilancio.jobs.plots.studied import Bools, Studied
from bilancio.jobs.threads import in_thread
from bilancio.report.pictures import Estimates, Joined, Lines, Scale
from bilancio.validation import validated

MOST_STARTS = 200  # cells times seeds
MOST_CELLS = 40
MORE_DAYS, LEAST_DAYS = 3, 5  # that are drawn: after the last default, and of a short run
WORK = 2_000_000  # agents times days of all runs
Values = NDArray[np.float64]


class Sample(NamedTuple):
    """Cells and whole seeds whose runs are simulated again, by their places."""

    cells: NDArray[np.intp]
    seeds: NDArray[np.intp]


async def days(studied: Studied, asked: Asked) -> Drawn:
    """Draw how many agents have defaulted by each day, in every arm."""
    config = studied.job.config
    if not isinstance(config, RingSettings) or studied.cells is None:
        got = f"days, of {config.sweep_type}, whose runs have no account of their days"
        raise studied.refusal("days", got)
    for field, value in {"x": asked.x, "y": asked.y, "by": asked.by}.items():
        if value:
            allowed = "nothing beside kind days; where chooses cells"
            raise InvalidInput([Problem(field, value, allowed)])
    chosen = cells_of(studied, asked) & ~studied.subject.cells.probes
    if not chosen.any():
        raise NothingToDraw(studied.job.job_id, "its runs are probes of searches.")
    sample, n_whole = _sample(studied, chosen)
    shares = await in_thread(_by_day, studied, sample)
    return _drawn(studied, asked, shares, (sample, int(chosen.sum()), n_whole))


def _sample(studied: Studied, chosen: Bools) -> tuple[Sample, int]:
    """Return cells and seeds spread evenly over those chosen, and the number of whole seeds."""
    whole = Groups(studied.subject.cells, [], chosen, []).whole
    seeds = np.flatnonzero(whole[0]) if len(whole) else np.empty(0, np.intp)
    cells = np.flatnonzero(chosen)
    if not len(seeds):
        raise NothingToDraw(studied.job.job_id, "no seed is whole yet.")
    config: Any = studied.job.config
    agents = float(config.cost) / max(config.total_runs, 1)
    runs = max(int(WORK / max(agents * _longest(studied), 1.0)), 1)
    starts = max(min(MOST_STARTS, runs // len(studied.subject.arms)), 1)
    n_cells = min(len(cells), MOST_CELLS, starts)
    n_seeds = max(min(len(seeds), starts // n_cells), 1)
    return Sample(_evenly(cells, n_cells), _evenly(seeds, n_seeds)), len(seeds)


def _longest(studied: Studied) -> int:
    """Return about how many days a run has."""
    indices = np.array([0], np.int64)
    model = studied.job.config.parameter_model()  # type: ignore[attr-defined]  # of the ring
    return int(_parameters(studied, model, indices, 0).maturity_days)


def _evenly(values: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    places = np.linspace(0, len(values) - 1, n).round().astype(np.intp)
    return values[np.unique(places)]


def _parameters(studied: Studied, model: Any, indices: NDArray[np.int64], place: int) -> Any:
    config: Any = studied.job.config
    columns = parameters_of(studied.experiment, config, indices)
    own = {name: columns[name][place].item() for name in model.model_fields if name in columns}
    return validated(model, config.run_of(own))


class ByDay(NamedTuple):
    """Agents in default after each day.

    Attributes
    ----------
    share : float64 (n_seeds, n_arms, n_days)
        Means over the cells, in shares of all agents.
    last
        The last day with a default; 0 where there was none.
    agents
        How many agents there are; None where cells differ.
    n_runs
        How many runs were simulated.
    """

    share: Values
    last: int
    agents: int | None
    n_runs: int


def _by_day(studied: Studied, sample: Sample) -> ByDay:
    """Simulate the runs of a sample, and count who has defaulted by each day."""
    config: Any = studied.job.config
    layout = studied.experiment.layout(config)
    model = config.parameter_model()
    arms = range(len(config.arms))
    found: dict[tuple[int, int], list[Values]] = {}
    agents: set[int] = set()
    for seed, place in enumerate(sample.seeds.tolist()):
        for arm in arms:
            runs = layout.index(place, sample.cells, arm)
            for number in range(len(runs)):
                parameters = _parameters(studied, model, runs, number)
                agents.add(parameters.n_agents)
                curve = defaults_by_day(parameters) / parameters.n_agents
                found.setdefault((seed, arm), []).append(curve)
    longest = max(len(each) for curves in found.values() for each in curves)
    share = np.zeros((len(sample.seeds), len(config.arms), longest))
    for (seed, arm), curves in found.items():
        share[seed, arm] = np.mean([_extended(each, longest) for each in curves], axis=0)
    n_runs = sum(map(len, found.values()))
    rises = np.flatnonzero((np.diff(share, axis=2, prepend=0.0) > 0).any(axis=(0, 1)))
    last = int(rises[-1]) if len(rises) else 0
    return ByDay(share, last, agents.pop() if len(agents) == 1 else None, n_runs)


def _extended(curve: Values, length: int) -> Values:
    """Return a curve that stays where it ended."""
    return np.concatenate([curve, np.full(length - len(curve), curve[-1])])


def defaults_by_day(parameters: Any) -> Values:
    """Return how many agents have defaulted by the end of each day of one run, from day 0.

    Returns
    -------
    float64 (days,)
    """
    from bilancio.model import simulate  # numba takes half a second to load
    from bilancio.model.tables import SimEvent, code

    found = simulate(trace=True, **parameters.model_dump())
    assert found.trace is not None, "a traced run has a trace"
    events = found.trace.events
    defaulted = events[events["event"] == code(SimEvent.DEFAULTED)]
    _, first = np.unique(defaulted["debtor"], return_index=True)  # events stand in order
    by_day = np.bincount(defaulted["day"][first], minlength=len(found.trace.balances) - 1)
    return np.cumsum(by_day).astype(np.float64)


def _drawn(studied: Studied, asked: Asked, found: ByDay, sampled: tuple[Sample, int, int]) -> Drawn:
    sample, n_cells, n_whole = sampled
    arms = studied.subject.arms
    one = "pair" if len(arms) > 1 else "run"
    shown, of = len(sample.seeds) * len(sample.cells), n_cells * n_whole
    n_days = min(found.share.shape[2], max(found.last + MORE_DAYS, LEAST_DAYS))
    series, ends = _curves(found, n_days, arms, exact=of == 1)
    if of == 1:
        which = ", ".join(_cell(studied, sample))
    elif shown == of:
        which = f"mean of all {of:,} {one}s"
    else:
        which = f"mean of {shown:,} of {of:,} {one}s, spread evenly over cells and seeds"
    days_ = f"no default after day {found.last}" if found.last else "no default on any day"
    caption = words.caption(
        studied,
        asked,
        "defaults by day"
        + (f" in one {one}" + ("" if one == "run" else " of runs") if of == 1 else ""),
        which,
        words.interval_text("bands:", [len(sample.seeds)], *series) if of > 1 else "",
        "counted at the end of the day" if not found.last else days_,
    )
    whose = f"of {found.agents:,}" if found.agents else "share of all"
    scale = Scale(
        label="day",
        texts=tuple(map(str, range(n_days))),
        places=np.arange(n_days, dtype=np.float64),
    )
    picture = Lines(
        caption=caption,
        x=scale,
        label=f"agents in default  ({whose})",
        series=tuple(series),
        joined=Joined.STEPS,
    )
    every = f"{found.agents:,} agents" if found.agents else "all agents, as a share"
    said = f"Of {every}, {words.joined(ends)} have defaulted in the end"
    return Drawn(picture, f"{said} ({which}; {days_}).")


def _curves(
    found: ByDay, n_days: int, arms: tuple[str, ...], *, exact: bool
) -> tuple[list[Estimates], list[str]]:
    """Return the curve of each arm, named with its end, and these ends in words."""
    series, ends = [], []
    for number, arm in enumerate(arms):
        values = mean_intervals(found.share[:, number, :n_days].T * float(found.agents or 1))
        none = values.lack != Lack.NONE
        low, high = (np.where(none, values.estimate, each) for each in (values.low, values.high))
        last = float(values.estimate[-1])
        shown = f"{last:.0f}" if exact and found.agents else f"{last:.3g}"
        several = len(arms) > 1
        name = f"{arm} {shown}" if several else shown
        series.append(Estimates(name=name, value=values.estimate, low=low, high=high))
        ends.append(f"{shown} ({arm})" if several else shown)
    return series, ends


def _cell(studied: Studied, sample: Sample) -> list[str]:
    """Say which cell and seed a single start is of."""
    columns = studied.subject.cells.columns
    cell = int(sample.cells[0])
    said = [
        f"{words.symbol(studied.job, name)} {words.value_text(columns[name][cell].item())}"
        for name in studied.subject.parameters
        if name not in {"cell", "design"}
    ]
    return [*said[:6], f"seed {int(studied.subject.seeds[sample.seeds[0]])}"]
