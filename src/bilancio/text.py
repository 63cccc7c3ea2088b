"""Numbers, times, sweeps, the states of jobs and what to do next, in words that a person reads.

The only home of sentences about jobs. It knows no job system: what it is told of a job is a
`JobFacts`, plain values otherwise. Next steps are data, because each interface says them with its
own commands or tools.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bilancio.printable import escaped, shortened

UNTIMED = (
    "How long this experiment's runs take is not known yet; it will be once the first have "
    "finished."
)

WRITING = "No run is left to compute; the results are being written."

_CENT = 0.01
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
MAX_ERROR = 2000

SHOWN_NEWS = 5  # jobs
SHOWN_VALUES = 8  # what one takes in at a glance
FEW_SEEDS, MORE_SEEDS = 5, 10  # an interval over fewer than the first is wide


class EstimateFacts(Protocol):
    """What sentences about an estimate need to know; `bilancio.jobs.models.Estimate` fits."""

    @property
    def seconds(self) -> float | None:
        """How long it will take; None where that is unknown."""

    @property
    def workers(self) -> int:
        """How many compute."""

    @property
    def rough(self) -> bool:
        """Whether the time is a figure that was not measured on this machine."""

    @property
    def elsewhere(self) -> bool:
        """Whether other cores compute than those that it is for."""

    @property
    def dollars(self) -> float | None:
        """What it costs; None where nobody asks for money, or the time is unknown."""

    @property
    def prices_of(self) -> str:
        """The day of the prices; empty where nobody asks for money."""


class JobFacts(Protocol):
    """What sentences about a job need to know of it; `bilancio.jobs.Job` fits."""

    @property
    def job_id(self) -> str:
        """Its name."""

    @property
    def state(self) -> str:
        """Its status, or `stalled`."""

    @property
    def manual(self) -> bool:
        """Whether its runs are recorded by whoever started it, and no worker computes."""

    @property
    def completed_runs(self) -> int:
        """Runs with results."""

    @property
    def failed_runs(self) -> int:
        """Runs that failed, and were not computed since."""

    @property
    def total_runs(self) -> int:
        """All runs."""

    @property
    def total_is_bound(self) -> bool:
        """Whether `total_runs` is only the most that there may be."""

    @property
    def unread(self) -> bool:
        """Whether all that is known of its runs are the counts of its manifest."""

    @property
    def error(self) -> str | None:
        """Why it failed."""


def error_text(error: BaseException) -> str:
    """Return an exception's type and message, fit to be stored and printed.

    It is cut at `MAX_ERROR` characters, with what a terminal would obey written out.
    """
    try:
        message = str(error)[:MAX_ERROR]
    except BaseException as second:  # noqa: BLE001 - so may the exception that it raises
        message = f"(its message cannot be read: {type(second).__name__})"
    kind = type(error).__name__
    return escaped(f"{kind}: {message}" if message else kind)[:MAX_ERROR]


def number(value: object) -> str:
    """Write a value of a table: four significant digits, none invented, empty for none."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return ""
    if value == int(value) and abs(value) < 1e15:  # noqa: PLR2004 - doubles count so far
        return f"{int(value):,}"
    size = abs(value)
    if size >= 1000:  # noqa: PLR2004 - decimals say nothing beside thousands
        return f"{value:,.1f}"
    if size >= 1:
        return f"{value:#.4g}"
    return f"{value:.4f}" if size >= 1e-4 else f"{value:.4g}"  # noqa: PLR2004 - as above


