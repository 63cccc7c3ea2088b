"""Sweeps of decorated functions: their configuration follows from what the function declares."""

import functools
import importlib
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, create_model

from bilancio.experiments.declared import ONLY_ARM, Declaration, declaration_of
from bilancio.experiments.derived import fixed_from
from bilancio.experiments.fields import NUMBER
from bilancio.experiments.layout import Layout
from bilancio.experiments.signature import SEED_NAME
from bilancio.experiments.sweep_config import SweepConfig, check_grows
from bilancio.model.parameters import SEED


class DecoratedSweep(SweepConfig):
    """A sweep of a decorated function.

    Attributes
    ----------
    declaration
        What the function declares.
    """

    declaration: ClassVar[Declaration]
    n_replicates: Annotated[int, Field(ge=1, le=10**7), NUMBER] = Field(
        default=1, description="How many seeds."
    )
    base_seed: Annotated[int, SEED, NUMBER] = Field(default=42, description="The first seed.")

    @property
    def total_runs(self) -> int:
        """Number of runs."""
        return self.n_replicates * len(self.arms)

    @property
    def n_seeds(self) -> int:
        """Number of seeds."""
        return self.n_replicates

    def grown(self, n_replicates: int) -> Self:
        """Return this sweep with so many seeds; the runs that it has keep their numbers."""
        check_grows(self.n_seeds, n_replicates)
        return type(self)(**{**self.as_dict(), "n_replicates": n_replicates})

    @classmethod
    def parameter_model(cls) -> type[BaseModel]:
        """Return the model of one run's parameters."""
        return cls.declaration.parameters

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to other processes as the function's address and what is asked."""
        return _blank, (self.declaration.address,), self.__getstate__()

    @property
    def layout(self) -> Layout:
        """How its runs are numbered."""
        return Layout(self.n_replicates, 1, len(self.arms))

    def all_seeds(self) -> range:
        """Return the seeds in order."""
        return range(self.base_seed, self.base_seed + self.n_replicates)

    def run_settings(self) -> dict[str, Any]:
        """Return the function's parameters where they do not vary."""
        return {name: getattr(self, name) for name in self.declaration.own_parameters}


@functools.cache
def sweep_model(declaration: Declaration) -> type[DecoratedSweep]:
    """Return the model of a function's sweeps."""
    function = declaration.function
    about = declaration.meaning or f"Runs of {declaration.address}."
    kind: Any = Literal.__getitem__(declaration.name)
    model = create_model(
        "Sweep",
        __base__=DecoratedSweep,
        __module__=function.__module__,
        __doc__=about,
        sweep_type=(kind, Field(default=declaration.name, description=about)),
    )
    model.arms = declaration.arms or (ONLY_ARM,)
    model.declaration = declaration
    return fixed_from(declaration.parameters, beside=(SEED_NAME,))(model)


def _blank(address: str) -> DecoratedSweep:
    """Return a sweep of the function at an address that its state is yet to be written into."""
    module, _, name = address.partition(":")
    declaration = declaration_of(getattr(importlib.import_module(module), name))
    assert declaration is not None, "the parent has found it there"
    model = sweep_model(declaration)
    return model.__new__(model)
