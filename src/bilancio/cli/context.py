"""What the commands have in common: a job's name, the manager, the options of all of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from bilancio.errors import BilancioError
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.views import Page

T = TypeVar("T")

SHOWN_ROWS = 50  # of a table, where no other number was asked for


def with_manager(
    ask: Callable[[AsyncJobManager], Awaitable[T]], *, executor: str | None = None
) -> T:
    """Open the store, ask, and close it; notices that are due there are delivered meanwhile."""

    async def asked() -> T:
        async with AsyncJobManager(executor=executor) as manager:
            answer = await ask(manager)
            await manager.hand_over_notices()
            return answer

    return asyncio.run(asked())


def known_names(incomplete: str) -> list[str]:
    """Return the names that complete what is typed; nothing where the store does not answer."""

    async def ask(manager: AsyncJobManager) -> Page:
        return await manager.list_jobs(limit=200)

    try:
        jobs = with_manager(ask).jobs
    except BilancioError:
        return []
    return [job.job_id for job in jobs if job.job_id.startswith(incomplete)]


def name_of(parts: list[str]) -> str:
    """Return a name that may have been written as several words."""
    return " ".join(parts)


def all_of(conditions: list[str] | None) -> str | None:
    """Return conditions that all have to hold as one."""
    if not conditions or len(conditions) == 1:
        return conditions[0] if conditions else None
    return " and ".join(f"({each})" for each in conditions)


JobName = Annotated[
    list[str],
    typer.Argument(
        metavar="JOB",
        help="The job's name in any spelling: with spaces, capitals, one typo a word.",
        autocompletion=known_names,
    ),
]
ExactName = Annotated[
    list[str],
    typer.Argument(metavar="JOB", help="The job's whole name.", autocompletion=known_names),
]
Where = Annotated[
    list[str] | None,
    typer.Option(metavar="CONDITION", help="Which cells, such as 'kappa < 0.5 and mu = 0'."),
]
EXECUTOR_HELP = "Where to compute: local, dask, or modal. Default: BILANCIO_EXECUTOR."
ExecutorName = Annotated[str | None, typer.Option("--executor", metavar="NAME", help=EXECUTOR_HELP)]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON object.")]
Limit = Annotated[str, typer.Option(metavar="N", help="How many, at most 1000.")]
Offset = Annotated[str, typer.Option(metavar="N", help="How many to skip.")]
