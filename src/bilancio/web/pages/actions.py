"""What changes a job: asked for on a page of its own, done by the form there."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bilancio.errors import BilancioError, invalid
from bilancio.jobs.launch import available_steps, few_seeds
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Job
from bilancio.printable import escaped
from bilancio.text import (
    MORE_SEEDS,
    NextStep,
    capitalised,
    computing,
    counts,
    deleting,
    plural,
    runs,
    state,
)
from bilancio.validation import parse_int, split_csv
from bilancio.web import rendering

CONFLICT = 409
MOST_FORM = 200_000  # bytes


class Action(NamedTuple):
    """One thing that can be done with a job.

    Attributes
    ----------
    label
        Of its button.
    title
        Of the page that asks.
    """

    label: str
    title: str


class Unconfirmed(Exception):
    """More seeds would take so long that whoever wants them should agree to it first."""


ACTIONS: Mapping[str, Action] = {
    "start": Action("Start", "Start this job?"),
    "resume": Action("Resume", "Compute what is missing?"),
    "extend": Action("More seeds", "Add seeds?"),
    "cancel": Action("Cancel", "Cancel this job?"),
    "edit": Action("Edit", "Edit the words about this job"),
    "delete": Action("Delete", "Delete this job for good?"),
}


def offered(job: Job) -> tuple[tuple[str, str], ...]:
    """Return what can be done with a job as it is: verb and label."""
    return tuple((verb, ACTIONS[verb].label) for verb in ACTIONS if _fits(verb, job))


def _fits(verb: str, job: Job) -> bool:
    steps = {*available_steps(job)}
    match verb:
        case "start":
            return NextStep.START in steps
        case "resume":
            return bool({NextStep.RESUME, NextStep.RETRY} & steps)
        case "extend":
            return job.status.ended and not job.manual and not job.config.adaptive
        case "cancel":
            return job.state in {"pending", "running", "stalled"}
        case "delete":
            return job.state != "running"
        case _:
            return True


async def asking(request: Request) -> Response:
    """Show what an action would do, and the form that does it."""
    return await _page(request)


async def done(request: Request) -> Response:
    """Do what the form asks for, and show the job; say why where it cannot be done."""
    if request.app.state.read_only:
        raise HTTPException(403, "This server was started with --read-only: nothing is changed.")
    verb = _verb(request)
    manager: AsyncJobManager = request.app.state.manager
    name = (await manager.exact(request.path_params["name"])).job_id
    async with request.form(max_files=0, max_fields=20, max_part_size=MOST_FORM) as form:
        # Browsers send lines that end in CR LF, whatever a text had before.
        given = {
            key: value.replace("\r\n", "\n")
            for key, value in form.items()
            if isinstance(value, str)
        }
    try:
        await _do(manager, verb, name, given)
    except Unconfirmed as question:
        agreed = {**given, "agreed": str(int(given["n_replicates"]))}
        return await _page(request, given=agreed, refused=str(question))
    except BilancioError as error:
        return await _page(request, given=given, refused=str(error))
    to = rendering.address() if verb == "delete" else rendering.address("jobs", name)
    return RedirectResponse(to, 303)


async def _page(
    request: Request, *, given: Mapping[str, str] | None = None, refused: str = ""
) -> Response:
    verb = _verb(request)
    manager: AsyncJobManager = request.app.state.manager
    job = await manager.exact(request.path_params["name"])
    return rendering.page(
        request,
        "action",
        CONFLICT if refused else 200,
        job=job,
        verb=verb,
        action=ACTIONS[verb],
        said=await _consequence(manager, verb, job),
        given=given or {},
        possible=_fits(verb, job),
        refused=refused,
        suggested=max(MORE_SEEDS, 2 * (getattr(job.config, "n_seeds", 0) or 0)),
        seeds=few_seeds(job),
    )


def _verb(request: Request) -> str:
    verb: str = request.path_params["verb"]
    if verb not in ACTIONS:
        raise HTTPException(404)
    return verb


async def _consequence(manager: AsyncJobManager, verb: str, job: Job) -> str:
    """Say what an action does, before it is done."""
    match verb:
        case "delete":
            return deleting(job)
        case "cancel":
            return f"{capitalised(counts(job))}. What is recorded stays, and it can be resumed."
        case "start" | "resume":
            if asks := await manager.question_before_start(job.job_id):
                return asks
            rest = await manager.estimate(job)
            missing = computing(f"What is missing: {runs(rest.runs)}", rest)
            return f"{capitalised(state(job))}, {counts(job)}. {missing}"
        case "extend":
            seeds = plural(getattr(job.config, "n_seeds", 0) or 0, "seed")
            return f"It has {seeds}. Only new runs are computed; those that are recorded stay."
        case _:
            return "Its results stay as they are."


async def _do(manager: AsyncJobManager, verb: str, name: str, given: Mapping[str, str]) -> Any:
    match verb:
        case "start" | "resume":
            return await manager.start_sweep(name)
        case "extend":
            number = parse_int("n_replicates", given.get("n_replicates", "").strip(), least=1)
            asks = await manager.question_before_start(name, n_replicates=number)
            if asks and given.get("agreed") != str(number):
                raise Unconfirmed(asks)
            return await manager.start_sweep(name, n_replicates=number)
        case "cancel":
            return await manager.cancel_job(name, given.get("reason", "").strip())
        case "edit":
            if changed := _changed(await manager.exact(name), given):
                return await manager.edit_job(name, **changed)
            return None
        case _:
            if given.get("confirm", "").strip() != name:
                raise invalid("confirm", given.get("confirm", ""), f"the job's whole name, {name}")
            return await manager.delete_job(name)


def _changed(job: Job, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the words that are other than they were shown.

    A form shows what would hide letters written out; what is sent back so was not changed.
    """
    shown = {"description": job.description, "notes": job.notes, "tags": ", ".join(job.tags)}
    changed: dict[str, Any] = {
        name: given[name]
        for name, text in shown.items()
        if name in given and given[name] != escaped(text)
    }
    if "tags" in changed:
        changed["tags"] = split_csv(changed["tags"])
    return changed
