"""`bilancio run KIND`: one run in detail, simulated here and now."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import Field

from bilancio.cli import options
from bilancio.cli.context import AsJson, JobName, name_of, with_manager
from bilancio.cli.parsing import CommandGroup, command, help_text, parse_int, split_csv
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.run import show_run
from bilancio.errors import OutputError, invalid
from bilancio.experiments.configs import RingSettings
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Found
from bilancio.model import (
    METRICS,
    Arm,
    BalancedParameters,
    Parameters,
    RingParameters,
    Run,
    simulate,
    warm_up,
)
from bilancio.model.trace import DESKS, ROLES, Row, Trace
from bilancio.paths import absolute_path
from bilancio.validation import nearest, validated

_PANEL = "What to show"
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
        _simulate(options.run_parameters(model, given), selection, {})

    about = (model.model_fields["kind"].description or "").rstrip(".")
    example = f"bilancio run {kind} {_EXAMPLES[kind]}"
    called = options.with_options(simulate_one, model)
    command(app, kind, f"{about}: one run, day by day.", example)(called)


_add_command("ring", RingParameters)
_add_command("balanced", RunWithDealers)


@command(
    app,
    "job",
    "Simulate one run of a job again, and check that it gives what was recorded.",
    "bilancio run job bright-ocean-swift-tiger --run 12 --agent H3",
)
def of_job(
    job: JobName,
    *,
    run: Annotated[
        str,
        typer.Option(
            metavar="N", help="Its index, from 0, or its id, as `bilancio jobs runs` shows them."
        ),
    ] = "0",
    day: Day = None,
    agent: Agent = None,
    limit: Limit = "40",
    out_dir: OutDir = None,
    as_json: AsJson = False,
) -> None:
    """Simulate one run of a job."""
    selection = _selection(day, agent, limit, out_dir, as_json=as_json)

    async def ask(manager: AsyncJobManager) -> tuple[Found, dict[str, Any]]:
        found = await manager.find_job(name_of(job))
        return found, await manager.run_of(found.job.job_id, run)

    found, row = with_manager(ask)
    Output(as_json).reading(found)
    _simulate(_parameters(found, row), selection, row)


def _parameters(found: Found, row: Mapping[str, Any]) -> Parameters:
    """Return the parameters of a run of a job."""
    config = found.job.config
    if not isinstance(config, RingSettings):
        allowed = "a job of single, ring or balanced runs"
        raise invalid("job", f"{found.job.job_id}, of type {config.sweep_type}", allowed)
    if row.get("kappa") is None:
        raise invalid("run", row["run_id"], "a run that its search has planned")
    model = config.parameter_model()
    own = {name: row[name] for name in model.model_fields if name in row}
    return validated(model, config.run_of(own))


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
        agents=tuple(split_csv(agents)),
        limit=parse_int("limit", limit, least=0),
        out_dir=None if out_dir is None else absolute_path("out_dir", out_dir),
        as_json=as_json,
    )


def _simulate(parameters: Parameters, selection: Selection, recorded: Mapping[str, Any]) -> None:
    """Simulate a run and show it."""
    _refuse_unknown_agents(parameters, selection)
    output = Output(selection.as_json)
    warm_up(output.note, traced=True)
    found = simulate(trace=True, **parameters.model_dump())
    assert found.trace is not None, "a traced run has a trace"
    days = len(found.trace.balances) - 1
    if any(day >= days for day in selection.days):
        got = ", ".join(map(str, selection.days))
        raise invalid("day", got, f"whole numbers from 0 to {days - 1}, the days of this run")
    files = _write_tables(found, selection)
    outcome = _outcome(found)
    same = _same(outcome, recorded)
    tables = _tables(found.trace, selection)
    if selection.as_json:
        about = {"parameters": parameters, "outcome": outcome, "as_recorded": same}
        emit({**about, **tables, "files": files})
        return
    show_run(output, parameters, outcome, tables, limit=selection.limit)
    if same is not None:
        output.say()
        agreement = "the same as" if same else "NOT the same as"
        output.say(f"This is {agreement} what is recorded of {recorded['run_id']}.")
    if files:
        output.say()
        output.say(f"Files in {selection.out_dir}:")
        output.say(f"  {', '.join(Path(each).name for each in files)}")


def _refuse_unknown_agents(parameters: Parameters, selection: Selection) -> None:
    n = parameters.n_agents
    desks = DESKS if isinstance(parameters, BalancedParameters) else ()
    known = {f"H{i}" for i in range(1, n + 1)} | set(desks)
    for name in selection.agents:
        if name not in known:
            allowed = ", ".join([f"H1 to H{n}", *desks])
            raise invalid("agent", name, allowed, nearest(name, known))


def _write_tables(found: Run, selection: Selection) -> list[str]:
    if selection.out_dir is None or found.trace is None:
        return []
    try:
        return [str(path) for path in found.trace.write(selection.out_dir)]
    except OSError as error:
        raise OutputError(str(selection.out_dir), error.strerror or str(error)) from error


def _outcome(found: Run) -> dict[str, Any]:
    """Return what a run found, by name; without what a plain ring has nothing of."""
    dealers = isinstance(found.parameters, BalancedParameters)
    names = [metric.name for metric in METRICS if dealers or not metric.dealers]
    return {name: getattr(found, name) for name in names}


def _same(outcome: Mapping[str, Any], recorded: Mapping[str, Any]) -> bool | None:
    """Return whether a run found what is recorded of it; None where nothing is."""
    if recorded.get("status") != "completed":
        return None
    return all(outcome[name] == recorded[name] for name in outcome if name in recorded)


def _tables(account: Trace, selection: Selection) -> dict[str, list[Row]]:
    """Return events, quotes and balances, as far as they are asked for."""
    buckets = {name.partition("_")[2] for name in selection.agents if name in DESKS}
    wanted = set(selection.agents)

    def asked(day: int) -> bool:
        return not selection.days or day in selection.days

    return {
        "events": [
            row
            for row in account.event_rows()
            if asked(row["day"]) and (not wanted or wanted & {row[role] for role in ROLES})
        ],
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
