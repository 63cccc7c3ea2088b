"""What to type: options for an example of each sweep type."""

from collections.abc import Iterator

from bilancio.errors import InvalidInput
from bilancio.experiments import registry

_BUILT_IN = {
    "single": "--n-agents 50 --kappa 0.5 --seed 7",
    "ring": "--kappas 0.25,0.5,1,2 --mus 0,0.5,1 --n-replicates 20",
    "balanced": "--n-agents 50 --kappas 0.3,0.5 --outside-mid-ratios 1,0.75 --seeds 42,43",
}
_FROM_FILE = "--config sweep.yaml"


def example_options(sweep_type: str) -> str:
    """Return options that make a small sweep of this type.

    A simulation of one's own is varied along its first number, at values that it allows.
    """
    if sweep_type in _BUILT_IN:
        return _BUILT_IN[sweep_type]
    plugin = registry.plugins().experiments.get(sweep_type)
    if plugin is None or plugin.declaration is None:
        return _FROM_FILE
    parameters = plugin.declaration.own_parameters
    if any(field.is_required() for field in parameters.values()):
        return _FROM_FILE
    for name, field in parameters.items():
        for values in _beside(field.get_default(call_default_factory=True)):
            if _is_allowed(sweep_type, name, values):
                varied = ",".join(map(str, values))
                return f"--vary {name}={varied} --n-replicates 20"
    return "--n-replicates 20"


def _beside(default: object) -> Iterator[list[float]]:
    """Yield pairs of values, one of them the default; nothing where it is no number."""
    if isinstance(default, bool) or not isinstance(default, (int, float)) or not default:
        return
    half = default // 2 if isinstance(default, int) else default / 2
    if half:
        yield [half, default]
    yield [default, 2 * default]


def _is_allowed(sweep_type: str, name: str, values: list[float]) -> bool:
    try:
        registry.configuration({"sweep_type": sweep_type, "vary": {name: values}})
    except InvalidInput:
        return False
    return True
