"""Measure how fast a job computes, for the estimates of later jobs."""

import statistics
from datetime import datetime

from bilancio.executors.base import Outcome
from bilancio.jobs.store.rows import Speed

CALL_S = 1e-3  # that a call of `compute` takes whatever the number of runs: much of a tiny batch
SHORT_S = 0.01  # of a batch of which that is more than a tenth
LITTLE_S = 0.5  # of computing, of which the pauses of a busy machine may be most
LOADING_S = 10.0  # that what is loaded and compiled once may take
LEAST_SHARE = 0.2  # of a batch's time that its runs take at least
GROWTH = 4  # a measurement is worth noting again when it rests on so many times as many batches


class SpeedMeter:
    """Seconds per unit of cost, and seconds of start-up, measured from the batches of one attempt.

    The speed is that of batches computed warm: their median, or their least while little was
    computed. Without any it is that of batches that took so long that what was loaded is a small
    part. The start-up is all that came before and beside the computing of the first batch: the
    start of the worker and its processes, imports, compilation.

    Where a shipped speed is better than what so little computing tells, the start-up is all that
    is measured; what a first batch loads is part of it.

    Parameters
    ----------
    cost_per_run
        Cost of a run, in the experiment's unit.
    announced
        When the start was announced by the job's event; None if that is unknown.
    shipped
        Whether a speed is known without any measurement: then of little computing, and of batches
        that also loaded, no speed is taken.
    """

    def __init__(
        self, cost_per_run: float, announced: datetime | None, *, shipped: bool = False
    ) -> None:
        self._cost_per_run = cost_per_run
        self._shipped = shipped
        self._announced = announced
        self._short: list[float] = []
        self._long: list[float] = []
        self._long_s = 0.0
        self._cold: list[float] = []
        self._first: tuple[float, float, float] | None = None
        self._due = 1

    def observe(self, outcome: Outcome, now: datetime) -> bool:
        """Take a batch into account; return whether the result is worth noting again."""
        cost = (len(outcome.indices) + len(outcome.failures)) * self._cost_per_run
        if self._first is None and self._announced is not None:
            warm_s = 0.0 if outcome.cold else outcome.compute_s
            self._first = (now - self._announced).total_seconds(), cost, warm_s
        computing_s = outcome.compute_s
        if cost <= 0 or (outcome.cold and (self._shipped or computing_s < LOADING_S)):
            return False
        if outcome.cold:
            self._cold.append(computing_s / cost)
        elif computing_s < SHORT_S:
            computing_s = max(computing_s - CALL_S, LEAST_SHARE * computing_s)
            self._short.append(computing_s / cost)
        else:
            self._long.append(computing_s / cost)
            self._long_s += computing_s
        if len(self._short) + len(self._long) + len(self._cold) < self._due:
            return False
        self._due *= GROWTH
        return True

    @property
    def speed(self) -> Speed | None:
        """What was measured; None while nothing tells."""
        speed = self._of_runs()
        if speed is None and not self._shipped:
            return None
        if self._first is None:
            return None if speed is None else Speed(speed, None)
        elapsed_s, cost, warm_s = self._first
        computing_s = warm_s if speed is None else cost * speed
        return Speed(speed, max(elapsed_s - computing_s, 0.0))

    def _of_runs(self) -> float | None:
        if self._long_s >= LITTLE_S:
            return statistics.median(self._long)
        if self._shipped:
            return None
        if warm := self._short + self._long:
            # What calls and pauses take differs, and only adds to what the runs take.
            return min(warm)
        return statistics.median(self._cold) if self._cold else None
