"""One run: what came of it, and the ring day by day."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from bilancio.errors import BilancioError, InvalidInput, invalid
from bilancio.frames.markup import Column
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Job
from bilancio.jobs.telling import RunStory, ToldRun
from bilancio.model.telling import KINDS, agent_name, check_agents, money, picked, totals
from bilancio.model.trace import DESKS, MICRO, ROLES, Row
from bilancio.report.html import inline
from bilancio.report.ring import Flow, RingDay, ring_svg, samples
from bilancio.text import key_text, listed, number, plural
from bilancio.validation import parse_int, split_csv
from bilancio.web import rendering
from bilancio.web.kept import Kept

WORDS = ("worst", "best", "failed")
AT_ONCE_S = 0.3  # in which a page is answered whole; one that takes longer is sent in parts
MOST_AGENTS = 10_000  # of a run that is simulated again to be looked at
KEPT_BYTES = 64 << 20  # of traces
MOST_DIGITS = 15
ROWS = 100  # events of a day in its table
#: What is drawn, and who are at its ends.
ENDS: Mapping[str, tuple[str, str]] = {
    "settled": ("payer", "payee"),
    "defaulted": ("debtor", "holder"),
    "sold": ("holder", "payer"),
}
#: Events that are in a day's table only.
IN_WORDS = {
    "injected": "× cash from outside",
    "written-off": "written off",
    "rolled-over": "rolled over",
    "rebucketed": "passed on between desks",
}
WORDS_OF = ("event", *ROLES)
NUMBERS = ("face", "cash", "price")  # of an event;


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of a run.

    Attributes
    ----------
    run
        The run itself; with a trace where it could be simulated again.
    arms
        All runs of its cell under its seed: index and arm; none where it stands alone.
    note
        Why there is no trace.
    """

    job: Job
    headline: str
    run: ToldRun
    arms: tuple[tuple[int, str], ...]
    note: str = ""


def kept_stories() -> Kept:
    """Return what keeps runs that were simulated again, the largest of which are large."""

    def size(told: Told) -> int:
        trace = told.run.trace
        return 0 if trace is None else int(trace.events.nbytes + trace.balances.nbytes)

    return Kept(KEPT_BYTES, size)


async def shown(request: Request) -> Response:
    """Show a run; the beginning of its page at once, where the rest takes a while."""
    manager: AsyncJobManager = request.app.state.manager
    job = (await manager.find_job(request.path_params["name"])).job
    which = request.path_params["run"]
    making = asyncio.ensure_future(_told(request, job, which))
    if request.query_params.get("part") == "day":
        return HTMLResponse(_day(request, await making))
    await asyncio.wait({making}, timeout=AT_ONCE_S)
    if making.done():
        rest = _rest(request, making.result())
        return HTMLResponse(_top(request, job, which) + rest)
    parts = _parts(request, job, which, making)
    return StreamingResponse(parts, media_type="text/html; charset=utf-8")


async def _parts(
    request: Request, job: Job, which: str, making: "asyncio.Future[Told]"
) -> AsyncIterator[str]:
    yield _top(request, job, which)
    yield rendering.html(request, "run_waiting")
    try:
        yield _rest(request, await making)
    except BilancioError as error:
        yield rendering.html(request, "part_refused", sentence=str(error))
        yield rendering.html(request, "bottom")


def _top(request: Request, job: Job, which: str) -> str:
    return rendering.html(request, "run_top", job=job, name=_name(which))


def _name(which: str) -> str:
    """Return what a page calls its run before it is known."""
    if which in WORDS:
        return {"worst": "The worst run", "best": "The best run"}.get(which, "The first failed run")
    whole = which.isdecimal() and len(which) <= MOST_DIGITS
    return f"Run {int(which):,}" if whole else f"Run {which}"


# -- which run, and what is known of it ----------------------------------------------------------


async def _told(request: Request, job: Job, which: str) -> Told:
    """Return what is told of a run, simulated again once for all who look at it."""
    manager: AsyncJobManager = request.app.state.manager
    stories: Kept = request.app.state.stories
    same: tuple[object, ...] = (job.job_id, job.created_at, job.config_hash, job.attempts)
    if which in WORDS:
        _refuse_many_agents(job, which)
        by = (*same, which, job.completed_runs, job.failed_runs)
        return await stories.get(by, lambda: _story(manager, job, which))
    row = await manager.run_of(job.job_id, which)
    by = (*same, row["index"], row["status"])
    return await stories.get(by, lambda: _story_of(manager, job, row))


def _refuse_many_agents(job: Job, which: str) -> None:
    if _n_agents(job, {}) > MOST_AGENTS:
        raise invalid("run", which, f"a number or an id, with more than {MOST_AGENTS:,} agents")


