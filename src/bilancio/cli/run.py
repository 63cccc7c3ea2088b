"""`bilancio run KIND`: one run in detail, simulated here and now."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import Field

from bilancio.cli import options
from bilancio.cli.context import AsJson, JobName, name_of, with_manager
from bilancio.cli.parsing import CommandGroup, command, help_text
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.run import show_run, show_story, show_tables
from bilancio.errors import OutputError, invalid
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.telling import RunStory
from bilancio.model import Arm, BalancedParameters, Parameters, RingParameters, simulate, warm_up
from bilancio.model.telling import agent_name, check_agents, picked
from bilancio.model.trace import DESKS, Row, Trace
from bilancio.paths import absolute_path
from bilancio.validation import parse_int, split_csv

_PANEL = "What to show"
TOLD_EVENTS = 3  # of a day, where no day or agent was picked
_EXAMPLES = {
    "ring": "--n-agents 5 --kappa 0.5 --mu 0.5 --maturity-days 3 --q-total 500",
    "balanced": "--kappa 0.5 --agent H3,dealer_short --day 1",
}

app = typer.Typer(add_completion=False, cls=CommandGroup, rich_markup_mode="rich")

Day = Annotated[
    list[str] | None,
    typer.Option(metavar="D,E,…", help="Only these days, from 0.", rich_help_panel=_PANEL),
]
Agent = Annotated[
    list[str] | None,
    typer.Option(
        metavar="A,B,…",
        help="Only what concerns these agents: H1, H2 … or vbt_short, dealer_short …",
        rich_help_panel=_PANEL,
    ),
]
Limit = Annotated[
    str,
    typer.Option(metavar="N", help="Most rows of a table; 0 shows all.", rich_help_panel=_PANEL),
]
OutDir = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        help="Write events.csv, events.jsonl, quotes.csv and balances.csv there, whole.",
        rich_help_panel=_PANEL,
    ),
]


class RunWithDealers(BalancedParameters):
    """A run in which dealers trade unless told otherwise: one looks at it to see what they do."""

    arm: Arm = Field(default=Arm.ACTIVE, description="Who may trade.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What of a run is asked for: empty filters let all pass, a limit of 0 is none."""

    days: tuple[int, ...]
    agents: tuple[str, ...]
    limit: int
    out_dir: Path | None
    as_json: bool


@app.callback(
    help=help_text(
        "Simulate one run and show what happens in it, day by day.\n\n"
        "Settlements, defaults, write-offs, rollovers, tickets sold with their prices, "
        "opening quotes and the cash of all agents. Nothing is stored.",
        "bilancio run ring --n-agents 5 --kappa 0.5 --mu 0.5",
        "bilancio run job bright-ocean-swift-tiger --run 12 --out-dir run-12",
    )
)
def run() -> None:
    """Group the kinds of runs."""


def _add_command(kind: str, model: type[RingParameters] | type[BalancedParameters]) -> None:
    """Add the command ``bilancio run KIND``."""

    def simulate_one(
        *,
        day: Day = None,
        agent: Agent = None,
        limit: Limit = "40",
        out_dir: OutDir = None,
        as_json: AsJson = False,
        **given: Any,
    ) -> None:
        selection = _selection(day, agent, limit, out_dir, as_json=as_json)
        _simulate(options.run_parameters(model, given), selection)

    about = (model.model_fields["kind"].description or "").rstrip(".")
    example = f"bilancio run {kind} {_EXAMPLES[kind]}"
    called = options.with_options(simulate_one, model)
    command(app, kind, f"{about}: one run, day by day.", example)(called)


_add_command("ring", RingParameters)
_add_command("balanced", RunWithDealers)


