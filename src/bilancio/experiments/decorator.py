"""`@experiment`: a function becomes a sweep type.

Importing this loads nothing else of bilancio: ``import bilancio`` does so.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:  # loaded when a function is decorated
    from bilancio.model.metrics import Metric

F = TypeVar("F", bound=Callable[..., Any])


def experiment(
    name: str,
    *,
    arms: Sequence[str] = (),
    primary: str | None = None,
    batch: bool = False,
    version: str | None = None,
    metrics: "Mapping[str, str | tuple[str, str] | Metric] | None" = None,
) -> Callable[[F], F]:
    """Make a function the sweep type *name*; the function itself stays as it is.

    It is called by keyword with a ``seed``, with an ``arm`` where there are *arms*, and with its
    other parameters, which are scalars: ``int``, ``float``, ``bool``, ``str``, a ``Literal``, a
    ``StrEnum``, or ``Annotated`` with bounds and a description. It returns its metrics, numbers by
    name, the same names in every run.

    Workers import it, so it stands at the top level of a module that is named in
    ``[tool.bilancio] experiments`` of the project's pyproject.toml, by the setting
    BILANCIO_EXPERIMENTS or by an entry point of the group ``bilancio.experiments``.

    Parameters
    ----------
    name
        Of the sweep type: lower-case letters, digits, hyphens.
    arms
        Variants that are compared under the same seeds, the one that others are compared with
        first. Each run is one arm.
    primary
        The metric that headlines and intervals are of. Default: the first.
    batch
        Whether one call computes many runs: the seed and each parameter that varies are arrays of
        one length, and so is each metric.
    version
        Of the code that the numbers come from. Default: a hash of the module's source, and of the
        modules of the same project that it imports: any change of them counts as another version.
    metrics
        What the function returns: its unit, unit and meaning, or a `Metric` by name. Default:
        what it does return, without units.

    Raises
    ------
    InvalidInput
        The function cannot be an experiment: one sentence for each reason.
    """
    from bilancio.experiments.declared import declare  # pydantic takes a tenth of a second to load

    if callable(name):
        from bilancio.errors import InvalidInput, Problem  # as above

        got = f"the function {getattr(name, '__name__', name)} in place of a name"
        raise InvalidInput([Problem("@experiment", got, 'a name, as in @experiment("queue")')])

    def mark(function: F) -> F:
        declare(
            function,
            name,
            arms=arms,
            primary=primary,
            batch=batch,
            version=version,
            metrics=metrics,
        )
        return function

    return mark
