"""What callers see of one run: what happened in it, and in its other arms."""

from typing import Any

from pydantic import Field

from bilancio.jobs.models import Job, View
from bilancio.model.parameters import Parameters
from bilancio.model.telling import Told, ToldDay


class ToldRun(View):
    """A run as a story tells it.

    Attributes
    ----------
    status
        `completed`, `failed` or `pending`.
    error
        Why it failed; None if it did not.
    given
        Its parameters, as far as its sweep varies them.
    metrics
        What is recorded of it.
    call
        The call in Python that computes it, of a function with `@experiment`; else empty.
    as_recorded
        Whether it gave the recorded metrics when it was simulated again; None where nothing is
        recorded, or it was not simulated.
    totals
        What happened in the whole run; None where it was not simulated.
    days
        The days on which something happened, as far as they are asked for.
    n_days
        How many days it went on; 0 where it was not simulated.
    outcome, parameters, trace
        Of the simulation, the last a `Trace`; None where there was none.
    """

    run_id: str
    index: int
    arm: str | None
    seed: int | None
    status: str
    error: str | None
    given: dict[str, Any]
    metrics: dict[str, Any]
    call: str = ""
    as_recorded: bool | None = None
    totals: Told | None = None
    days: tuple[ToldDay, ...] = ()
    n_days: int = 0
    outcome: dict[str, Any] | None = Field(default=None, exclude=True, repr=False)
    parameters: Parameters | None = Field(default=None, exclude=True, repr=False)
    # A `Trace`; pydantic would look into its annotations, and for numpy.
    trace: Any = Field(default=None, exclude=True, repr=False)


class RunStory(View):
    """What happened in one run of a job.

    Attributes
    ----------
    reading
        How the job's name was read where it was not written exactly; else empty.
    headline
        Which run it is and what came of it, in sentences.
    chosen
        Why this one, where it was not named by its index or id.
    cell
        Its parameters that vary in the job.
    metrics
        The metrics that the primary measure is made of.
    runs
        The run itself, then those of the other arms under its seed. These are told day by day
        only where the pair was chosen; else only what is recorded of them.
    """

    job: Job
    reading: str = ""
    headline: str
    chosen: str
    cell: dict[str, Any]
    metrics: tuple[str, ...]
    runs: tuple[ToldRun, ...]

    def values(self, run: ToldRun) -> dict[str, Any]:
        """Return what is to be told of a run beside its days.

        Of one that was simulated nothing; of another arm beside one only the primary metrics.
        """
        if run.totals is not None:
            return {}
        if any(each.totals is not None for each in self.runs):
            return {name: run.metrics[name] for name in self.metrics if name in run.metrics}
        return {**run.given, **run.metrics}
