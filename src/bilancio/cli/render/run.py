"""What a person sees of one run: what it found, and what happened when."""

from collections.abc import Mapping, Sequence
from typing import Any

from bilancio.cli.render.console import Output
from bilancio.cli.render.layout import pairs_table, rows_table
from bilancio.jobs.telling import RunStory
from bilancio.model import Parameters
from bilancio.model.trace import MICRO, ROLES, Row
from bilancio.text import key_text, number, sweep

_WORDS = ("event", *ROLES, "bucket")
#: Of an event, what matters most first: as many columns are shown as fit the line.
_EVENT = ("day", "event", "debtor", "holder", "payer", "face", "cash", "price", "payee")
_PRICES = ("price", "mid", "spread", "bid", "ask")
_TITLES = {
    "events": "Events: faces and cash in money, prices per unit of face",
    "quotes": "Quotes at the opening of the day",
    "balances": "Cash after the day, in money",
}
_HEADINGS = {"after_day": "day"}
_SHOWN_NAMES = 4


def show_run(
    output: Output,
    parameters: Parameters,
    outcome: Mapping[str, Any],
    tables: Mapping[str, list[Row]],
    *,
    limit: int,
) -> None:
    """Show a run: parameters, outcome, then each table with at most *limit* rows, 0 for all."""
    defaults = type(parameters)().model_dump(mode="json")
    told = parameters.model_dump(mode="json", exclude={"kind", "arm", "seed", "kappa"})
    shown = {"kappa": parameters.kappa, **told}
    what = sweep(shown, defaults)
    output.say(f"{_name(parameters)}, seed {parameters.seed}: {what}", style="bold")
    output.say()
    output.show(
        pairs_table(
            {name.removesuffix("_micro"): _value(name, value) for name, value in outcome.items()},
            width=output.width,
        )
    )
    show_tables(output, tables, limit=limit)


def show_story(output: Output, story: RunStory) -> None:
    """Show what happened in a run, and in those of the other arms, a line for each day."""
    output.say(story.headline)
    for run in story.runs:
        output.say()
        output.say(f"{run.run_id}, seed {run.seed}", style="bold")
        if run.status == "failed":
            output.say(f"Failed: {run.error}")
        shown = {
            name: key_text(value) if name in run.given else _value(name, value)
            for name, value in story.values(run).items()
        }
        if shown:
            output.show(pairs_table(shown, width=output.width))
        if run.call:
            output.say(f"In Python: {run.call}", style="dim")
        for day in run.days:
            days = (
                f"day {day.day}" if day.day == day.last else f"days {day.day} to {day.last}, each"
            )
            output.say(f"{days}: {day.told.sentence}")
            for event in day.events:
                output.say(f"    {event}", style="dim")
            if day.left_out and day.events:
                output.say(f"    … and {day.left_out:,} more: --day {day.day}", style="dim")
        if run.as_recorded is not None:
            agreement = "the same as" if run.as_recorded else "NOT the same as"
            output.say(f"This is {agreement} what is recorded of {run.run_id}.")


def show_tables(output: Output, tables: Mapping[str, list[Row]], *, limit: int) -> None:
    """Show tables of what happened in a run, each with at most *limit* rows, 0 for all."""
    for title, rows in tables.items():
        if rows:
            output.say()
            output.say(_TITLES[title], style="bold")
            _show_rows(output, rows, limit=limit)
        elif title == "events":
            output.say()
            output.say("No such events.")


def _name(parameters: Parameters) -> str:
    if parameters.kind == "ring":
        return "Plain ring"
    return f"Ring with dealers, {parameters.arm.value} arm"


def _value(name: str, value: object) -> str:
    """Write a value of the outcome; amounts in money, with their last digit."""
    if value is None:
        return "–"
    if name.endswith("_micro") and isinstance(value, int):
        return _money(value / MICRO)
    return number(value) or "0"


def _show_rows(output: Output, rows: Sequence[Row], *, limit: int) -> None:
    shown = rows[:limit] if limit else rows
    names = _EVENT if "event" in rows[0] else rows[0]
    filled = [name for name in names if any(row[name] is not None for row in rows)]
    cells = [[_cell(name, row[name]) for name in filled] for row in shown]
    made, cut = rows_table(
        [_HEADINGS.get(name, name) for name in filled],
        cells,
        words=[name for name in filled if name in _WORDS],
        width=output.width,
    )
    output.show(made)
    if len(shown) < len(rows):
        output.say(
            f"{len(shown):,} of {len(rows):,} rows; --limit 0 shows all, --day and --agent pick, "
            "--out-dir writes them."
        )
    if cut:
        few = ", ".join(cut[:_SHOWN_NAMES]) + (" …" if len(cut) > _SHOWN_NAMES else "")
        output.say(f"{len(cut):,} more beside these ({few}); --agent picks, --out-dir writes them.")


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "after_day" and value < 0:
        return "start"
    if name in {"day", "after_day"} or isinstance(value, str):
        return str(value)
    return number(value) if name in _PRICES else _money(value)


def _money(value: float) -> str:
    """Write an amount: whole where it is, else to the last micro-unit that matters."""
    return f"{value:,.6f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
