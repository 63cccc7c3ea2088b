"""Compile kernels without losing their types, which numba's own decorators would hide."""

from collections.abc import Callable
from typing import Any, SupportsInt, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# A division by zero gives an infinity as in the processor, not an exception; the order of
# double operations stays as written (no fastmath), for two engines agree to the last bit.
_OPTIONS = {"error_model": "numpy", "nogil": True}
_numba: Any = numba  # its stubs leave out what ``part`` asks for


def njit(function: Kernel) -> Kernel:
    """Compile a function that Python may call, too."""
    return cast("Kernel", _numba.njit(**_OPTIONS)(function))


def part(function: Kernel, **more: bool) -> Kernel:
    """Compile a function for other kernels only; a door for Python would double the time.

    *more* options are numba's.
    """
    no_doors = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("Kernel", _numba.njit(**no_doors, **_OPTIONS, **more)(function))


@part
def whole(value: SupportsInt) -> int:
    """Return *value*, a narrow or unsigned integer, as int64, which all kernels count in."""
    return 0 + int(value)
