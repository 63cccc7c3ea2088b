"""Have numba compile the engine in two thirds of the time that it takes by itself.

It is made for functions of many kinds that a process calls as soon as each is compiled. Here all
are of one kind, and none is called before they are one object. numba has no settings for that,
and its next version may do these things otherwise.
"""

import sys
from typing import Any

from numba.core import codegen as _codegen
from numba.core import compiler as _compiler
from numba.core import typed_passes, untyped_passes
from numba.core.compiler_machinery import PassManager as _PassManager

codegen: Any = _codegen  # numba's stubs are not whole
compiler: Any = _compiler
PassManager: Any = _PassManager

# What kernels need to go through. They have no closures, no `with`, no array expressions; what is
# to be inlined is left to LLVM. The rest takes a tenth of the time to find nothing.
PASSES: tuple[Any, ...] = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.DeadBranchPrune,
    untyped_passes.GenericRewrites,
    untyped_passes.ReconstructSSA,
    typed_passes.NopythonTypeInference,
    typed_passes.PreLowerStripPhis,
    typed_passes.IRLegalization,
    typed_passes.NativeLowering,
    typed_passes.NoPythonBackend,
)


def hurry() -> None:
    """Compile quickly from now on; nothing that is compiled can be called in this process."""
    passes = PassManager("kernels")
    for each in PASSES:
        passes.add_pass(each, each.name())
    passes.finalize()
    compiler.Compiler.define_pipelines = lambda _: [passes]
    codegen.JITCPUCodegen._library_class = _Part  # noqa: SLF001 - numba has no setting for it
    codegen.JITCPUCodegen.set_env = lambda *_: None  # of a function that was emitted
    sys.modules["scipy"] = None  # type: ignore[assignment] # numba loads it to see if it is there


class _Part(codegen.JITCodeLibrary):  # type: ignore[misc]
    """The code of one function, as numba writes it.

    numba would link each function with all that it calls, optimise these together, and emit them.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.code: Any = self._final_module
        self.calls: dict[_Part, None] = {}  # in order: the object is the same each time

    def add_llvm_module(self, ll_module: Any) -> None:
        self.code.link_in(ll_module)

    def add_linking_library(self, library: "_Part") -> None:
        self.calls[library] = None

    def finalize(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        del name
        return 0

    def get_llvm_str(self) -> str:
        """Return the code with that of all parts which it calls; they can be asked once."""
        parts = [self]
        for each in parts:
            parts += [called for called in each.calls if called not in parts]
        for each in parts[1:]:
            self.code.link_in(each.code)
        return str(self.code)
