"""`bilancio run KIND`: one run in detail, simulated here and now."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bilancio.cli import options
from bilancio.cli.context import AsJson, JobName
from bilancio.cli.parsing import CommandGroup, listed, whole
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.run import show_run
from bilancio.errors import OutputError, invalid
from bilancio.experiments.configs import RingSettings
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Found
from bilancio.model import BalancedParameters, Parameters, RingParameters, Run, simulate, warm_up
from bilancio.model.trace import DESKS, Row, Trace
from bilancio.validation import nearest, validated

_VIEW = "What to show"
_EXAMPLES = {
    "ring": "--n-agents 5 --kappa 0.5 --mu 0.5 --maturity-days 3 --q-total 500",
    "balanced": "--arm active --kappa 0.5 --agent H3,dealer_short --day 1",
}

app = typer.Typer(add_completion=False, cls=CommandGroup, rich_markup_mode="rich")

Day = Annotated[
    str,
    typer.Option(metavar="D,E,…", help="These days only, from 0.", rich_help_panel=_VIEW),
]
Agent = Annotated[
    str,
    typer.Option(
        metavar="A,B,…",
        help="What concerns these agents only: H1, H2 … or vbt_short, dealer_short …",
        rich_help_panel=_VIEW,
    ),
]
Limit = Annotated[
    str,
    typer.Option(metavar="N", help="Most rows of a table; 0 shows all.", rich_help_panel=_VIEW),
]
OutDir = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Write events.csv, events.jsonl, quotes.csv and balances.csv there, whole.",
        rich_help_panel=_VIEW,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of a run is asked for: empty filters let all pass, a limit of 0 is none."""

    days: tuple[int, ...]
    agents: tuple[str, ...]
    limit: int
    out_dir: Path | None
    as_json: bool


@app.callback()
def run() -> None:
    """Simulate one run and show what happens in it, day by day.

    Settlements, defaults, write-offs, rollovers, tickets sold with their prices,
    opening quotes and everybody's cash. Nothing is stored.

    Example:

      $ bilancio run ring --n-agents 5 --kappa 0.5 --mu 0.5
      $ bilancio run job bright-ocean-swift-tiger --run 12 --out-dir run-12
    """


def _command(kind: str, model: type[RingParameters] | type[BalancedParameters]) -> None:
    """Add the command ``bilancio run KIND``."""

    def command(
        *,
        day: Day = "",
        agent: Agent = "",
        limit: Limit = "40",
        out_dir: OutDir = None,
        as_json: AsJson = False,
        **given: Any,
    ) -> None:
        view = _view(day, agent, limit, out_dir, as_json=as_json)
        _tell(options.run_parameters(model, given), view, {})

    called: Callable[..., None] = options.with_options(command, model)
    called.__doc__ = (
        f"{(model.model_fields['kind'].description or '').rstrip('.')}: one run, day by day.\n\n"
        f"Example:\n\n  $ bilancio run {kind} {_EXAMPLES[kind]}"
    )
    app.command(kind)(called)


_command("ring", RingParameters)
_command("balanced", BalancedParameters)


@app.command("job")
def of_job(
    job: JobName,
    *,
    run: Annotated[
        str,
        typer.Option(metavar="N", help="Its index, from 0, or its id, as `jobs runs` shows them."),
    ] = "0",
    day: Day = "",
    agent: Agent = "",
    limit: Limit = "40",
    out_dir: OutDir = None,
    as_json: AsJson = False,
) -> None:
    """Simulate one run of a job again, and see that it finds what was recorded.

    Example:

      $ bilancio run job bright-ocean-swift-tiger --run 12 --agent H3
    """
    view = _view(day, agent, limit, out_dir, as_json=as_json)

    async def ask() -> tuple[Found, dict[str, Any]]:
        async with AsyncJobManager() as manager:
            found = await manager.find_job(" ".join(job))
            return found, await manager.run_of(found.job.job_id, run)

    found, row = asyncio.run(ask())
    Output(as_json).reading(found)
    _tell(_parameters(found, row), view, row)


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
    return validated(model, config.run_settings() | own)


