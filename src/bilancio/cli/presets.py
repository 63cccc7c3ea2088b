"""`bilancio presets`: the sweeps that one word asks for."""

import typer

from bilancio.cli.context import AsJson
from bilancio.cli.parsing import command
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.layout import pairs_table
from bilancio.experiments import registry
from bilancio.experiments.presets import FIELD, PRESETS
from bilancio.text import sweep

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@command(
    app,
    "presets",
    "List presets: what each fills in where nothing else is given, and why.\n\n"
    "The job is stored with what was filled in. With --like a preset takes the place of what the "
    "other job asked for.",
    "bilancio sweep balanced --preset stressed --n-agents 50",
    "bilancio presets --json",
)
def presets(*, as_json: AsJson = False) -> None:
    """Show all presets."""
    found = [
        {
            "name": name,
            "about": preset.about,
            "sets": dict(preset.fields),
            "runs": _runs(name),
            "why": preset.why,
        }
        for name, preset in PRESETS.items()
    ]
    if as_json:
        emit({"presets": found})
        return
    output = Output()
    for place, (name, preset) in enumerate(PRESETS.items()):
        if place:
            output.say()
        output.say(f"{name}: {preset.about}", style="bold")
        told = {
            "sets": sweep(preset.fields, {}),
            "runs": ", ".join(f"{kind} {number:,}" for kind, number in _runs(name).items()),
            "why": preset.why,
        }
        output.show(pairs_table(told, width=output.width))
    output.say()
    output.say(f"Use one: bilancio sweep balanced --{FIELD} {next(iter(PRESETS))}")


def _runs(name: str) -> dict[str, int]:
    """Return how many runs a preset alone asks for, by sweep type."""
    kinds = [kind for kind in registry.built_in() if registry.config_model(kind).presets]
    return {
        kind: registry.configuration({"sweep_type": kind, FIELD: name}).total_runs for kind in kinds
    }