def _n_agents(job: Job, row: Row) -> int:
    found = row.get("n_agents", getattr(job.config, "n_agents", 0))
    return found if isinstance(found, int) else 0


async def _story_of(manager: AsyncJobManager, job: Job, row: Row) -> Told:
    """Return a run with its trace, or without one and the reason why."""
    if job.config.searches and row.get("kappa", 0) is None:
        return _without_trace(job, row, "Its search has not needed this run so far.")
    if _n_agents(job, row) > MOST_AGENTS:
        said = f"With more than {MOST_AGENTS:,} agents a run is not simulated again for its page."
        return _without_trace(job, row, said)
    return await _story(manager, job, str(row["index"]))


async def _story(manager: AsyncJobManager, job: Job, which: str) -> Told:
    story = await manager.run_story(job.job_id, which, limit=3)
    run = story.runs[0]
    return Told(
        job=job,
        headline=story.headline,
        run=run,
        arms=_arms(story),
        note="" if run.trace is not None else _reason(run),
    )


def _reason(run: ToldRun) -> str:
    if run.status == "failed":
        return ""  # its error says it
    return "Runs of this simulation leave no trace: their parameters and metrics are all there is."


def _arms(story: RunStory) -> tuple[tuple[int, str], ...]:
    if len(story.runs) == 1:
        return ()
    return tuple(sorted((each.index, each.arm or "") for each in story.runs))


def _without_trace(job: Job, row: Row, note: str) -> Told:
    from bilancio.jobs.failures import place  # numpy, which the server starts without

    names = list(row)
    known = {"job_id", "run_id", "index", "cell", "design", "arm", "seed", "status", "error"}
    at = names.index("status")
    run = ToldRun(
        **{name: row.get(name) for name in ("run_id", "index", "arm", "seed", "status", "error")},
        given={name: row[name] for name in names[:at] if name not in known},
        metrics={name: row[name] for name in names[at:] if name not in known},
    )
    said = f"Run {run.index:,} of {job.job_id}: {place(job, row)}."
    return Told(job=job, headline=said, run=run, arms=(), note=note)


def _rest(request: Request, told: Told) -> str:
    """Return all of a page but its beginning."""
    run, job = told.run, told.job
    traced = run.trace is not None
    return rendering.html(
        request,
        "run",
        job=job,
        told=told,
        run=run,
        here=rendering.address("jobs", job.job_id, "runs", run.index),
        last=run.n_days - 1,
        given=[(name, key_text(value) or "–") for name, value in run.given.items()],
        metrics=[_metric(name, value) for name, value in run.metrics.items()],
        neighbours=_neighbours(job, run),
        asked=_asked(request, run) if traced else None,
        day=_day(request, told) if traced else "",
    )


def _neighbours(job: Job, run: ToldRun) -> dict[str, str]:
    there = {"prev": run.index - 1, "next": run.index + 1}
    return {
        name: rendering.address("jobs", job.job_id, "runs", index)
        if 0 <= index < len(job.run_ids)
        else ""
        for name, index in there.items()
    }


def _metric(name: str, value: Any) -> tuple[str, str]:
    """Return a metric as it is read: amounts in money."""
    if name.endswith("_micro") and isinstance(value, int):
        return name.removesuffix("_micro"), money(value / MICRO)
    return name, number(value) or "–"


# -- a day ---------------------------------------------------------------------------------------


class Asked(NamedTuple):
    """Which day is asked for, of which agents, from which event on; what could not be read."""

    day: int
    agents: tuple[str, ...] = ()
    first: int = 0
    refused: str = ""


def _asked(request: Request, run: ToldRun) -> Asked:
    """Return what is asked for; without a day, the first one on which anything happened."""
    given = request.query_params
    usual = run.days[0].day if run.days else 0
    try:
        day = parse_int("day", given.get("day", "").strip() or str(usual), least=0)
        if day >= run.n_days:
            allowed = f"whole numbers from 0 to {run.n_days - 1}, the days of this run"
            raise invalid("day", str(day), allowed)
        agents = tuple(map(_agent, split_csv(given.get("agent"))))
        assert run.parameters is not None, "a run with days was simulated"
        check_agents(agents, run.parameters)
        first = parse_int("from", given.get("from", "").strip() or "0", least=0)
    except InvalidInput as error:
        return Asked(usual, refused=str(error))
    return Asked(day, agents, first)