def _view(day: str, agent: str, limit: str, out_dir: Path | None, *, as_json: bool) -> View:
    days = tuple(whole("day", each) for each in listed(day))
    if any(each < 0 for each in days):
        raise invalid("day", day, "whole numbers from 0")
    if whole("limit", limit) < 0:
        raise invalid("limit", limit, "whole numbers from 0")
    return View(
        days=days,
        agents=tuple(listed(agent)),
        limit=whole("limit", limit),
        out_dir=out_dir,
        as_json=as_json,
    )


def _tell(parameters: Parameters, view: View, recorded: Mapping[str, Any]) -> None:
    """Simulate a run and show it."""
    _refuse_unknown_agents(parameters, view)
    output = Output(view.as_json)
    warm_up(output.note, traced=True)
    found = simulate(trace=True, **parameters.model_dump())
    assert found.trace is not None, "a traced run has a trace"
    days = len(found.trace.balances) - 1
    if any(day >= days for day in view.days):
        got = ", ".join(map(str, view.days))
        raise invalid("day", got, f"whole numbers from 0 to {days - 1}, the days of this run")
    files = _written(found, view)
    outcome = _outcome(found)
    same = _same(outcome, recorded)
    tables = _tables(found.trace, view)
    if view.as_json:
        emit(
            {
                "parameters": parameters,
                "outcome": outcome,
                "as_recorded": same,
                **tables,
                "files": files,
            }
        )
        return
    show_run(output, parameters, outcome, tables, limit=view.limit)
    if same is not None:
        output.say()
        agreement = "the same as" if same else "NOT the same as"
        output.say(f"This is {agreement} what is recorded of {recorded['run_id']}.")
    if files:
        output.say()
        output.say(f"Files in {view.out_dir}:")
        output.say(f"  {', '.join(Path(each).name for each in files)}")


def _refuse_unknown_agents(parameters: Parameters, view: View) -> None:
    n = parameters.n_agents
    desks = DESKS if isinstance(parameters, BalancedParameters) else ()
    known = {f"H{i}" for i in range(1, n + 1)} | set(desks)
    for name in view.agents:
        if name not in known:
            allowed = ", ".join([f"H1 to H{n}", *desks])
            raise invalid("agent", name, allowed, nearest(name, known))


def _written(found: Run, view: View) -> list[str]:
    if view.out_dir is None or found.trace is None:
        return []
    try:
        return [str(path) for path in found.trace.write(view.out_dir.expanduser().absolute())]
    except OSError as error:
        raise OutputError(str(view.out_dir), error.strerror or str(error)) from error


def _outcome(found: Run) -> dict[str, Any]:
    """Return what a run found, by name; without what a plain ring has nothing of."""
    left_out = {"cash", "parameters", "trace"}
    if isinstance(found.parameters, RingParameters):
        left_out |= {"n_trades", "n_interior", "n_passthrough", "traded_face", "injection_micro"}
        left_out |= {"dealer_pnl", "vbt_pnl", "dealer_start", "dealer_return"}
    names = [name for name in found.__dataclass_fields__ if name not in left_out]
    return {name: getattr(found, name) for name in names}


def _same(outcome: Mapping[str, Any], recorded: Mapping[str, Any]) -> bool | None:
    """Tell whether a run found what is recorded of it; None where nothing is."""
    if recorded.get("status") != "completed":
        return None
    return all(outcome[name] == recorded[name] for name in outcome if name in recorded)


def _tables(account: Trace, view: View) -> dict[str, list[Row]]:
    """Return events, quotes and balances, as far as they are asked for."""
    buckets = {name.partition("_")[2] for name in view.agents if name in DESKS}
    wanted = set(view.agents)

    def asked(day: int) -> bool:
        return not view.days or day in view.days

    return {
        "events": [
            row
            for row in account.event_rows()
            if asked(row["day"])
            and (not wanted or wanted & {row["debtor"], row["creditor"], row["buyer"]})
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