def key_text(value: object) -> str:
    """Write a parameter's value as it was given, not rounded: different values stay different."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).removesuffix(".0")


def duration(seconds: float) -> str:
    """Write a time span: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if seconds < 10:  # noqa: PLR2004 - tenths matter below
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    for size, unit, smaller, below in (
        (_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s"),
    ):  # fmt: skip
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {below}" if rest else "")
    raise AssertionError  # the last unit is a minute


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago something was, in one unit."""
    seconds = (now - moment).total_seconds()
    if seconds < 10:  # noqa: PLR2004 - too short to count
        return "just now"
    for size, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
        if seconds >= size:
            return f"{plural(int(seconds // size), unit)} ago"
    raise AssertionError  # the last unit is a second


def when(moment: datetime, now: datetime) -> str:
    """Write a moment in local time, and how long ago it was."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S} ({ago(moment, now)})"


def plural(number: int, noun: str) -> str:
    """Count things: 1 run, 2,000 runs."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def either(words: Sequence[str]) -> str:
    """Offer a choice: lhs, sobol or points."""
    return " or ".join(", ".join(words).rsplit(", ", 1))


def having(names: Sequence[str]) -> str:
    """Offer those that have what is not here: ring or balanced, which have it."""
    return f"{either(names)}, which {'has' if len(names) == 1 else 'have'} it"


def runs(number: int) -> str:
    """Count runs: 1 run, 1,000 runs."""
    return plural(number, "run")


def values(given: object) -> str:
    """Write the value of a parameter on one line; a long list by its ends."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, Sequence) and not isinstance(given, str):
        if len(given) > SHOWN_VALUES:
            first = ", ".join(values(each) for each in given[:3])
            return f"{first} … {values(given[-1])} ({len(given):,} values)"
        return ", ".join(values(each) for each in given)
    if isinstance(given, Mapping):
        return " ".join(
            f"{name} {values(value)}" for name, value in given.items() if value is not None
        )
    return str(given)


def sweep(config: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Say in a line what a sweep varies and sets: what is not at its default."""
    told = {
        name: value
        for name, value in config.items()
        if name not in {"sweep_type", "cloud"}
        and value is not None
        and (value != defaults.get(name) or name == "n_agents")
    }
    if isinstance(axes := told.pop("vary", None), Mapping):
        told |= {f"vary {name}": value for name, value in axes.items() if value is not None}
    return "; ".join(f"{name} {values(value)}" for name, value in told.items())


def estimate(
    seconds: float, *, rough: bool, workers: int | None = None, elsewhere: bool = False
) -> str:
    """Say how long something will take: about 4 min on 2 cores; roughly, where it was not measured.

    Parameters
    ----------
    rough
        Whether nothing of the kind has been measured on this machine.
    workers
        The cores it has there, to be said, too.
    elsewhere
        Whether it will compute on other cores than these, which are said to be this machine's.
    """
    cores = "" if workers is None else f" {_cores(workers, elsewhere=elsewhere)}"
    if seconds < 1:
        return f"{'probably ' if rough else ''}less than 1 s{cores}"
    return f"{'roughly' if rough else 'about'} {duration(seconds)}{cores}"


def computing(what: str, expected: EstimateFacts) -> str:
    """Say in sentences what is computed, what that will take, where, and for how much."""
    seconds, rough, workers = expected.seconds, expected.rough, expected.workers
    on_modal, elsewhere = bool(expected.prices_of), expected.elsewhere
    containers = f"{plural(workers, 'container')} of Modal"
    if seconds is None:
        priced = f"in up to {containers}, at a cost that is not known yet"
        where = priced if on_modal else _cores(workers, elsewhere=elsewhere)
        return f"{what}, {where}. {UNTIMED}"
    if not on_modal or expected.dollars is None:
        return f"{what}, {estimate(seconds, rough=rough, workers=workers, elsewhere=elsewhere)}."
    about = "" if expected.dollars < _CENT else "about "
    cost = f"{about}{money(expected.dollars)} at the prices of {expected.prices_of}"
    return f"{what}, {estimate(seconds, rough=rough)} in {containers}, {cost}."


def _cores(workers: int, *, elsewhere: bool) -> str:
    whose = "this machine's " if elsewhere else ""
    return f"on {whose}{plural(workers, 'core')}"


def money(dollars: float) -> str:
    """Write an amount: $0.41, less than $0.01."""
    return "less than $0.01" if dollars < _CENT else f"${dollars:,.2f}"


def total(job: JobFacts) -> str:
    """Say how many runs a job has: 12 runs; at most 12 runs."""
    return f"{'at most ' if job.total_is_bound else ''}{runs(job.total_runs)}"


def counts(job: JobFacts) -> str:
    """Say how many of a job's runs are recorded: 3 of 12 runs, 1 failed."""
    failed = f", {job.failed_runs:,} failed" if job.failed_runs else ""
    return f"{recorded(job)}{failed}{', by its manifest' if job.unread else ''}"


def counts_beside_error(job: JobFacts) -> str:
    """Say `counts` where the job's error stands beside them, which may say how many runs failed."""
    said = (job.error or "").startswith(f"{job.failed_runs} of ")
    return recorded(job) if said else counts(job)


def recorded(job: JobFacts) -> str:
    """Count the runs with results."""
    if recorded_beyond(job):
        return runs(job.completed_runs)
    return f"{job.completed_runs:,} of {total(job)}"


def recorded_beyond(job: JobFacts) -> bool:
    """Return whether more runs are recorded than the sweep has, as can be done manually."""
    return job.manual and job.completed_runs > job.total_runs


def state(job: JobFacts) -> str:
    """Say the state of a job where its word alone would mislead."""
    match job.state:
        case "stalled":
            return "stalled: its worker is gone"
        case "running" if job.manual:
            return "running, started manually: its runs are recorded by whoever started it"
        case word:
            return word


def standing(job: JobFacts) -> str:
    """Say in sentences how far a job is, after what it has found: Completed, 12 of 12 runs."""
    done = recorded(job)
    match job.state:
        case "completed":
            return f"Completed, {done}."
        case "failed":
            return f"Failed, {done}: {_sentence(job.error or 'no reason was recorded')}"
        case "pending":
            return "Not started."
        case "stalled" if job.error:
            return f"Stalled, {done} so far: {_sentence(job.error)}"
        case word:
            return f"{word.capitalize()}, {done} so far."


def _sentence(error: str) -> str:
    """Return an error with a full stop, where something may follow it."""
    return error if error.endswith((".", "!", "?", "…")) else f"{error}."


def created(job: JobFacts, expected: EstimateFacts) -> str:
    """Say which job was made and what it will take."""
    made, nothing = f"Created {job.job_id}: {total(job)}", "Nothing has been started."
    if expected.seconds is None or expected.prices_of:
        return f"{computing(made, expected)} {nothing}"
    known = " (not measured here yet)" if expected.rough else ""
    time = f"{estimate(expected.seconds, rough=expected.rough)} on this machine"
    return f"{made}, {time}{known}. {nothing}"


def planned(
    number: int, cells: int | None, seeds: int | None, arms: Sequence[str], *, most: bool
) -> str:
    """Say what runs a sweep would have: 80 runs: 8 cells × 5 seeds × 2 arms.

    Parameters
    ----------
    number
        Of all runs.
    cells, seeds
        None where runs are counted otherwise; no cells where all are found by searches.
    most
        Whether results decide how many there are.
    """
    total = f"{'At most ' if most else ''}{runs(number)}"
    if not cells or seeds is None:
        return total
    parts = [plural(cells, "cell"), plural(seeds, "seed")]
    parts += [plural(len(arms), "arm")] if len(arms) > 1 else []
    return f"{total}: {' × '.join(parts)}"


def started(job: JobFacts, action: str) -> str:
    """Say what a start did.

    Parameters
    ----------
    action
        `started`, `resumed`, `extended`, `recovered` or `already running`.
    """
    match action:
        case "already running":
            did = "is already running; nothing was started"
        case "resumed":
            did = "has resumed in the background, with the runs that are missing"
        case "extended":
            did = "has more seeds now; what is missing is computed in the background"
        case "recovered":
            did = "was taken over from a worker that is gone, and runs in the background"
        case _:
            did = "has started in the background"
    return f"{job.job_id} {did}. {capitalised(counts(job))}."


def cancelled(job: JobFacts) -> str:
    """Say that a job is cancelled, and what stays."""
    return f"{job.job_id} is cancelled, {counts(job)}. What is recorded stays."


def edited(job: JobFacts) -> str:
    """Say that the words about a job are those asked for."""
    return f"{job.job_id} is edited. Its results are as they were."


def deleting(job: JobFacts) -> str:
    """Say what deleting a job would lose."""
    return f"Deleting {job.job_id} ({state(job)}, {counts(job)}) removes it for good, with files."


def deleted(job_id: str, removed: Sequence[str], left: Sequence[str], folder: str) -> str:
    """Say that a job is no more, and which files of others are left where its files were."""
    files = f", with {plural(len(removed), 'file')}" if removed else ""
    others = f" Left in {folder}: {values(list(left))}." if left else ""
    return f"Job {job_id} is deleted{files}.{others}"


def first_runs_only(tabled: int, completed: int) -> str:
    """Say that tables do not hold all runs."""
    return (
        f"The tables hold the first {tabled:,} of {completed:,} runs; exporting the job writes all."
    )


def standstill(idle_s: float) -> str:
    """Say that nothing has come of a running job lately."""
    return f"no run has finished for {duration(idle_s)}"


def aside(details: Mapping[str, Any]) -> str:
    """Say what an event of progress tells that is of no batch: writing the results; else ""."""
    if details.get("writing"):
        return "writing the results"
    if "waiting" in details:
        return f"waiting: {details['waiting']}" if details["waiting"] else "no longer waiting"
    return ""


def progress(
    job: JobFacts,
    eta_s: float | None = None,
    idle_s: float | None = None,
    waiting: str = "",
    *,
    writing: bool = False,
) -> str:
    """Say how far a job is.

    Parameters
    ----------
    eta_s
        Seconds left, if that is known.
    idle_s
        Seconds in which no run has finished, if that is long.
    waiting
        Why nothing computes at the moment; else empty.
    writing
        Whether no run is left to compute, and the results are being written.
    """
    waits = f" It waits: {waiting}." if waiting else f" {WRITING}" if writing else ""
    idle = "" if idle_s is None else f" {capitalised(standstill(idle_s))}."
    left = f" {capitalised(estimate(eta_s, rough=False))} left." if eta_s else ""
    failed = f" {_sentence(shortened(job.error))}" if job.error else ""
    return f"{job.job_id} is {state(job)}. {counts_beside_error(job)}.{waits}{idle}{left}{failed}"


def read_as(reading: str, job_id: str) -> str:
    """Say how a name was read, before the sentence that answers; nothing if it was exact."""
    return f"Taken to mean {job_id} ({reading}). " if reading else ""


def several_read_as(reading: str) -> str:
    """Say how several names were read, each with its job; nothing if all were exact."""
    return f"Names taken to mean {reading}. " if reading else ""


def words_read(read: Mapping[str, str]) -> str:
    """Say as what words were read, before the sentence that answers; nothing if none was."""
    if not read:
        return ""
    told = (f"{shortened(escaped(word), 40)} as {name}" for word, name in read.items())
    return f"Read {', '.join(told)}. "


def listed(noun: str, *, offset: int, shown: int, total: int) -> str:
    """Say which part of a list is shown: 132 jobs; these are 21 to 40."""
    if shown == total:
        return f"{plural(total, noun)}."
    if not shown:
        return f"{plural(total, noun)}; none after the first{f' {offset:,}' if offset > 1 else ''}."
    here = f"this is number {offset + 1:,}"
    if shown > 1:
        here = f"these are {offset + 1:,} to {offset + shown:,}"
    return f"{plural(total, noun)}; {here}."


def filters(read: Mapping[str, str]) -> str:
    """Say how each filter of a list was read: since 2026-11-16, min_runs 1,000."""
    return ", ".join(f"{name} {shortened(escaped(value))}" for name, value in read.items())


def news(ended: Mapping[str, str]) -> str:
    """Say in a line which jobs have ended, given their states by name; of many the latest."""
    latest = [*ended.items()][-SHOWN_NEWS:][::-1]
    more = len(ended) - len(latest)
    told = ", ".join(f"{name} {state}" for name, state in latest)
    others = f" and {plural(more, 'other')}" if more else ""
    return f"Jobs that ended since the last session: {told}{others}."


def without(counts: Mapping[str, int]) -> str:
    """Say how many jobs there would be without each filter; nothing where there were none."""
    found = [f"without {name}: {number:,}" for name, number in counts.items() if number]
    if found:
        return f"Loosen a filter. Jobs that match {', '.join(found)}."
    return "No filter alone makes the difference: loosen several." if len(counts) > 1 else ""


def capitalised(sentence: str) -> str:
    """Return *sentence* with its first letter in upper case and the others as they are."""
    return sentence[:1].upper() + sentence[1:]


def verdicts(counts: Mapping[str, int]) -> str:
    """Say how many rows of a table have each verdict."""
    rows = plural(sum(counts.values()), "row")
    return f"Of {rows}: " + ", ".join(f"{word} in {n:,}" for word, n in counts.items()) + "."


class NextStep(StrEnum):
    """What one would do next with a job; each interface says it by a command or tool of its own.

    EXTEND adds seeds to a job that has few. RESUME computes what is missing; RETRY does the same
    where all that is missing are runs that failed, which will fail again unless the cause is gone.
    INSPECT looks at a run that failed and would fail again. CREATE is a new job with the same
    configuration.
    """

    START = "start"
    WATCH = "watch"
    RESULTS = "results"
    RESUME = "resume"
    RETRY = "retry"
    CREATE = "create"
    EXTEND = "extend"
    INSPECT = "inspect"


def next_steps(
    job: JobFacts,
    *,
    resumable: bool = True,
    few_seeds: bool = False,
    failing_again: bool = False,
) -> tuple[NextStep, ...]:
    """Return what one would do next with a job, the most likely first; none would be refused.

    Parameters
    ----------
    resumable
        Whether what is missing can be computed here and now: not where the recorded runs come from
        another version of the model. Manually started jobs never can.
    few_seeds
        Whether it has completed with few seeds, and can be extended here and now.
    failing_again
        Whether the runs that failed would fail again.
    """
    results = (NextStep.RESULTS,) if job.completed_runs or job.failed_runs else ()
    match job.state:
        case "pending":
            return (NextStep.START,)
        case "running":
            return (NextStep.WATCH, *results)
        case "completed":
            return (NextStep.RESULTS, *((NextStep.EXTEND,) if few_seeds else ()))
        case _ if job.manual or not resumable:
            return (*results, NextStep.CREATE)
        case _ if _only_failures_left(job):
            return (*results, NextStep.INSPECT if failing_again else NextStep.RETRY)
        case _:
            return (NextStep.RESUME, *results)


def _only_failures_left(job: JobFacts) -> bool:
    return job.failed_runs > 0 and job.completed_runs + job.failed_runs >= job.total_runs
