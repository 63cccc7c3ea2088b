"""Compile kernels without losing their types, which numba's own decorators would hide."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# A division by zero gives an infinity as in the processor, not an exception; the order of
# double operations stays as written (no fastmath), for two engines agree to the last bit.
_OPTIONS = {"error_model": "numpy", "nogil": True}


def njit(function: Kernel) -> Kernel:
    """Compile a part of an entry when the entry is compiled."""
    return cast("Kernel", numba.njit(**_OPTIONS)(function))


def entry(signature: object) -> Callable[[Kernel], Kernel]:
    """Compile a function for one signature at once, or load it from numba's cache."""

    def compiled(function: Kernel) -> Kernel:
        return cast("Kernel", numba.njit(signature, cache=True, **_OPTIONS)(function))

    return compiled
