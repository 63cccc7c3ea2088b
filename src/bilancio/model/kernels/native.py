"""Compile the engine to object code, which other processes link without numba.

Importing numba and loading what it has cached takes half a second in each process; linking an
object takes a few milliseconds. So the engine has doors of plain pointers, of which nothing is
numba's own. Once all else is internal to the object, LLVM sees that no kernel reports an error or
shares an array, and leaves out what numba has added for that: active runs take half the time.

This is the process that compiles: what it sets here concerns nobody else.
"""

import gc
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Where numba optimises functions, by its first passes: LLVM's are run over the whole object, once.
os.environ["NUMBA_OPT"] = "1"

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import types

from bilancio.model.kernels.books import (
    LANES,
    N_BUCKETS,
    N_DEBT_ROWS,
    N_DESK_ROWS,
    N_DESKS,
    N_KEY_ROWS,
    N_PRICE_ROWS,
    N_SIZED_ROWS,
    N_STREAMS,
    N_TALLIES,
    N_TERM_ROWS,
    N_TRADER_ROWS,
    STREAM_SIZE,
    WORDS,
    Recorder,
)
from bilancio.model.kernels.compiled import part
from bilancio.model.kernels.run import simulate_all
from bilancio.model.linked import GIVEN, SYMBOL, sealed, target_machine
from bilancio.model.tables import EVENTS, METRIC_ROW, PARAMETER_ROW, QUOTES

_numba: Any = numba  # its stubs leave out what is used here
carray = _numba.carray
# All arrays outlive the call, so that neither it nor what it calls need count who uses them.
_simulate_all: Any = part(simulate_all, _nrt=False)


@part
def _arrays(
    n_runs: int, n_weights: int, n: int, n_terms: int, n_bytes: int,
    parameters: Any, weights: Any, metrics: Any, stream: Any, started: Any, keys: Any,
    sized: Any, cash: Any, debt: Any, trader: Any, term: Any, desk: Any, price: Any,
    dealer_bits: Any, tally: Any,
) -> Any:  # fmt: skip
    """Return the arrays of `simulate_all`, given their sizes and addresses; see `books`.

    There is room for *n* traders and *n_terms* terms, and for *n_bytes* of ``dealer_bits``.
    """
    return (
        carray(parameters, (n_runs,), PARAMETER_ROW),
        carray(weights, (n_weights,), np.float64),
        carray(metrics, (n_runs,), METRIC_ROW),
        carray(stream, (STREAM_SIZE,), np.uint32),
        carray(started, (N_STREAMS, LANES, WORDS), np.uint32),
        carray(keys, (N_STREAMS, N_KEY_ROWS, LANES), np.int64),
        carray(sized, (N_SIZED_ROWS, n), np.float64),
        carray(cash, (n + N_DESKS,), np.int64),
        carray(debt, (N_DEBT_ROWS, n), np.int64),
        carray(trader, (N_TRADER_ROWS, n), np.int64),
        carray(term, (N_TERM_ROWS, n_terms), np.int64),
        carray(desk, (N_DESK_ROWS, N_BUCKETS), np.int64),
        carray(price, (N_PRICE_ROWS, N_BUCKETS), np.float64),
        carray(dealer_bits, (n_bytes,), np.uint8),
        carray(tally, (N_TALLIES,), np.int64),
    )


def _door(
    n_runs: int, n_weights: int, n: int, n_terms: int, n_bytes: int,
    parameters: Any, weights: Any, metrics: Any, stream: Any, started: Any, keys: Any,
    sized: Any, cash: Any, debt: Any, trader: Any, term: Any, desk: Any, price: Any,
    dealer_bits: Any, tally: Any,
) -> None:  # fmt: skip
    """Simulate rows, given sizes and addresses of what is described in `books`."""
    arrays = _arrays(
        n_runs, n_weights, n, n_terms, n_bytes,
        parameters, weights, metrics, stream, started, keys,
        sized, cash, debt, trader, term, desk, price, dealer_bits, tally,
    )  # fmt: skip
    _simulate_all(*arrays, None)


def _traced_door(
    n_runs: int, n_weights: int, n: int, n_terms: int, n_bytes: int,
    n_events: int, n_quotes: int, n_days: int, n_agents: int,
    parameters: Any, weights: Any, metrics: Any, stream: Any, started: Any, keys: Any,
    sized: Any, cash: Any, debt: Any, trader: Any, term: Any, desk: Any, price: Any,
    dealer_bits: Any, tally: Any,
    events: Any, counted: Any, quotes: Any, balances: Any,
) -> None:  # fmt: skip
    """Simulate a row, given sizes and addresses of what is described in `books`, recorder too."""
    arrays = _arrays(
        n_runs, n_weights, n, n_terms, n_bytes,
        parameters, weights, metrics, stream, started, keys,
        sized, cash, debt, trader, term, desk, price, dealer_bits, tally,
    )  # fmt: skip
    recorder = Recorder(
        carray(events, (n_events,), EVENTS),
        carray(counted, (1,), np.int64),
        carray(quotes, (n_quotes,), QUOTES),
        carray(balances, (n_days, n_agents), np.int64),
    )
    _simulate_all(*arrays, recorder)


def object_code(door: Callable[..., None]) -> bytes:
    """Compile a *door*, and all that is behind it, for this processor.

    Returns
    -------
    bytes
        An object whose only entry is `SYMBOL`.

    Raises
    ------
    RuntimeError
        It calls what nobody would give it when it is linked.
    """
    sizes = [name for name in inspect.signature(door).parameters if name.startswith("n")]
    addresses = len(inspect.signature(door).parameters) - len(sizes)
    signature = types.void(*[types.int64] * len(sizes), *[types.voidptr] * addresses)
    compiled = numba.cfunc(signature, error_model="numpy")(door)
    module = llvm.parse_assembly(compiled.inspect_llvm())
    for each in (*module.functions, *module.global_variables):
        if each.name == compiled.native_name:
            each.name = SYMBOL
        elif not each.is_declaration:
            each.linkage = "internal"
    _optimise(module)
    declared = (*module.functions, *module.global_variables)
    called = {each.name for each in declared if each.is_declaration}
    if unknown := {name for name in called if not name.startswith("llvm.")} - GIVEN:
        message = f"the compiled engine calls {', '.join(sorted(unknown))}, which nothing gives it"
        raise RuntimeError(message)
    return bytes(target_machine().emit_object(module))


def _optimise(module: llvm.ModuleRef) -> None:
    """Run LLVM's passes over a whole *module*, and take out what it no longer calls."""
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.inlining_threshold = 100  # half of LLVM's: no run takes longer, and this 0.4 s less
    builder = llvm.create_pass_builder(target_machine(), options)
    builder.getModulePassManager().run(module, builder)
    unused = llvm.create_new_module_pass_manager()
    unused.add_ipsccp_pass()  # finds, now that all is small, that no function reports an error
    unused.add_simplify_cfg_pass()
    unused.add_global_dead_code_eliminate_pass()
    unused.run(module, builder)


DOORS: dict[str, Callable[..., None]] = {"plain": _door, "traced": _traced_door}


def main() -> None:
    """Compile a door; arguments are its name, the file that gets the object, and the way."""
    door, path, way = sys.argv[1:]
    if way == "quickly":
        from bilancio.model.quickly import hurry  # knows numba as it is today

        hurry()
    gc.disable()  # there is little garbage among numba's many objects: a tenth of the time
    code = object_code(DOORS[door])
    partial = Path(f"{path}.{os.getpid()}")
    partial.write_bytes(sealed(code))
    partial.replace(path)
