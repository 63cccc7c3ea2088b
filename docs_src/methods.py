"""Tells the site's generator what the managers' methods are.

They are functions handed to `_of_session` and `_blocking`, which keep signature and docstring. The
generator reads code without running it, and takes them for attributes.
"""

from typing import Any

import griffe

WRAPPERS = {
    "jobs.async_manager": ("AsyncJobManager", "_of_session"),
    "jobs.manager": ("JobManager", "_blocking"),
}


class Methods(griffe.Extension):
    """Puts functions in the place of such attributes."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Replace the attributes of both managers; the second is made of the first."""
        if pkg.path != "bilancio":
            return
        for module, (manager, wrapper) in WRAPPERS.items():
            members = pkg[module][manager].members
            for name, member in [*members.items()]:
                value = getattr(member, "value", None)
                if isinstance(value, griffe.ExprCall) and str(value.function) == wrapper:
                    # As the module knows it: a method may have the name of its function's module.
                    source = pkg[module][str(value.arguments[0])]
                    pkg[module][manager].set_member(name, _method(name, source))


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
