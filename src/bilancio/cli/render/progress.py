"""Shows the progress of a job: a bar that moves on a terminal, a few lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bar

from bilancio.cli.render.console import Output, can_move, terminal
from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.experiments.protocol import preparation_s
from bilancio.jobs.models import Job
from bilancio.jobs.progress import Progress
from bilancio.text import duration, estimate, number, runs, standstill

_FIRST_LINE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_BAR_WIDTH, _LEAST_BAR, _ROOM_FOR_WORDS = 30, 8, 58


Meter = Callable[[Progress], None]


@contextmanager
def meter(output: Output) -> Iterator[Meter]:
    """Show progress on stderr, as suits what it is connected to."""
    if can_move(sys.stderr):
        with _moving(output) as show:
            yield show
    else:
        yield _growing_pauses(output)


def counts(progress: Progress) -> str:
    """Say how many runs are recorded: 12/320 runs, 1 failed."""
    failed = progress.job.failed_runs
    failures = f", {failed:,} failed" if failed else ""
    return f"{progress.job.completed_runs:,}/{runs(progress.job.total_runs)}{failures}"


def pace(progress: Progress) -> str:
    """Say how fast it goes and how long it still takes, or took."""
    if progress.job.state == "running" and (doing := _doing(progress)):
        return doing
    parts = []
    if progress.rate is not None:
        parts.append(f"{_per_second(progress.rate)} runs/s")
    if progress.eta_s is not None:
        parts.append(f"{estimate(progress.eta_s, rough=False)} left")
    elif progress.idle_s is not None:
        parts.append(standstill(progress.idle_s))
    elif progress.job.status.ended and progress.elapsed_s is not None:
        parts.append(f"in {duration(progress.elapsed_s)}")
    return ", ".join(parts)


def _doing(progress: Progress) -> str:
    """Say what a running job does while it computes no runs; "" where it does."""
    if progress.waiting:
        return f"waiting: {progress.waiting}"
    if progress.writing:
        return "writing the results"
    if progress.done_runs or progress.job.manual:
        return ""
    if compiles(progress.job):
        return "compiling the engine"
    return "starting" if progress.idle_s is None else ""


def compiles(job: Job) -> bool:
    """Return whether the engine of a job is still to be compiled, once on this machine."""
    try:
        return preparation_s(registry.experiment(job.config.sweep_type)) > 0
    except InvalidInput:  # of a plug-in that is only installed where the job is carried out
        return False


@contextmanager
def moving_bar(output: Output) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar on stderr, a terminal, until all is done; how far it is and what is told."""
    console = terminal(sys.stderr, width=output.width)
    spinner = "dots" if console.encoding.startswith("utf") else "line"
    columns: list[ProgressColumn] = [SpinnerColumn(spinner)]
    bar_width = min(_BAR_WIDTH, output.width - _ROOM_FOR_WORDS)
    if bar_width >= _LEAST_BAR:
        columns.append(BarColumn(bar_width))
    columns.append(TextColumn("{task.description}", markup=False))
    bar = Bar(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    task = bar.add_task("starting", total=None)
    with bar:
        yield lambda done, total, told: bar.update(
            task, completed=done, total=total, description=told
        )


@contextmanager
def _moving(output: Output) -> Iterator[Meter]:
    with moving_bar(output) as move:
        yield lambda progress: move(progress.done_runs, progress.job.total_runs, _told(progress))


def _told(progress: Progress) -> str:
    return ", ".join(filter(None, [counts(progress), pace(progress)]))


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else number(round(rate, 1))  # noqa: PLR2004 - digits


def _growing_pauses(output: Output) -> Meter:
    """Show progress as lines at growing intervals, where nothing can move."""
    next_at, pause = time.monotonic() + _FIRST_LINE_S, _FIRST_LINE_S

    def show(progress: Progress) -> None:
        nonlocal next_at, pause
        ended = progress.job.state != "running"
        if ended or time.monotonic() >= next_at:
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            next_at = time.monotonic() + pause
            output.note(_told(progress))

    return show
