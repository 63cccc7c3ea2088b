"""Tells the site's generator what it cannot see in the code, which it reads without running it.

The managers' methods are functions handed to `_of_session` and `_blocking`, which keep signature
and docstring: it takes them for attributes. What calls return are pydantic models: it does not know
that their fields are what they are made of. To parameters that share a description it gives the
type of the first.
"""

from collections.abc import Iterator
from typing import Any

import griffe

WRAPPERS = {
    "jobs.async_manager": ("AsyncJobManager", "_of_session"),
    "jobs.manager": ("JobManager", "_blocking"),
}


VIEWS = {"View", "Tabular"}


class Methods(griffe.Extension):
    """Puts methods in the place of such attributes, and fields into the signatures of models."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Complete both managers, of which the second is made of the first, and all models."""
        if pkg.path != "bilancio":
            return
        for found in _classes(pkg["jobs"]):
            if VIEWS & {str(base) for base in found.bases}:
                _show_fields(found)
        for module, (manager, wrapper) in WRAPPERS.items():
            members = pkg[module][manager].members
            for name, member in [*members.items()]:
                value = getattr(member, "value", None)
                if isinstance(value, griffe.ExprCall) and str(value.function) == wrapper:
                    # As the module knows it: a method may have the name of its function's module.
                    source = pkg[module][str(value.arguments[0])]
                    pkg[module][manager].set_member(name, _method(name, source))
        for manager in (
            pkg["jobs.manager"]["JobManager"],
            pkg["jobs.async_manager"]["AsyncJobManager"],
        ):
            for method in manager.functions.values():
                _tell_types_apart(method)


def _classes(module: griffe.Module) -> Iterator[griffe.Class]:
    for member in module.members.values():
        if isinstance(member, griffe.Module):
            yield from _classes(member)
        elif isinstance(member, griffe.Class):
            yield member


def _show_fields(model: griffe.Class) -> None:
    """Give a model a constructor, whose signature the page shows: its fields with their types."""
    fields = [
        griffe.Parameter(name, annotation=field.annotation, kind=griffe.ParameterKind.keyword_only)
        for name, field in model.attributes.items()
        if field.annotation is not None
        and not name.startswith("_")
        and "property" not in field.labels
    ]
    self = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
    model.set_member(
        "__init__", griffe.Function("__init__", parameters=griffe.Parameters(self, *fields))
    )


def _tell_types_apart(function: griffe.Function) -> None:
    """Give each parameter in a docstring its own type and default."""
    if function.docstring is None:
        return
    sections = function.docstring.parse("numpy")
    vars(function.docstring)["parsed"] = sections  # where its reader looks first
    for section in sections:
        if section.kind is griffe.DocstringSectionKind.parameters:
            for told in section.value:
                if told.name in function.parameters:
                    told.annotation = function.parameters[told.name].annotation
                    told.value = function.parameters[told.name].default


def _method(name: str, source: griffe.Function) -> griffe.Function:
    """Return *source* as a method: the manager takes the place of its first parameter."""
    manager = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
    return griffe.Function(
        name,
        parameters=griffe.Parameters(manager, *[*source.parameters][1:]),
        returns=source.returns,
        docstring=source.docstring,
        lineno=source.lineno,
        endlineno=source.endlineno,
    )
