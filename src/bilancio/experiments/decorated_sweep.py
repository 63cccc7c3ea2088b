"""Sweeps of decorated functions: their configuration follows from what the function declares."""

import functools
import importlib
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field, create_model

from bilancio.experiments.declared import ONLY_ARM, Declaration, declaration_of
from bilancio.experiments.derived import fixed_from
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.signature import SEED_NAME


class DecoratedSweep(GridSweep):
    """A sweep of a decorated function, over any of its parameters.

    Attributes
    ----------
    declaration
        What the function declares.
    """

    declaration: ClassVar[Declaration]

    @classmethod
    def parameter_model(cls) -> type[BaseModel]:
        """Return the model of one run's parameters."""
        return cls.declaration.parameters

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to other processes as the function's address and what is asked."""
        return _blank, (self.declaration.address,), self.__getstate__()


@functools.cache
def sweep_model(declaration: Declaration) -> type[DecoratedSweep]:
    """Return the model of a function's sweeps."""
    function = declaration.function
    about = declaration.meaning or f"Runs of {declaration.address}."
    kind: Any = Literal.__getitem__(declaration.name)
    model: Any = create_model(
        "Sweep",
        __base__=DecoratedSweep,
        __module__=function.__module__,
        __doc__=about,
        sweep_type=(kind, Field(default=declaration.name, description=about)),
    )
    model.arms = declaration.arms or (ONLY_ARM,)
    model.declaration = declaration
    made: type[DecoratedSweep] = fixed_from(declaration.parameters, beside=(SEED_NAME,))(model)
    return made


def _blank(address: str) -> DecoratedSweep:
    """Return a sweep of the function at an address that its state is yet to be written into."""
    module, _, name = address.partition(":")
    declaration = declaration_of(getattr(importlib.import_module(module), name))
    assert declaration is not None, "the parent has found it there"
    model = sweep_model(declaration)
    return model.__new__(model)
