"""Experiments that others bring: loaded one by one, so that a broken one costs itself only."""

import contextlib
import importlib
import inspect
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TextIO

from pydantic_core import PydanticUndefined

from bilancio.errors import InvalidInput, shown
from bilancio.experiments.declared import Declaration, declaration_of, importable
from bilancio.experiments.decorated_sweep import sweep_model
from bilancio.experiments.discovery import Named, Project, Stamp, module_files, stamp_of
from bilancio.experiments.protocol import Experiment
from bilancio.experiments.sources import files_used
from bilancio.experiments.sweep_config import SweepConfig

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_METHODS = ("prepare", "compute", "parameters", "observations", "summarise", "headline")


class PluginFault(NamedTuple):
    """A plug-in that cannot be used: where it was looked for, why not, and what names it."""

    address: str
    reason: str
    source: str = ""

    def __str__(self) -> str:
        named = f", which {self.source} names," if self.source else ""
        return f"{self.address}{named} cannot be used ({self.reason})"


class Unusable(Exception):
    """What is wrong with a plug-in, as a clause."""


class Plugin(NamedTuple):
    """An experiment that a plug-in brings.

    Attributes
    ----------
    make
        Returns the experiment, its code loaded.
    address, source
        Where it is, ``module:object``, and what names it.
    declaration
        None where it is not a decorated function.
    """

    config_model: type[SweepConfig]
    make: Callable[[], Experiment]
    address: str
    source: str
    declaration: Declaration | None = None


class Plugins(NamedTuple):
    """The experiments that plug-ins bring, by sweep type, and the plug-ins that bring none.

    Attributes
    ----------
    files
        Those that this was read from, and those whose appearance would change it, each with what
        tells its versions apart.
    """

    experiments: dict[str, Plugin]
    faults: tuple[PluginFault, ...]
    files: dict[Path, Stamp]

    @property
    def outdated(self) -> list[Path]:
        """The files that have changed since, and those of experiments that use one of them."""
        changed = {file for file, stamp in self.files.items() if stamp_of(file) != stamp}
        known = [each.declaration for each in self.experiments.values() if each.declaration]
        users = (each.files for each in known if changed & {*each.files})
        return [*changed.union(*users)]


def load_plugins(
    named: Iterable[Named], taken: Iterable[str], project: Project | None = None
) -> Plugins:
    """Load what each place that is named brings.

    Parameters
    ----------
    taken
        Sweep types that plug-ins cannot have.
    project
        The one whose folder is on the import path, if there is one.
    """
    plugins: dict[str, Plugin] = {}
    faults = []
    if project and project.fault:
        faults.append(PluginFault(str(project.file), project.fault, str(project.file)))
    files: set[Path] = set()
    for place in named:
        files |= _files_of(place, project)
        try:
            for found in brought(place, project):
                _add(plugins, found, taken)
                files |= set() if found.declaration is None else {*found.declaration.files}
        except Unusable as error:
            address = shown(place.address).strip("'")
            faults.append(PluginFault(address, str(error), place.source))
    return Plugins(plugins, tuple(faults), {file: stamp_of(file) for file in files})


def forget_modules(files: Iterable[Path]) -> None:
    """Have the modules of these files imported again when they are next asked for."""
    changed = {str(file) for file in files}
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) in changed:
            del sys.modules[name]
    importlib.invalidate_caches()


def _files_of(place: Named, project: Project | None) -> set[Path]:
    """Return where a module that is named in a project is, or would be, and what it uses."""
    module = place.address.partition(":")[0]
    if project is None or place.source != str(project.file):
        return set()
    may_be = module_files(project.file.parent, module)
    return {*may_be}.union(*(files_used(module, file) for file in may_be if file.is_file()))


def brought(place: Named, project: Project | None) -> list[Plugin]:
    """Return the experiments at a place.

    Raises
    ------
    Unusable
        There is none that can be used.
    """
    if ":" in place.address:
        found = load(place.address)
        declaration = declaration_of(found)
        if declaration is None:
            return [_of_object(found, place)]
        return [_of_function(declaration, place)]
    module = load_module(place.address)
    declared = [declaration_of(each) for each in vars(module).values()]
    once = {each.address: each for each in declared if each is not None}
    if not once:
        raise Unusable(_why_empty(module, place.address, project))
    return [_of_function(each, place) for each in once.values()]


def _of_function(declaration: Declaration, place: Named) -> Plugin:
    if reason := importable(declaration):
        raise Unusable(reason)

    def make() -> Experiment:
        from bilancio.experiments.decorated import experiment_of  # numpy

        return experiment_of(declaration)

    return Plugin(sweep_model(declaration), make, declaration.address, place.source, declaration)


def _of_object(found: Any, place: Named) -> Plugin:
    return Plugin(_checked_model(found), lambda: found, place.address, place.source)


def _add(plugins: dict[str, Plugin], found: Plugin, taken: Iterable[str]) -> None:
    """Add an experiment; one that two places name counts once.

    Raises
    ------
    Unusable
        Another one has its name.
    """
    name = sweep_type_of(found.config_model)
    if name in plugins and plugins[name].address == found.address:
        return
    if name in plugins or name in taken:
        message = f"there is another experiment for sweeps of type {name!r}"
        raise Unusable(message)
    plugins[name] = found


def _why_empty(module: ModuleType, name: str, project: Project | None) -> str:
    """Say why a module brings nothing: often another one of its name comes first."""
    reason = f"the module {name!r} has no function with @experiment"
    files = module_files(project.file.parent, name) if project else ()
    meant = next(filter(Path.is_file, files), None)
    loaded = getattr(module, "__file__", None)
    if meant is None or (loaded and Path(loaded).resolve() == meant.resolve()):
        return reason
    return f"{reason}: it is {loaded or 'built in'}, which comes before {meant}; rename yours"


def load(address: str) -> Any:
    """Return the object at ``module:object``; what importing it prints goes to stderr.

    Raises
    ------
    Unusable
        There is none, or importing it raised something.
    """
    name, _, attribute = address.partition(":")
    if not name or not attribute:
        message = "it is not of the form module or module:object"
        raise Unusable(message)
    module = load_module(name)
    try:
        return getattr(module, attribute)
    except AttributeError:
        message = f"the module {name!r} has no {attribute!r}"
        raise Unusable(message) from None


def load_module(name: str) -> ModuleType:
    """Return a module; what importing it prints goes to stderr.

    Raises
    ------
    Unusable
        There is none, or importing it raised something.
    """
    try:
        with stdout_to_stderr():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            message = f"the module {error.name!r} is not installed"
        else:
            message = f"it needs the module {error.name!r}, which is not installed"
        raise Unusable(message) from None
    except InvalidInput as error:  # a decorated function that cannot be one
        raise Unusable(" ".join(str(error).split("\n")).rstrip(".")) from error
    except (Exception, SystemExit) as error:
        message = f"importing it raised {type(error).__name__}: {shown(str(error))}"
        raise Unusable(message) from error


def sweep_type_of(model: type[SweepConfig]) -> str:
    """Return the name of the sweeps that a model checks."""
    return str(model.model_fields["sweep_type"].default)


def _checked_model(experiment: Any) -> type[SweepConfig]:
    """Return the configuration of a plug-in's object, which has to be an experiment."""
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
    try:
        model.model_json_schema()
    except Exception as error:
        message = f"its config_model has no schema ({type(error).__name__}: {shown(str(error))})"
        raise Unusable(message) from error
    return model


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
