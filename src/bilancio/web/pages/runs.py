"""The runs of a job: which ones, in which order, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bilancio.errors import InvalidInput
from bilancio.frames.markup import Column, Shown
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Job
from bilancio.jobs.views import RUNS, Results
from bilancio.text import key_text, number
from bilancio.text import listed as said_of
from bilancio.validation import parse_int
from bilancio.web import rendering
from bilancio.web.pages.job import as_it_is, shown_of

PAGE = 50
RUN, RUN_ID, ARM, SEED, STATUS, ERROR = "run", "run_id", "arm", "seed", "status", "error"
UNTOLD = {"job_id", RUN_ID, "index", "cell", "design", ARM, SEED, STATUS}
SHOWN_METRICS = 3  # where none can be chosen
EVERY = "every"
STATUSES = {
    "": "with results",
    "failed": "failed",
    "pending": "without results so far",
    EVERY: "all, as the sweep has them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for.

    Attributes
    ----------
    arm
        Empty for pairs where there are such; `EVERY`, or one arm, for single runs.
    status
        One of `STATUSES`. Conditions, orders and measures are of runs with results.
    """

    where: str = ""
    order: str = ""
    measures: tuple[str, ...] = ()
    arm: str = ""
    status: str = ""
    offset: int = 0

    @property
    def chooses(self) -> bool:
        """Whether it asks for more than a page."""
        return bool(self.where or self.order or self.measures or self.arm)

    def address(self, job: Job, **other: Any) -> str:
        """Return the address of what is asked for, but for something."""
        wanted = replace(self, **other)
        return rendering.address(
            "jobs",
            job.job_id,
            "runs",
            where=wanted.where,
            order=wanted.order,
            measures=wanted.measures,
            arm=wanted.arm,
            status=wanted.status,
            of="" if not (wanted.measures or wanted.order) else _rows(job, wanted.arm),
            offset=wanted.offset or "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of runs.

    Attributes
    ----------
    links
        Of the rows: the addresses of their own pages; empty where they have none.
    ordered
        Whether an order can be asked for.
    known
        Measures that can be asked for.
    said
        What is to be known of the list.
    """

    noun: str
    columns: Sequence[Column]
    links: Sequence[str]
    total: int
    ordered: bool = False
    known: tuple[str, ...] = ()
    said: str = ""


async def listed(request: Request) -> Response:
    """Show a page of a job's runs."""
    manager: AsyncJobManager = request.app.state.manager
    progress = await manager.progress(request.path_params["name"])
    job, refused, found = progress.job, "", None
    asked = _asked(request, job)
    try:
        found = await _found(request, job, asked)
    except InvalidInput as error:
        refused = str(error)
    return rendering.page(
        request,
        "runs",
        400 if refused else 200,
        **shown_of(request, progress, "Runs"),
        example=rendering.condition(getattr(job.config, "varied", ()), "seed = 42"),
        asked=asked,
        found=found,
        refused=refused,
        rows=_rows(job, asked.arm),
        arms=job.config.arms if len(job.config.arms) > 1 else (),
        statuses=STATUSES,
        counted="" if found is None else _counted(asked, found),
        heads=[] if found is None else _heads(job, asked, found),
        pages=[] if found is None else _pages(job, asked, found.total),
        every=EVERY,
    )


def _asked(request: Request, job: Job) -> Asked:
    given = request.query_params
    arm = given.get("arm", "").strip()
    # Pairs and single runs have other measures: those of a form that showed the other are dropped.
    same = given.get("of", "") in {"", _rows(job, arm)}
    return Asked(
        where=given.get("where", "").strip(),
        order=given.get("order", "").strip() if same else "",
        measures=tuple(each for each in given.getlist("measures") if each.strip() and same),
        arm=arm if len(job.config.arms) > 1 else "",
        status=given.get("status", "") if given.get("status") in STATUSES else "",
        offset=parse_int("offset", given.get("offset") or "0", least=0),
    )


def _rows(job: Job, arm: str) -> str:
    """Return what the rows are of, as far as the form decides it."""
    return "pairs" if len(job.config.arms) > 1 and not arm else "runs"


async def _found(request: Request, job: Job, asked: Asked) -> Found:
    """Return runs with results as they are asked for, others as the sweep has them."""
    if asked.status:
        said = ""
        if asked.chooses:
            said = "Conditions, orders and measures are of runs with results: all are listed."
        return await _in_order(request, job, asked, said)
    results = await _results(request, job, asked)
    table = results.table
    if results.of != RUNS or table is None:
        return await _in_order(request, job, replace(asked, status=EVERY), results.headline)
    no_pages = RUN not in table.columns and not job.manual
    if not asked.chooses and (no_pages or not table.total_rows):
        said = (
            "" if no_pages else "Runs of a search are listed in the order in which it plans them."
        )
        return await _in_order(request, job, replace(asked, status="completed"), said)
    columns = Shown(table.columns, table.rows, table.n_keys).columns
    at = table.columns.index(RUN) if RUN in table.columns else None
    return Found(
        noun="run" if ARM in table.columns or len(job.config.arms) == 1 or job.manual else "pair",
        columns=columns,
        links=["" if at is None else _link(job, row[at]) for row in table.rows],
        total=table.total_rows,
        ordered=True,
        known=results.known,
        said=_read(results),
    )


async def _results(request: Request, job: Job, asked: Asked) -> Results:
    """Return what is asked for, read once for all who ask for it."""
    manager: AsyncJobManager = request.app.state.manager

    async def read() -> Results:
        async with request.app.state.listing:  # each holds columns of all runs
            return await manager.results(
                job.job_id,
                of=RUNS,
                where=_condition(job, asked),
                order_by=asked.order,
                measures=asked.measures,
                limit=PAGE,
                offset=asked.offset,
            )

    found: Results = await request.app.state.kept.get(("runs", *as_it_is(job), asked), read)
    return found


def _condition(job: Job, asked: Asked) -> str:
    """Return the condition, and that on the arm, which makes the rows single runs."""
    if not asked.arm:
        return asked.where
    arms = job.config.arms if asked.arm == EVERY else (asked.arm,)
    quoted = ", ".join(f'"{each}"' for each in arms)
    of_arm = f"arm in ({quoted})"
    return f"({asked.where}) and {of_arm}" if asked.where else of_arm


def _read(results: Results) -> str:
    """Say how words were read."""
    read = ", ".join(f"{word} as {name}" for word, name in results.read.items())
    return read and f"Read {read}."


async def _in_order(request: Request, job: Job, asked: Asked, said: str) -> Found:
    """Return runs as the sweep has them."""
    manager: AsyncJobManager = request.app.state.manager
    status = None if asked.status == EVERY else asked.status
    found = await manager.runs(job.job_id, status=status, limit=PAGE, offset=asked.offset)
    names = [RUN_ID if job.manual else RUN, *_varied(job, found)]
    names += [ARM] if len(job.config.arms) > 1 and not job.manual else []
    names += [] if job.manual else [SEED]
    names += [STATUS] if status is None else []
    names += [*_metrics(found)[:SHOWN_METRICS], ERROR]
    columns = [_column(name, found) for name in names]
    return Found(
        noun="run",
        columns=[each for each in columns if any(each.cells) or each.name in names[:1]],
        links=["" if job.manual else _link(job, row["index"]) for row in found],
        total=found.total,
        said=said,
    )


def _varied(job: Job, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the parameters of runs that vary; all where the sweep does not say what it varies."""
    names = dict.fromkeys(name for row in rows for name in _before(list(row)))
    varied = getattr(job.config, "varied", None)
    return [name for name in names if varied is None or name in varied]


def _before(names: Sequence[str]) -> list[str]:
    return [name for name in names[: names.index(STATUS)] if name not in UNTOLD]


def _metrics(rows: Sequence[dict[str, Any]]) -> list[str]:
    names = (name for row in rows for name in list(row)[list(row).index(STATUS) + 1 :])
    return [name for name in dict.fromkeys(names) if name not in UNTOLD | {ERROR}]


def _column(name: str, rows: Sequence[dict[str, Any]]) -> Column:
    values = [row["index"] if name == RUN else row.get(name) for row in rows]
    write = number if name in _metrics(rows) else key_text
    numeric = not any(isinstance(value, str | bool) for value in values)
    return Column(name, tuple(write(value) for value in values), numeric)


def _link(job: Job, index: int) -> str:
    return rendering.address("jobs", job.job_id, "runs", index)


def _counted(asked: Asked, found: Found) -> str:
    shown = len(found.links)
    return said_of(found.noun, offset=asked.offset, shown=shown, total=found.total)


def _heads(job: Job, asked: Asked, found: Found) -> list[tuple[Column, str, str]]:
    """Return columns, each with the address of its order and how it is ordered."""
    heads = []
    for column in found.columns:
        down = f"-{column.name}"
        sort = {column.name: "ascending", down: "descending"}.get(asked.order, "")
        wanted = down if sort == "ascending" else column.name
        to = asked.address(job, order=wanted, offset=0) if found.ordered else ""
        heads.append((column, "" if column.name == RUN else to, sort))
    return heads


def _pages(job: Job, asked: Asked, total: int) -> list[tuple[str, str, str]]:
    """Return where one can leaf to: address, relation, words."""
    last = max(total - 1, 0) // PAGE * PAGE
    here = min(asked.offset, last + PAGE)
    leaves = []
    if here:
        leaves.append((0, "", "First"))
        leaves.append((max(here - PAGE, 0), "prev", "Previous"))
    if here < last:
        leaves.append((here + PAGE, "next", "Next"))
        leaves.append((last, "", "Last"))
    return [
        (asked.address(job, offset=offset), relation, word) for offset, relation, word in leaves
    ]
