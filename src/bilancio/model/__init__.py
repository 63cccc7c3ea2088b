"""The Kalecki ring with dealers: parameters in, metrics out.

Importing this loads neither numpy nor numba; the first run does.
"""

from bilancio.model.compilation import compiled, seconds_to_compile, warm_up
from bilancio.model.engine import Run, simulate, simulate_many
from bilancio.model.metrics import METRICS, End, Metric
from bilancio.model.parameters import (
    Arm,
    BalancedParameters,
    DefaultHandling,
    Kind,
    LiquidityMode,
    OutsideDepth,
    Parameters,
    RingParameters,
    parameters_of,
)
from bilancio.model.trace import Trace

__all__ = [
    "METRICS",
    "Arm",
    "BalancedParameters",
    "DefaultHandling",
    "End",
    "Kind",
    "LiquidityMode",
    "Metric",
    "OutsideDepth",
    "Parameters",
    "RingParameters",
    "Run",
    "Trace",
    "compiled",
    "parameters_of",
    "seconds_to_compile",
    "simulate",
    "simulate_many",
    "warm_up",
]