def _day(request: Request, told: Told) -> str:
    """Return a day: its picture, what happened in a sentence, what its lines mean, its events."""
    run, asked = told.run, _asked(request, told.run)
    if run.trace is None:
        return rendering.html(request, "part_refused", sentence=told.note)
    rows = [*picked(run.trace.day_rows(asked.day), agents=asked.agents)]
    rows.sort(key=lambda row: KINDS.index(row["event"]))
    counts = Counter(row["event"] for row in rows)
    n_failed = sum(day <= asked.day for day in run.trace.first_defaults().values())
    n_agents = run.trace.n_traders
    what = totals(rows).sentence or "nothing happened"
    whose = f", as far as {', '.join(map(_shown, asked.agents))} took part" if asked.agents else ""
    so_far = f"{n_failed:,} of {plural(n_agents, 'agent')} have defaulted so far."
    said = f"Day {asked.day}{whose}: {what}. {so_far}"
    return rendering.html(
        request,
        "run_day",
        asked=asked,
        last=run.n_days - 1,
        picture=inline(ring_svg(_drawn(run, asked, rows, said))),
        said=said,
        legend=_legend(run, asked, counts),
        desks=run.trace.n_traders < len(run.trace.agents),
        elsewhere=", ".join(
            f"{n:,} {IN_WORDS[each]}" for each, n in counts.items() if each not in ENDS
        ),
        events=_events(asked, rows),
        counted=listed("event", offset=asked.first, shown=len(rows[_page(asked)]), total=len(rows)),
        **_pages(told, asked, len(rows)),
    )


def _drawn(run: ToldRun, asked: Asked, rows: Sequence[Row], said: str) -> RingDay:
    place = {name: number for number, name in enumerate(run.trace.agents)}
    bought = Counter(row["payer"] for row in rows if row["event"] == "sold")
    desks = run.trace.agents[run.trace.n_traders :]
    first = run.trace.first_defaults()
    return RingDay(
        said=said,
        n_agents=run.trace.n_traders,
        desks=[_shown(name) for name in desks],
        notes=[f"buys {bought[name]:,}" if bought[name] else "" for name in desks],
        flows=[_flow(row, place) for row in rows if row["event"] in ENDS],
        failing={place[row["debtor"]] for row in rows if row["event"] == "defaulted"},
        failed={place[name] for name, day in first.items() if day < asked.day},
    )


def _flow(row: Row, place: Mapping[str, int]) -> Flow:
    kind = row["event"]
    source, target = ENDS[kind]
    return Flow(kind, place[row[source]], place[row[target]])


def _agent(given: str) -> str:
    """Return an agent's name, however it is written: H7 for 7, `vbt_short` for the VBT short."""
    desk = given.strip().lower().replace(" ", "_")
    return desk if desk in DESKS else agent_name(given)


def _shown(name: str | None) -> str:
    """Return an agent's name as it is shown: `vbt_short` as VBT short."""
    if name not in DESKS:
        return name or ""
    holder, _, bucket = name.partition("_")
    return f"{holder.upper() if holder == 'vbt' else holder} {bucket}"


def _legend(run: ToldRun, asked: Asked, counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return what lines and marks mean, each beside a sample."""
    sample = samples(run.trace.n_traders)
    before = sum(day < asked.day for day in run.trace.first_defaults().values())
    meanings = {
        "settled": f"pays ({counts.get('settled', 0):,})",
        "defaulted": f"fails to pay, in whole or in part ({counts.get('defaulted', 0):,})",
        "sold": f"sells to a desk what others owe ({counts.get('sold', 0):,})",
        "sound": "agent",
        "failing": "agent that fails to pay today",
        "failed": f"agent that has defaulted before ({before:,})",
    }
    if run.trace.n_traders == len(run.trace.agents):
        del meanings["sold"]  # there are no desks
    return [(sample[name], said) for name, said in meanings.items()]


def _page(asked: Asked) -> slice:
    return slice(asked.first, asked.first + ROWS)


def _events(asked: Asked, rows: Sequence[Row]) -> list[Column]:
    """Return some events of a day as columns; those without anything are left out."""
    shown = rows[_page(asked)]
    columns = [Column(name, tuple(_shown(row[name]) for row in shown), False) for name in WORDS_OF]
    for name in NUMBERS:
        write = number if name == "price" else money
        cells = tuple("" if row[name] is None else write(row[name]) for row in shown)
        columns.append(Column(name, cells, True))
    return [column for column in columns if any(column.cells)]


def _pages(told: Told, asked: Asked, total: int) -> dict[str, str]:
    """Return the addresses of the events before and after those that are shown."""
    there = {"earlier": asked.first - ROWS, "later": asked.first + ROWS}
    return {
        name: _address(told, asked, str(max(first, 0))) + "#events"
        if -ROWS < first < total and first != asked.first
        else ""
        for name, first in there.items()
    }


def _address(told: Told, asked: Asked, first: str) -> str:
    where = ("jobs", told.job.job_id, "runs", told.run.index)
    return rendering.address(
        *where, day=str(asked.day), agent=", ".join(asked.agents), **{"from": first}
    )
