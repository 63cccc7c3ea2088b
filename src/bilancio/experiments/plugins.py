"""Experiments that others bring: loaded one by one, so that a broken one costs itself only."""

import contextlib
import importlib
import inspect
import re
import sys
import threading
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple, TextIO

from pydantic_core import PydanticUndefined

from bilancio.errors import shown
from bilancio.experiments.protocol import Experiment
from bilancio.experiments.sweep_config import SweepConfig

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_METHODS = ("prepare", "compute", "parameters", "observations", "summarise", "headline")


class PluginFault(NamedTuple):
    """A plug-in that cannot be used: where it was looked for, and why not."""

    address: str
    reason: str

    def __str__(self) -> str:
        return f"the plug-in {self.address} cannot be used: {self.reason}"


class Unusable(Exception):
    """What is wrong with a plug-in, as a clause."""


class Plugins(NamedTuple):
    """The experiments that plug-ins bring, by sweep type, and the plug-ins that bring none."""

    experiments: dict[str, Experiment]
    faults: tuple[PluginFault, ...]


def load_plugins(addresses: Iterable[str], taken: Iterable[str]) -> Plugins:
    """Load the experiment at each address, ``module:object``.

    Parameters
    ----------
    taken
        Sweep types that plug-ins cannot have.
    """
    experiments: dict[str, Experiment] = {}
    faults = []
    for address in dict.fromkeys(addresses):
        try:
            experiment = load(address)
            sweep_type = _sweep_type(experiment, {*taken, *experiments})
            experiments[sweep_type] = experiment
        except Unusable as error:
            faults.append(PluginFault(shown(address).strip("'"), str(error)))
    return Plugins(experiments, tuple(faults))


def load(address: str) -> Any:
    """Return the object at ``module:object``; what importing it prints goes to stderr.

    Raises
    ------
    Unusable
        There is none, or importing it raised something.
    """
    name, _, attribute = address.partition(":")
    if not name or not attribute:
        message = "it is not of the form module:object"
        raise Unusable(message)
    try:
        with stdout_to_stderr():
            module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            message = f"the module {error.name!r} is not installed"
        else:
            message = f"it needs the module {error.name!r}, which is not installed"
        raise Unusable(message) from None
    except (Exception, SystemExit) as error:
        message = f"importing it raised {type(error).__name__}: {shown(str(error))}"
        raise Unusable(message) from error
    try:
        return getattr(module, attribute)
    except AttributeError:
        message = f"the module {name!r} has no {attribute!r}"
        raise Unusable(message) from None


def _sweep_type(experiment: Any, taken: Collection[str]) -> str:
    """Return the sweep type of a plug-in's object, which has to be an experiment."""
    missing = [name for name in _METHODS if not callable(getattr(experiment, name, None))]
    missing += [name for name in ("version", "releases_gil") if not hasattr(experiment, name)]
    if missing or inspect.isclass(experiment):
        lacks = f"without {', '.join(missing)}" if missing else "but a class, not an instance"
        message = f"it is not an experiment: a {type(experiment).__name__} {lacks}"
        raise Unusable(message)
    model = getattr(experiment, "config_model", None)
    if not (inspect.isclass(model) and issubclass(model, SweepConfig)):
        message = "its config_model is not a subclass of SweepConfig"
        raise Unusable(message)
    sweep_type = model.model_fields["sweep_type"].default
    if sweep_type is PydanticUndefined or not _NAME.fullmatch(str(sweep_type)):
        message = (
            f"the default of its sweep_type is {shown(sweep_type)}, not a word of lower-case "
            "letters, digits and hyphens"
        )
        raise Unusable(message)
    if sweep_type in taken:
        message = f"there is another experiment for sweeps of type {sweep_type!r}"
        raise Unusable(message)
    try:
        model.model_json_schema()
    except Exception as error:
        message = f"its config_model has no schema ({type(error).__name__}: {shown(str(error))})"
        raise Unusable(message) from error
    return str(sweep_type)


_LOCK = threading.Lock()
_DIVERTED: list[TextIO] = []


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Divert what foreign code prints from stdout, which answers may own; threads may overlap."""
    with _LOCK:
        _DIVERTED.append(sys.stdout if not _DIVERTED else _DIVERTED[0])
        sys.stdout = sys.stderr
    try:
        yield
    finally:
        with _LOCK:
            real = _DIVERTED.pop()
            if not _DIVERTED:
                sys.stdout = real
