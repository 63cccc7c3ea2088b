"""Shows the progress of a job: a line that moves on a terminal, a few lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bilancio.cli.render.console import Output, Span, can_move
from bilancio.cli.render.layout import fitted
from bilancio.jobs.models import Progress
from bilancio.text import duration, estimate, number, runs, standstill

_FIRST_LINE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_BAR_WIDTH, _LEAST_BAR, _ROOM_FOR_WORDS = 30, 8, 55


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
    """Say how many runs are done: 12/320 runs, 1 failed."""
    failed = progress.job.failed_runs
    failures = f", {failed:,} failed" if failed else ""
    return f"{progress.done_runs:,}/{runs(progress.job.total_runs)}{failures}"


def pace(progress: Progress) -> str:
    """Say how fast it goes and how long it still takes, or took."""
    if progress.job.state == "running" and progress.done_runs >= progress.job.total_runs:
        return "writing the results"
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


@contextmanager
def _moving(output: Output) -> Iterator[Meter]:
    """Show progress in a line that is written over, and cleared at the end."""
    width = max(output.width - 1, 0)
    bar_width = min(_BAR_WIDTH, width - _ROOM_FOR_WORDS)

    def show(progress: Progress) -> None:
        told = ", ".join(filter(None, [counts(progress), pace(progress)]))
        if bar_width >= _LEAST_BAR:
            bar = Span(_bar(progress, bar_width), "running")
            output.rewrite([bar, Span(f"  {fitted(told, width - bar_width - 2)}")])
        else:
            output.rewrite([Span(fitted(told, width))])

    try:
        yield show
    finally:
        output.rewrite([])


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else number(round(rate, 1))  # noqa: PLR2004 - digits


def _bar(progress: Progress, width: int) -> str:
    done = width * progress.done_runs // max(progress.job.total_runs, 1)
    return f"{'━' * done}{'╌' * (width - done)}"


def _growing_pauses(output: Output) -> Meter:
    """Show progress as lines at growing intervals, where nothing can move."""
    next_at, pause = time.monotonic() + _FIRST_LINE_S, _FIRST_LINE_S

    def show(progress: Progress) -> None:
        nonlocal next_at, pause
        ended = progress.job.state != "running"
        if ended or time.monotonic() >= next_at:
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            next_at = time.monotonic() + pause
            output.note(", ".join(filter(None, [counts(progress), pace(progress)])))

    return show
