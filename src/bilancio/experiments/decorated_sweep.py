"""Sweeps of decorated functions: their configuration follows from what the function declares."""

import functools
import importlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field, create_model

from bilancio.experiments.declared import (
    ONLY_ARM,
    Declaration,
    declaration_of,
    difference_name,
)
from bilancio.experiments.derived import fixed_from
from bilancio.experiments.search_sweep import SearchSweep
from bilancio.experiments.signature import SEED_NAME
from bilancio.experiments.threshold import Measures
from bilancio.model.metrics import Metric


class DecoratedSweep(SearchSweep):
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

    @classmethod
    def searchable_measures(cls) -> Measures:
        """Return the measures that a search can look at: metrics, and differences of arms."""
        declared, arms = cls.declaration, cls.declaration.arms
        metrics = tuple(each.name for each in declared.metrics if each.codes is None)
        return Measures(
            metrics=metrics,
            paired=tuple(difference_name(name, arm, arms) for name in metrics for arm in arms[1:]),
            arms=cls.arms,
            default=declared.primary or next(iter(metrics), ""),
            paired_endings=_endings(arms),
        )

    @property
    def recorded_metrics(self) -> tuple[Metric, ...]:
        """The metrics that a search may look at; where none is declared, the one that it does."""
        if self.declaration.metrics or self.threshold is None:
            return self.declaration.metrics
        name: str = self.threshold["measure"]
        ending = next(filter(name.endswith, _endings(self.arms)), "")
        return (Metric(name.removesuffix(ending)),)

    def call_of(self, run: Mapping[str, Any]) -> str:
        """Return the call of the function that computes a run: `queueing.simulate(seed=3, rate=1)`.

        Parameters
        ----------
        run
            Its seed, its arm, and the parameters that vary; more is left alone.
        """
        model = self.declaration.parameters
        given = {name: run[name] for name in model.model_fields if run.get(name) is not None}
        values = model(**self.run_settings() | given).model_dump(mode="json")
        seed = values.pop(SEED_NAME)
        told = [f"{SEED_NAME}=np.array([{seed}])" if self.declaration.batch else f"seed={seed}"]
        told += [f"{name}={value!r}" for name, value in values.items()]
        return f"{self.declaration.address.replace(':', '.')}({', '.join(told)})"

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


def _endings(arms: Sequence[str]) -> tuple[str, ...]:
    """Return how the names of differences between arms end."""
    return tuple(difference_name("", arm, arms) for arm in arms[1:])


def _blank(address: str) -> DecoratedSweep:
    """Return a sweep of the function at an address that its state is yet to be written into."""
    module, _, name = address.partition(":")
    declaration = declaration_of(getattr(importlib.import_module(module), name))
    assert declaration is not None, "the parent has found it there"
    model = sweep_model(declaration)
    return model.__new__(model)
