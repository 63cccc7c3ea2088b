"""Jobs compared with each other: what differs, what they share, and what may be concluded."""

from collections.abc import Mapping, Sequence
from typing import Any

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.experiments.answers import AnswerTable
from bilancio.experiments.comparing import clause, headline
from bilancio.experiments.derived import ParameterSweep
from bilancio.experiments.questions import Question
from bilancio.experiments.sweep_config import HANDLING_FIELDS, SweepConfig
from bilancio.jobs.findings import Compared, compared, fixed_values
from bilancio.jobs.lookup import find_with_runs
from bilancio.jobs.models import Job
from bilancio.jobs.paging import cut
from bilancio.jobs.results import shown_table
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore
from bilancio.jobs.views import Comparison
from bilancio.text import key_text, plural

MOST = 6
JOB = "job"  # column of a table of several jobs
OF_SEEDS = ("seed", "seeds", "base_seed", "n_replicates")  # compared as seeds, not as parameters


async def compare(
    session: Session, names: Sequence[str], question: Question, *, limit: int | None, offset: int
) -> Comparison:
    """Compare jobs with the first of them; see `AsyncJobManager.compare`."""
    rows = cut(limit, offset)
    if not 2 <= len(names) <= MOST:  # noqa: PLR2004 - one is compared with another
        raise InvalidInput([Problem("jobs", plural(len(names), "name"), f"2 to {MOST} names")])
    found = [await find_with_runs(session, name) for name in names]
    jobs = [each.job for each in found]
    for place, job in enumerate(jobs):
        if job.job_id in {each.job_id for each in jobs[:place]}:
            raise invalid("jobs", names[place], "another job")
    store = await session.store()
    first, *others = jobs
    several = len(others) > 1
    pairs = [await _compared(store, first, each, question, named=several) for each in others]
    asked = pairs[0].comparing.asked
    table = _joined(asked.group_by, first, others, pairs) if several else pairs[0].table
    shown = shown_table(table, rows)
    assert shown is not None, "there is a table"
    return Comparison(
        job=first,
        other=others[0],
        more=tuple(others[1:]),
        reading="; ".join(f"{each.job.job_id}: {each.reading}" for each in found if each.reading),
        headline=_headline(first, others, pairs),
        comparability=comparability(first, others, pairs),
        group_by=asked.group_by,
        measures=asked.measures,
        read=pairs[0].comparing.read,
        primary=pairs[0].measure,
        varied=_shared_axes(pairs),
        table=shown,
        differs=_differing(jobs),
    )


async def _compared(
    store: JobStore, job: Job, other: Job, question: Question, *, named: bool
) -> Compared:
    """Compare two jobs; with *named*, an error says which of several the second is."""
    try:
        return await compared(store, job, other, question)
    except InvalidInput as error:
        if not named or any(each.field not in {"jobs", "where"} for each in error.problems):
            raise
        problems = [
            each._replace(field=f"{each.field} ({other.job_id})") for each in error.problems
        ]
        raise InvalidInput(problems) from None


def _joined(
    by: Sequence[str], first: Job, others: Sequence[Job], pairs: Sequence[Compared]
) -> AnswerTable:
    """Return the differences of several jobs in one table: a row for each group and job."""
    columns = tuple(dict.fromkeys(name for pair in pairs for name in pair.table.columns[len(by) :]))
    rows: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for job, pair in zip(others, pairs, strict=True):
        for row in pair.table.rows:
            told = dict(zip(pair.table.columns, row, strict=True))
            key = tuple(row[: len(by)])
            values = (told.get(name) for name in columns)
            rows.setdefault(key, []).append((*key, job.job_id, *values))
    titles = dict.fromkeys(pair.table.title for pair in pairs if pair.table.title)
    return AnswerTable(
        columns=(*by, JOB, *columns),
        rows=tuple(row for each in rows.values() for row in each),
        n_keys=len(by) + 1,
        title="; ".join([f"{first.job_id} less each of the others", *titles]),
    )


def _headline(first: Job, others: Sequence[Job], pairs: Sequence[Compared]) -> str:
    """Say in a sentence how the first job differs from the others."""
    if len(others) == 1:
        (pair,) = pairs
        names = (first.job_id, others[0].job_id)
        return headline(pair.overall, pair.measure, *names, of_ranges=pair.of_ranges)
    told = [
        clause(pair.overall, pair.measure, job.job_id, of_ranges=pair.of_ranges)
        for job, pair in zip(others, pairs, strict=True)
    ]
    return f"In {first.job_id} {pairs[0].measure} is {'; '.join(told)}."


def _differing(jobs: Sequence[Job]) -> dict[str, list[Any]]:
    """Return the parameters that jobs do not share: name → the value of each job."""
    configs = [job.config.as_dict() for job in jobs]
    names = dict.fromkeys(name for config in configs for name in config)
    told = {name: [config.get(name) for config in configs] for name in names}
    return {name: values for name, values in told.items() if any(v != values[0] for v in values)}


