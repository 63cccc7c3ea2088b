"""Link the compiled engine into this process, by llvmlite alone."""

import ctypes
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np

SYMBOL = "bilancio_simulate"
# What the engine may call: of the C library.
GIVEN = frozenset({"exp", "log", "pow", "sqrt", "memcpy", "memmove", "memset"})
_SEAL = hashlib.sha256().digest_size


class Damaged(Exception):
    """A file does not hold what was written into it."""


class Linked:
    """A door of the engine, linked.

    Parameters
    ----------
    path
        The file that `kernels.native` wrote, on this processor.

    Raises
    ------
    Damaged
        It was changed since.
    OSError
        It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        code = _unsealed(path.read_bytes())
        _give_symbols()
        self._linker = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
        self._linker.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._linker.finalize_object()
        self._address = self._linker.get_function_address(SYMBOL)

    def __call__(self, sizes: Sequence[int], arrays: Sequence[np.ndarray]) -> None:
        """Call the door with *sizes* and the addresses of *arrays*; the GIL is released."""
        types = [ctypes.c_int64] * len(sizes) + [ctypes.c_void_p] * len(arrays)
        door = ctypes.CFUNCTYPE(None, *types)(self._address)
        door(*sizes, *(each.ctypes.data for each in arrays))


def sealed(code: bytes) -> bytes:
    """Return *code* with its digest, by which damage is noticed before it is run."""
    return hashlib.sha256(code).digest() + code


def _unsealed(data: bytes) -> bytes:
    code = data[_SEAL:]
    if not code or data != sealed(code):
        raise Damaged
    return code


@cache
def target_machine() -> Any:
    """Return LLVM's description of this machine, with all that its processor can do."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="default",
        codemodel="jitdefault",
        jit=True,
    )


@cache
def _give_symbols() -> None:
    """Name the C library's functions to LLVM, which aborts the process over one that it misses."""
    library = ctypes.CDLL(None)
    for name in GIVEN:
        llvm.add_symbol(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
