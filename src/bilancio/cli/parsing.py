"""How a command line is read, and what is said of one that is written wrongly."""

import os
import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from bilancio.cli.render.console import show_help
from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.experiments.vocabulary import field_of, in_fields
from bilancio.text import having
from bilancio.validation import near, nearest, unknown_fields

MAX_COMMANDS = 3  # named as those that have an option

#: Verbs by the words that other programs have for them.
SYNONYMS = {
    "ls": "list", "rm": "delete", "remove": "delete", "status": "show", "get": "show",
    "stop": "cancel", "kill": "cancel", "continue": "resume", "log": "events", "logs": "events",
    "history": "events", "diff": "compare", "tail": "watch", "follow": "watch",
}  # fmt: skip

#: Options by the words that other programs have for them; those come first that a command has.
OPTIONS = {
    **dict.fromkeys(
        (
            "async", "background", "bg", "daemon", "no_block", "no_follow", "no_wait", "no_watch",
            "nohup", "nowait",
        ),
        ("detach",),
    ),
    **dict.fromkeys(("create_only", "no_run"), ("no_start",)),
    **dict.fromkeys(("backend", "cluster", "scheduler"), ("executor",)),
    **dict.fromkeys(("id", "job_name", "name"), ("job_id",)),
    **dict.fromkeys(("dir", "folder", "outdir", "output", "output_dir"), ("out_dir", "out")),
    **dict.fromkeys(("assume_yes", "force", "no_confirm"), ("yes",)),
    **dict.fromkeys(("plan", "preview"), ("dry_run",)),
}  # fmt: skip


class Command(TyperCommand):
    """A command that refuses an option given twice, unless it takes a list."""

    def get_help(self, ctx: Any) -> str:
        """Show the help; nothing is left to print."""
        show_help(lambda: TyperCommand.get_help(self, ctx))
        return ""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters; switches are shown without a word for their type."""
        return _without_types(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, each single value once."""
        _, _, given = self.make_parser(ctx).parse_args(list(args))
        for parameter, times in Counter(map(id, given)).items():
            option: Any = next(each for each in given if id(each) == parameter)
            single = option.param_type_name == "option" and not option.multiple
            if times > 1 and single and (not option.is_flag or option.secondary_opts):
                raise InvalidInput([Problem(option.opts[0], f"{times} values", "one value")])
        return super().parse_args(ctx, args)


class CommandGroup(TyperGroup):
    """A group of commands: alone it shows its help, and an unknown command gets a sentence."""

    def get_help(self, ctx: Any) -> str:
        """Show the help; nothing is left to print."""
        show_help(lambda: TyperGroup.get_help(self, ctx))
        return ""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters; switches are shown without a word for their type."""
        return _without_types(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help where nothing was asked."""
        if not args and not ctx.resilient_parsing:
            ctx.get_help()
            ctx.exit()
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, or name those that there are."""
        if self.get_command(ctx, args[0]) is None:
            words = self.meant(ctx, args[0])
            meant = f"bilancio {shlex.join([*words, *args[1:]])}" if words else ""
            raise invalid(ctx.command_path, args[0], ", ".join(self.list_commands(ctx)), meant)
        return super().resolve_command(ctx, args)

    def meant(self, ctx: Any, word: str) -> list[str]:
        """Return the words of the command that *word* was probably meant to be; none if unknown."""
        root, known = ctx.find_root(), self.list_commands(ctx)
        found = SYNONYMS.get(word, "")
        found = found if found in known else nearest(word, known)
        if found:
            return [*ctx.command_path.split()[1:], found]
        return [word] if word in root.command.list_commands(root) else []


def unicode_arguments(arguments: Sequence[str]) -> list[str]:
    """Return what was typed as text, also where the locale does not know UTF-8.

    Raises
    ------
    InvalidInput
        An argument holds bytes that are not UTF-8.
    """
    read = []
    for argument in arguments:
        try:
            read.append(os.fsencode(argument).decode())
        except UnicodeError:
            raise invalid("bilancio", argument, "arguments of Unicode text (UTF-8)") from None
    return read


def help_text(about: str, *examples: str) -> str:
    """Return the help of a command: what it does, and how it is called.

    Help is not taken from docstrings, which an optimised interpreter drops.
    """
    shown = "\n".join(f"$ {example}" for example in examples)
    return f"{about}\n\nExample:\n\n{shown}"


def command(
    app: typer.Typer, name: str, about: str, *examples: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds a function to *app* as the command *name*, with its help."""
    return app.command(name, cls=Command, help=help_text(about, *examples))


def sentence(error: typer.TyperException) -> str:
    """Say what is wrong with the command in one sentence: what was given, what is allowed."""
    context: Any = getattr(error, "ctx", None)
    parameter: Any = getattr(error, "param", None)
    option = str(getattr(error, "option_name", ""))
    if option and hasattr(error, "possibilities"):
        known = _options(context)
        got = f"an option that '{context.command_path}' does not have"
        word = option.lstrip("-")
        meant = _meant_option(word, known)
        if not meant and (elsewhere := _command_with(option, context)):
            return str(Problem(option, got, "", elsewhere))
        return str(Problem(option, got, near(word, known), meant or nearest(word, known)))
    if option:
        if "requires" in error.message:
            return str(Problem(option, "nothing", "a value after it"))
        return str(Problem(option, "a value", "the option alone"))
    if parameter is not None and not error.message:
        name = parameter.metavar or parameter.name
        return str(Problem(name, "nothing", "a job's name" if name == "JOB" else "a value"))
    if "unexpected extra argument" in error.message:
        extra = error.message.rpartition(" (")[2].rstrip(").")
        return str(
            Problem(
                context.command_path,
                f"'{extra}' beside its options",
                "options only; values of one list are joined by commas, without spaces",
            )
        )
    return error.format_message().rstrip(".") + "."


def refuse_unknown(where: str, given: Sequence[str], known: Sequence[str]) -> None:
    """Refuse names that do not exist.

    Raises
    ------
    InvalidInput
        One sentence for each of the first few, with the nearest name that does exist.
    """
    error = unknown_fields(given, known, f"{where}: ")
    if error:
        raise in_fields(error, known)


def _meant_option(word: str, known: Sequence[str]) -> str:
    """Return the option, or what else is said, by a word that researchers use for it."""
    fields = {option.lstrip("-").replace("-", "_"): option for option in known}
    others = OPTIONS.get(word.replace("-", "_").lower(), ())
    meant = next((each for each in others if each in fields), "") or field_of(word, fields)
    return fields.get(meant, meant)


def _command_with(option: str, context: Any) -> str:
    """Return the commands beside this one that have an option; nothing where many or none have."""
    above = context.parent
    if above is None:
        return ""
    beside = {
        f"{above.command_path} {name}": above.command.get_command(above, name)
        for name in above.command.list_commands(above)
    }
    found = [path for path, each in beside.items() if each and option in _options_of(each, context)]
    return having(found) if 0 < len(found) <= MAX_COMMANDS else ""


def _without_types(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda **_: None  # its name says what it is
        elif parameter.is_flag and parameter.metavar is None:
            parameter.metavar = ""
    return parameters


def _options(context: Any) -> list[str]:
    return _options_of(context.command, context)


def _options_of(command: Any, context: Any) -> list[str]:
    parameters = command.get_params(context)
    written = [option for each in parameters for option in (*each.opts, *each.secondary_opts)]
    return [option for option in written if option.startswith("--")]