def _shared_axes(pairs: Sequence[Compared]) -> tuple[str, ...]:
    """Return the parameters with several values by which all pairs can be grouped."""
    first, *others = ([*pair.comparing.several] for pair in pairs)
    return tuple(name for name in first if all(name in each for each in others))


def comparability(first: Job, others: Sequence[Job], pairs: Sequence[Compared]) -> str:
    """Say in a sentence whether headlines may be compared, and why.

    They may where cells and seeds are the same, and all parameters but at most one.
    """
    whats = [_apart(first, job, pair) for job, pair in zip(others, pairs, strict=True)]
    reasons = [_reasons(first, *each) for each in zip(others, pairs, whats, strict=True)]
    if len(others) == 1:
        return _of_two(pairs[0], whats[0], reasons[0])
    names = dict.fromkeys(name for what in whats for name in what)
    if any(reasons):
        return _of_several(first, others, reasons)
    if len(names) > 1:
        told = [
            f"{', '.join(what) or 'nothing'} differs in {job.job_id}"
            for job, what in zip(others, whats, strict=True)
        ]
        return f"Each headline may be compared with that of {first.job_id}: {'; '.join(told)}."
    same = _same(pairs[0])
    if not names:
        return f"The headlines may be compared: {same}, and the same parameters."
    (name,) = names
    values = [next((what[name][0] for what in whats if name in what), "")]
    values += [what[name][1] if name in what else values[0] for what in whats]
    return f"The headlines may be compared: {same}, and only {name} differs ({', '.join(values)})."


def _of_several(first: Job, others: Sequence[Job], reasons: Sequence[Sequence[str]]) -> str:
    """Say with which headlines that of the first job may be compared, and why with others not."""
    may = [job.job_id for job, why in zip(others, reasons, strict=True) if not why]
    apart = [
        f"with that of {job.job_id}: {', '.join(why)}"
        for job, why in zip(others, reasons, strict=True)
        if why
    ]
    if not may:
        return f"The headline of {first.job_id} may not be compared {'; nor '.join(apart)}."
    those = f"with {'that' if len(may) == 1 else 'those'} of {' and '.join(may)}"
    told = "; ".join([those, *(f"not {each}" for each in apart)])
    return f"The headline of {first.job_id} may be compared {told}."


def _of_two(pair: Compared, what: Mapping[str, tuple[str, str]], reasons: Sequence[str]) -> str:
    if reasons:
        return f"The headlines may not be compared: {'; '.join(reasons)}."
    if not what:
        return f"The headlines may be compared: {_same(pair)}, and the same parameters."
    ((name, values),) = what.items()
    differs = f"only {name} differs ({' against '.join(values)})"
    return f"The headlines may be compared: {_same(pair)}, and {differs}."


def _same(pair: Compared) -> str:
    n_seeds = len(pair.comparing.whole_seeds()[0])
    return f"the same {plural(pair.comparing.n_cells[0], 'cell')} and {plural(n_seeds, 'seed')}"


def _apart(job: Job, other: Job, pair: Compared) -> dict[str, tuple[str, str]]:
    """Return the parameters that make two jobs differ: name → both values, in words.

    Parameters by which cells are told apart are not among them.
    """
    found = {
        name: (key_text(one), key_text(two))
        for name, (one, two) in pair.comparing.differing.items()
    }
    configs = (job.config.as_dict(), other.config.as_dict())
    known = _settings(job) & _settings(other)
    for name in {**job.config.asked(), **other.config.asked()}:
        one, two = (config.get(name) for config in configs)
        if name in known and name not in (*pair.comparing.names, *found) and one != two:
            found[name] = (key_text(one) or "none", key_text(two) or "none")
    return found


def _settings(job: Job) -> set[str]:
    """Return the names of the parameters that a job has one value of."""
    config: SweepConfig = job.config
    named = config.fixed_fields() if isinstance(config, ParameterSweep) else fixed_values(job)
    return {*named} - {"sweep_type", *HANDLING_FIELDS, *OF_SEEDS}


def _reasons(
    job: Job, other: Job, pair: Compared, what: Mapping[str, tuple[str, str]]
) -> list[str]:
    """Return why the headlines of two jobs may not be compared."""
    reasons = []
    kinds = (job.config.sweep_type, other.config.sweep_type)
    if kinds[0] != kinds[1]:
        reasons.append(f"one is a {kinds[0]} sweep, the other a {kinds[1]} sweep")
    elif job.engine != other.engine:
        reasons.append(f"computed by different versions ({job.engine}, {other.engine})")
    one, two, shared = pair.comparing.n_cells
    if not one == two == shared:
        reasons.append(f"the cells differ ({one:,} and {two:,}, {shared:,} of them in both)")
    seeds = pair.comparing.whole_seeds()
    if not seeds[0] & seeds[1]:
        reasons.append("no whole seed is in both")
    elif seeds[0] != seeds[1]:
        counts = f"{len(seeds[0]):,} and {len(seeds[1]):,}, {len(seeds[0] & seeds[1]):,} in both"
        reasons.append(f"the whole seeds differ ({counts})")
    if len(what) > 1:
        reasons.append(f"several parameters differ ({', '.join(what)})")
    return reasons
