"""`bilancio sweep TYPE`: run a sweep as a job."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from bilancio.cli import options
from bilancio.cli.context import EXECUTOR_HELP, known_names, with_manager
from bilancio.cli.examples import example_options
from bilancio.cli.parsing import CommandGroup, command, help_text
from bilancio.cli.render.console import Output, emit
from bilancio.cli.start import leave_unstarted, start
from bilancio.errors import InvalidInput, Problem
from bilancio.experiments import registry
from bilancio.experiments.explaining import defaults_of
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.preview import computes_elsewhere
from bilancio.paths import absolute_path
from bilancio.text import computing, planned, read_as, sweep
from bilancio.validation import split_csv


class Types(CommandGroup):
    """One command for each sweep type, plug-ins included, made when it is asked for."""

    def list_commands(self, _: Any) -> list[str]:
        """Return the sweep types."""
        return registry.sweep_types()

    def get_command(self, _: Any, cmd_name: str) -> Any:
        """Make the command of a sweep type, its options those of its configuration."""
        if cmd_name not in registry.sweep_types():
            return None
        model = registry.config_model(cmd_name)
        about = model.model_fields["sweep_type"].description or f"Run a sweep of type {cmd_name}."
        example = f"bilancio sweep {cmd_name} {example_options(cmd_name)}"
        one = typer.Typer(add_completion=False, rich_markup_mode="rich")
        command(one, cmd_name, about, example)(_function_for(cmd_name))
        return typer.main.get_command(one)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; with --like the sweep type may stay out, for the job has one."""
        if args and args[0].startswith("-") and (name := _named_like(args)):
            found = with_manager(lambda manager: manager.find_job(name))
            args = [found.job.config.sweep_type, *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Refuse an unknown sweep type with the sentence that every interface gives."""
        registry.config_model(args[0])
        return super().resolve_command(ctx, args)


def _named_like(args: list[str]) -> str:
    """Return the job that --like names; an empty text where there is no such option."""
    for place, word in enumerate(args):
        if word.startswith("--like="):
            return word.removeprefix("--like=")
        if word == "--like":
            return args[place + 1] if place + 1 < len(args) else ""
    return ""


app = typer.Typer(add_completion=False, cls=Types, rich_markup_mode="rich")


@app.callback(
    help=help_text(
        "Run a sweep as a job: all combinations of some parameters, under the same seeds.\n\n"
        "Lists are written with commas, or as a range with its step: 0.1:0.5:0.1. Any parameter "
        "is an axis by --vary NAME=VALUES, given several times or with ; between them; low:high is "
        "a range for --lhs and --sobol. The job runs "
        "in a process of its own; this command follows it, and Ctrl-C cancels it. What is "
        "recorded by then stays.",
        "bilancio sweep balanced --n-agents 50 --kappas 0.3,0.5 --seeds 42,43",
        "bilancio sweep ring --kappas 0.25,0.5,1 --n-replicates 20 --detach",
        "bilancio sweep ring --vary n_agents=50:200:50 --vary early_stop=true,false",
        "bilancio sweep balanced --vary kappa=0.5:20 "
        "--threshold 'axis=kappa; measure=trading_effect; at_most=0.01'",
        "bilancio sweep --like bright-ocean-swift-tiger --n-agents 200 --dry-run",
    )
)
def sweep_types() -> None:
    """Group the sweep types."""


def _option(flag: str, metavar: str, about: str, **more: Any) -> Any:
    return typer.Option(flag, metavar=metavar, help=about, rich_help_panel="Job", **more)


ConfigFile = Annotated[
    str | None,
    _option(
        "--config",
        "FILE",
        "YAML file with parameters by name, or a job's manifest; options override it.",
    ),
]
Like = Annotated[
    str | None,
    _option(
        "--like",
        "JOB",
        "A job in any spelling, whose parameters are taken; options override them.",
        autocompletion=known_names,
    ),
]
DryRun = Annotated[
    bool, _option("--dry-run", "", "Say what it would take and is at its default; store nothing.")
]
Yes = Annotated[bool, _option("--yes", "", "Do not ask before a large sweep starts.")]
Description = Annotated[str | None, _option("--description", "TEXT", "What the job is for.")]
Notes = Annotated[str | None, _option("--notes", "TEXT", "Anything to remember.")]
Tags = Annotated[list[str] | None, _option("--tag", "WORD", "A tag; can be repeated.")]
Notify = Annotated[
    list[str] | None,
    _option("--notify", "A,B,…", "Tell these targets of BILANCIO_NOTIFY when the job ends."),
]
OwnName = Annotated[
    str | None,
    _option(
        "--job-id", "NAME", "A name of your own, such as my-first-sweep. Default: four drawn words."
    ),
]
OutDir = Annotated[
    str | None,
    _option("--out-dir", "FOLDER", "Where the job's folder is made (default out/experiments)."),
]
Cloud = Annotated[bool, _option("--cloud", "", "Compute on Modal.")]
Executor = Annotated[str | None, _option("--executor", "NAME", EXECUTOR_HELP)]
NoStart = Annotated[
    bool,
    _option("--no-start", "", "Create it only: `bilancio worker NAME`, say, carries it out."),
]
Detach = Annotated[bool, _option("--detach", "", "Start it and return at once.")]
Json = Annotated[bool, _option("--json", "", "Print one JSON object.")]


def _function_for(sweep_type: str) -> Callable[..., None]:
    """Return the function behind ``bilancio sweep SWEEP_TYPE``."""
    model = registry.config_model(sweep_type)

    def run_sweep(
        *,
        config: ConfigFile = None,
        like: Like = None,
        dry_run: DryRun = False,
        description: Description = None,
        notes: Notes = None,
        tag: Tags = None,
        notify: Notify = None,
        job_id: OwnName = None,
        out_dir: OutDir = None,
        cloud: Cloud = False,
        executor: Executor = None,
        no_start: NoStart = False,
        detach: Detach = False,
        yes: Yes = False,
        as_json: Json = False,
        **given: Any,
    ) -> None:
        output = Output(as_json)
        if no_start and detach:
            got = "--detach as well, which starts it"
            raise InvalidInput([Problem("--no-start", got, "one of both")])
        told, file = _read(config, model, output) if config is not None else ({}, {})
        other = {} if like is None else _parameters_like(like, sweep_type, output, executor)
        if cloud:
            file["cloud"] = True
        elif computes_elsewhere(executor or ""):
            file.pop("cloud", None)
        checked = options.configuration(model, given, file, other)
        if dry_run:
            _show_plan(checked, output, executor)
            return
        folder = out_dir if out_dir is not None else told.get("out_dir")
        about: dict[str, Any] = {
            "description": _first(description, told.get("description"), describe(checked)),
            "notes": _first(notes, told.get("notes"), ""),
            "tags": _first(tag or None, told.get("tags"), ()),
            "notify": split_csv(notify),
            "job_id": job_id,
            "out_dir": None if folder is None else absolute_path("out_dir", folder),
        }

        async def run(manager: AsyncJobManager) -> int:
            job = await manager.create_job(config=checked, **about)
            if no_start:
                return await leave_unstarted(manager, job, output)
            return await start(manager, job, output, detach=detach, new=True, yes=yes)

        raise typer.Exit(with_manager(run, executor=executor))

    return options.with_options(run_sweep, model)


def _read(
    path: str, model: type[SweepConfig], output: Output
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a file says of the job, and its parameters."""
    from bilancio.cli.config_file import read_config_file  # yaml, only needed here

    found = read_config_file(absolute_path("config", path), model)
    for note in found.notes:
        output.note(note)
    return found.about, found.parameters


def _first(*choices: Any) -> Any:
    """Return the first that was given."""
    return next(choice for choice in choices if choice is not None)


def _parameters_like(
    name: str, sweep_type: str, output: Output, executor: str | None
) -> dict[str, Any]:
    """Return what another job asked for, as a sweep of this type for this executor."""
    kind = {"sweep_type": sweep_type}
    seen = with_manager(lambda manager: manager.preview(kind, like=name), executor=executor)
    if seen.reading:
        output.note(read_as(seen.reading, seen.like).strip())
    if seen.left_out:
        output.note(seen.left_out)
    return seen.config.asked()


def _show_plan(config: SweepConfig, output: Output, executor: str | None) -> None:
    """Say what a sweep would be."""
    seen = with_manager(lambda manager: manager.preview(config), executor=executor)
    if output.as_json:
        emit(seen)
        return
    what = planned(seen.runs, seen.cells, seen.seeds, seen.arms, most=config.adaptive)
    output.say(f"{computing(what, seen.estimate)} Nothing was stored.")
    for warning in seen.warnings:
        output.note(warning)
    output.say(f"Set: {sweep(config.asked(), {}) or 'nothing'}.")
    output.say(f"At its default: {sweep(defaults_of(config), {})}.")


def describe(config: SweepConfig) -> str:
    """Describe a sweep that was given no description; seeds can be added, so they are left out."""
    of_seeds = {"seeds", "n_replicates", "base_seed"}
    written = {name: value for name, value in config.as_dict().items() if name not in of_seeds}
    try:
        defaults = type(config)().as_dict()
    except InvalidInput:  # a plug-in's sweep may have parameters without a default
        defaults = {}
    kind = str(written["sweep_type"]).capitalize()
    return ": ".join(filter(None, (f"{kind} sweep", sweep(written, defaults))))