@command(
    app,
    "job",
    "Tell what happened in one run of a job, day by day, simulated again.",
    "bilancio run job bright-ocean-swift-tiger --run worst --day 3",
)
def of_job(
    job: JobName,
    *,
    run: Annotated[
        str,
        typer.Option(
            metavar="RUN",
            help="Index, id, failed, or worst or best: the lowest or highest effect, of which both "
            "arms are told.",
        ),
    ] = "worst",
    day: Day = None,
    agent: Agent = None,
    limit: Limit = "40",
    out_dir: OutDir = None,
    as_json: AsJson = False,
) -> None:
    """Tell one run of a job."""
    selection = _selection(day, agent, limit, out_dir, as_json=as_json)
    output = Output(as_json)
    detailed = bool(selection.days or selection.agents)

    async def ask(manager: AsyncJobManager) -> RunStory:
        return await manager.run_story(
            name_of(job),
            run,
            day=selection.days,
            agent=selection.agents,
            limit=0 if detailed else TOLD_EVENTS,
            notify=output.note,
        )

    story = with_manager(ask)
    output.reading(story)
    told = story.runs[0]
    tables = _tables(told.trace, selection) if told.trace else {}
    files = _write_tables(told.trace, selection)
    if as_json:
        about = {"parameters": told.parameters or told.given, "outcome": told.outcome}
        emit(
            {
                **_without_job(story),
                **about,
                "as_recorded": told.as_recorded,
                **tables,
                "files": files,
            }
        )
        return
    show_story(output, story)
    if detailed:
        show_tables(output, tables, limit=selection.limit)
    _show_files(output, files, selection)


def _without_job(story: RunStory) -> dict[str, Any]:
    """Return a story as JSON holds it, with the job's name instead of the job."""
    return {"job_id": story.job.job_id, **story.model_dump(mode="json", exclude={"job"})}


def _selection(
    days: list[str] | None,
    agents: list[str] | None,
    limit: str,
    out_dir: str | None,
    *,
    as_json: bool,
) -> Selection:
    return Selection(
        days=tuple(parse_int("day", each, least=0) for each in split_csv(days)),
        agents=tuple(map(agent_name, split_csv(agents))),
        limit=parse_int("limit", limit, least=0),
        out_dir=None if out_dir is None else absolute_path("out_dir", out_dir),
        as_json=as_json,
    )


def _simulate(parameters: Parameters, selection: Selection) -> None:
    """Simulate a run and show it."""
    check_agents(selection.agents, parameters)
    output = Output(selection.as_json)
    warm_up(output.note, traced=True)
    found = simulate(trace=True, **parameters.model_dump())
    assert found.trace is not None, "a traced run has a trace"
    days = len(found.trace.balances) - 1
    if any(day >= days for day in selection.days):
        got = ", ".join(map(str, selection.days))
        raise invalid("day", got, f"whole numbers from 0 to {days - 1}, the days of this run")
    files = _write_tables(found.trace, selection)
    outcome, tables = found.outcome, _tables(found.trace, selection)
    if selection.as_json:
        about = {"parameters": parameters, "outcome": outcome}
        emit({**about, **tables, "files": files})
        return
    show_run(output, parameters, outcome, tables, limit=selection.limit)
    _show_files(output, files, selection)


def _show_files(output: Output, files: Sequence[str], selection: Selection) -> None:
    if files:
        output.say()
        output.say(f"Files in {selection.out_dir}:")
        output.say(f"  {', '.join(Path(each).name for each in files)}")


def _write_tables(trace: Trace | None, selection: Selection) -> list[str]:
    if selection.out_dir is None or trace is None:
        return []
    try:
        return [str(path) for path in trace.write(selection.out_dir)]
    except OSError as error:
        raise OutputError(str(selection.out_dir), error.strerror or str(error)) from error


def _tables(account: Trace, selection: Selection) -> dict[str, list[Row]]:
    """Return events, quotes and balances, as far as they are asked for."""
    buckets = {name.partition("_")[2] for name in selection.agents if name in DESKS}
    wanted = set(selection.agents)

    def asked(day: int) -> bool:
        return not selection.days or day in selection.days

    return {
        "events": [*picked(account.event_rows(), days=selection.days, agents=selection.agents)],
        "quotes": [
            row
            for row in account.quote_rows()
            if asked(row["day"]) and (not wanted or row["bucket"] in buckets)
        ],
        "balances": [
            {name: cash for name, cash in row.items() if name in {"after_day", *wanted}}
            if wanted
            else row
            for row in account.balance_rows()
            if asked(row["after_day"])
        ],
    }
