"""List jobs, including those known only from manifests in the output folder."""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from bilancio.errors import InvalidInput, Problem, invalid, shown
from bilancio.experiments import registry, vocabulary
from bilancio.jobs.artifacts import discovery
from bilancio.jobs.lookup import stalled_jobs, with_stall
from bilancio.jobs.models import JobStatus
from bilancio.jobs.moments import Span, day_or_moment, read_span
from bilancio.jobs.owner import ME, present_user
from bilancio.jobs.paging import check_page, check_whole
from bilancio.jobs.session import Session
from bilancio.jobs.store import Criteria, JobStore
from bilancio.jobs.texts import check_texts
from bilancio.jobs.views import Page
from bilancio.validation import near, nearest

STALLED = "stalled"
MAX_VARIED = 50
SHORT_WORD = 3  # letters; an s at its end is hardly a plural's

Moment = str | date


async def list_jobs(
    session: Session,
    *,
    status: JobStatus | str | None = None,
    sweep_type: str | None = None,
    tag: str | None = None,
    text: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    min_runs: int | None = None,
    varied: Iterable[str] | str | None = None,
    owner: str | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Page:
    """Return jobs, newest first: those that meet all that is asked.

    Jobs known only from manifests in the output folder are imported first.

    Parameters
    ----------
    status
        One of `JobStatus`, or `stalled`. Stalled jobs are not among those that are running.
    sweep_type
        Which experiment.
    tag
        A tag, as it is written.
    text
        Words that all stand in the name, the description, the notes or the tags, in any order
        and case, in the singular or the plural.
    since, until
        When it was created, in UTC: a day (``2026-11-18``), a month, a moment, a time span before
        now (``7d``), ``today``, ``yesterday``, ``this`` or ``last`` ``week``, ``month``,
        ``year``. A day, week or month is included whole, as either end.
    min_runs
        At least so many runs, those planned where it has not completed.
    varied
        Parameters that differ between its runs, all of them; the names of lists and ranges are
        taken, too: ``kappas``, ``kappa_range``; and researchers' words: ``liquidity``, ``μ``.
    owner
        Who created it: a login name, whatever the machine, or ``anna@laptop``; ``me`` is the
        login name of this process.

    Raises
    ------
    InvalidInput
        A filter says nothing that can be asked for.
    """
    check_page(limit, offset)
    texts = {"tag": tag, "text": text, "sweep_type": sweep_type, "owner": owner}
    check_texts({name: value or "" for name, value in texts.items()})
    allowed = [*(each.value for each in JobStatus), STALLED]
    if status is not None and status not in allowed:
        raise invalid("status", str(status), ", ".join(allowed), nearest(str(status), allowed))
    if min_runs is not None:
        check_whole("min_runs", min_runs, low=0)
    created = _created(session, since, until)
    store = await session.store()
    roots = discovery.search_roots(session.settings.out_dir)
    refused = await discovery.import_unknown(store, roots)
    first, last = created["since"], created["until"]
    criteria = Criteria(
        sweep_type=await _known_type(store, sweep_type) if sweep_type else None,
        tag=tag or None,
        words=tuple(map(_without_plural, text.split())) if text else (),
        since=first and first.start,
        until=last and last.end,
        min_runs=min_runs or None,
        owner=None if owner == ME else owner or None,
        login=present_user() if owner == ME else owner or None,
        varied=await _parameters(store, varied),
    )
    criteria = await _of_status(store, criteria, status)
    found = await store.jobs(criteria, limit=limit, offset=offset)
    filters = _as_read(criteria, str(status or ""), text or "", created)
    return Page(
        jobs=tuple([await with_stall(session, job) for job in found.jobs]),
        total=found.total,
        offset=offset,
        filters=filters,
        without={} if found.total else await _without_each(store, criteria, filters),
        damaged=tuple(found.damaged),
        refused_manifests=refused,
    )


def _created(session: Session, since: object, until: object) -> dict[str, Span | None]:
    """Return the days or moments that bound when jobs were created."""
    now = session.clock()
    spans = {
        name: None if value is None or value == "" else read_span(name, value, now)
        for name, value in (("since", since), ("until", until))
    }
    first, last = spans["since"], spans["until"]
    if first and last and first.start >= last.end:
        raise invalid("until", until, f"a moment after since, {day_or_moment(first.start)}")
    return spans


async def _of_status(
    store: JobStore, criteria: Criteria, status: JobStatus | str | None
) -> Criteria:
    """Return *criteria* with what a status comes to: whether a job has stalled no store knows."""
    if not status:
        return criteria
    if status == STALLED:
        return dataclasses.replace(criteria, among=await stalled_jobs(store))
    stalled = await stalled_jobs(store) if status == JobStatus.RUNNING else ()
    return dataclasses.replace(criteria, status=JobStatus(status), apart_from=stalled)


async def _known_type(store: JobStore, sweep_type: str) -> str:
    """Return the name of an experiment, one that is not installed here included."""
    if sweep_type in registry.built_in():
        return sweep_type
    known = dict.fromkeys([*registry.sweep_types(), *await store.sweep_types()])
    if sweep_type not in known:
        meant = vocabulary.sweep_type_of(sweep_type, known)
        raise invalid("sweep_type", sweep_type, ", ".join(known), meant)
    return sweep_type


async def _parameters(store: JobStore, varied: Iterable[str] | str | None) -> tuple[str, ...]:
    """Return the names of parameters, given those of their lists and ranges, too."""
    names = [varied] if isinstance(varied, str) else [*(varied or ())]
    if len(names) > MAX_VARIED:
        raise InvalidInput([Problem("varied", f"{len(names)} names", f"at most {MAX_VARIED}")])
    if not names:
        return ()
    own, plurals = _known_parameters()
    single = [plurals.get(name, name) if isinstance(name, str) else name for name in names]
    if any(name not in own for name in single):
        own = {*own, *await store.varied()}
    known = sorted(own)
    read = [_parameter(name, known) for name in single]
    return tuple(dict.fromkeys(read))


def _parameter(name: object, known: Sequence[str]) -> str:
    """Return the parameter that a word of a question means."""
    if not isinstance(name, str):
        raise invalid("varied", name, "names of parameters")
    if name in known:
        return name
    meant = vocabulary.columns_of(name, known)
    if len(meant) != 1:
        raise InvalidInput(
            [Problem("varied", shown(name), near(name, known), nearest(name, known))]
        )
    return meant[0]


def _without_plural(word: str) -> str:
    """Return the beginning that the singular and the plural of a word have in common."""
    return word[:-1] if len(word) > SHORT_WORD and word[-1:] in {"s", "S"} else word


def _known_parameters() -> tuple[set[str], dict[str, str]]:
    """Return the parameters that can vary, and these by the fields of lists and ranges of them."""
    own, plurals = {"seed"}, {"seeds": "seed"}
    for sweep_type in registry.sweep_types():
        model = registry.config_model(sweep_type)
        if hasattr(model, "parameters_that_vary"):
            names = model.parameters_that_vary()
            own |= {*names}
            plurals |= {f"{name}_range": name for name in names}
            plurals |= {field: name for name, field in getattr(model, "listed", {}).items()}
    return own, {field: name for field, name in plurals.items() if field not in own}


def _as_read(
    criteria: Criteria, status: str, text: str, created: dict[str, Span | None]
) -> dict[str, str]:
    """Return how each filter was read, by name."""
    since, until = created["since"], created["until"]
    said = {
        "status": str(status),
        "sweep_type": criteria.sweep_type or "",
        "tag": criteria.tag or "",
        "text": " ".join(text.split()),
        "since": day_or_moment(since.start) if since else "",
        "until": day_or_moment(until.last) if until else "",
        "min_runs": f"{criteria.min_runs:,}" if criteria.min_runs else "",
        "owner": criteria.login or "",
        "varied": ", ".join(criteria.varied),
    }
    return {name: value for name, value in said.items() if value}


#: The criteria that each filter sets, where they are not named like it.
_SET_BY = {
    "status": ("status", "among", "apart_from"),
    "text": ("words",),
    "owner": ("owner", "login"),
}


async def _without_each(
    store: JobStore, criteria: Criteria, filters: Iterable[str]
) -> dict[str, int]:
    """Return how many jobs there would be without each of the filters, the most first."""
    every = Criteria()
    counts = {}
    for name in filters:
        none: dict[str, Any] = {each: getattr(every, each) for each in _SET_BY.get(name, (name,))}
        counts[name] = await store.count_jobs(dataclasses.replace(criteria, **none))
    return dict(sorted(counts.items(), key=lambda each: -each[1]))
