"""`bilancio sweep TYPE`: run a sweep as a job."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from bilancio import text as words
from bilancio.cli import options
from bilancio.cli.parsing import CommandGroup
from bilancio.cli.render.console import Output
from bilancio.cli.render.progress import start
from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.experiments.configs import SweepConfig
from bilancio.jobs.manager import AsyncJobManager

_JOB = "Job"
_EXAMPLES = {
    "single": "--n-agents 50 --kappa 0.5 --seed 7",
    "ring": "--kappas 0.25,0.5,1,2 --mus 0,0.5,1 --n-replicates 20",
    "balanced": "--n-agents 50 --kappas 0.3,0.5 --outside-mid-ratios 1,0.75 --seeds 42,43",
}


class Types(CommandGroup):
    """One command for each sweep type, plug-ins included, made when it is asked for."""

    def list_commands(self, _: Any) -> list[str]:
        """Return the sweep types."""
        return registry.sweep_types()

    def get_command(self, _: Any, cmd_name: str) -> Any:
        """Make the command of a sweep type, its options those of its configuration."""
        if cmd_name not in registry.sweep_types():
            return None
        one = typer.Typer(add_completion=False, rich_markup_mode="rich")
        one.command(cmd_name)(_command(cmd_name))
        return typer.main.get_command(one)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Refuse an unknown sweep type as every other door does."""
        registry.config_model(args[0])
        return super().resolve_command(ctx, args)


app = typer.Typer(add_completion=False, cls=Types, rich_markup_mode="rich")


@app.callback()
def sweep() -> None:
    """Run a sweep as a job: all combinations of some parameters, under the same seeds.

    Lists are written with commas. The job runs in a process of its own; here
    one watches it, and Ctrl-C cancels it. What is recorded by then stays.

    Example:

      $ bilancio sweep balanced --n-agents 50 --kappas 0.3,0.5 --seeds 42,43
      $ bilancio sweep ring --kappas 0.25,0.5,1 --n-replicates 20 --detach
    """


def _command(sweep_type: str) -> Callable[..., None]:
    """Return the function behind ``bilancio sweep SWEEP_TYPE``."""
    model = registry.config_model(sweep_type)

    def command(
        *,
        config: Annotated[
            Path | None,
            typer.Option(
                metavar="FILE",
                help="YAML file with parameters by name, or a job's manifest; options override it.",
                rich_help_panel=_JOB,
            ),
        ] = None,
        description: Annotated[
            str | None,
            typer.Option(metavar="TEXT", help="What the job is for.", rich_help_panel=_JOB),
        ] = None,
        notes: Annotated[
            str | None,
            typer.Option(metavar="TEXT", help="Anything to remember.", rich_help_panel=_JOB),
        ] = None,
        tag: Annotated[
            list[str] | None,
            typer.Option(metavar="WORD", help="A tag; can be repeated.", rich_help_panel=_JOB),
        ] = None,
        job_id: Annotated[
            str | None,
            typer.Option(
                metavar="NAME",
                help="A name of your own, such as my-first-sweep; drawn otherwise.",
                rich_help_panel=_JOB,
            ),
        ] = None,
        out_dir: Annotated[
            Path | None,
            typer.Option(
                metavar="FOLDER",
                help="Where the job's folder is made (default out/experiments).",
                rich_help_panel=_JOB,
            ),
        ] = None,
        cloud: Annotated[
            bool,
            typer.Option("--cloud", metavar="", help="Compute on Modal.", rich_help_panel=_JOB),
        ] = False,
        detach: Annotated[
            bool,
            typer.Option(
                "--detach", metavar="", help="Start it and return at once.", rich_help_panel=_JOB
            ),
        ] = False,
        as_json: Annotated[
            bool,
            typer.Option("--json", metavar="", help="Print one JSON object.", rich_help_panel=_JOB),
        ] = False,
        **given: Any,
    ) -> None:
        file = options.read_file(config, model) if config else {}
        told = {name: file.pop(name) for name in options.JOB_KEYS if name in file}
        if cloud:
            file["cloud"] = True
        checked = options.configuration(model, given, file)
        about: dict[str, Any] = {
            "description": description or told.get("description") or describe(checked),
            "notes": notes or told.get("notes") or "",
            "tags": tag or told.get("tags") or (),
            "job_id": job_id,
            "out_dir": out_dir,
        }
        raise typer.Exit(asyncio.run(_run(checked, about, Output(as_json), detach=detach)))

    called = options.with_options(command, model)
    about = model.model_fields["sweep_type"].description or f"Run a sweep of type {sweep_type}."
    example = f"$ bilancio sweep {sweep_type} {_EXAMPLES.get(sweep_type, '--config sweep.yaml')}"
    called.__doc__ = f"{about}\n\nExample:\n\n  {example}"
    return called


async def _run(config: SweepConfig, about: dict[str, Any], output: Output, *, detach: bool) -> int:
    async with AsyncJobManager() as manager:
        job = await manager.create_job(config=config, **about)
        return await start(manager, job, output, detach=detach, new=True)


def describe(config: SweepConfig) -> str:
    """Describe a sweep that nobody described."""
    written = config.as_dict()
    try:
        defaults = type(config)().as_dict()
    except InvalidInput:  # a plug-in's sweep may have parameters without a default
        defaults = {}
    kind = str(written["sweep_type"]).capitalize()
    return f"{kind} sweep of {words.runs(config.total_runs)}: {words.sweep(written, defaults)}"
