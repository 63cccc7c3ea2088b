"""The one call into the engine: simulate the rows of a table."""

from typing import TYPE_CHECKING

import numpy as np

from bilancio.model.compilation import linked
from bilancio.model.kernels.books import Books, Recorder, new_books

if TYPE_CHECKING:
    from collections.abc import Sequence


def simulate_rows(
    table: np.ndarray,
    weights: np.ndarray,
    metrics: np.ndarray,
    recorder: Recorder | None = None,
) -> Books:
    """Simulate every row, as `kernels.run.simulate_all` does; the GIL is released meanwhile.

    Returns
    -------
    Books
        Those of the last run.
    """
    books = new_books(table)
    door = linked(traced=recorder is not None)
    if door is None:
        from bilancio.model.kernels.run import simulate_all  # numba

        simulate_all(table, weights, metrics, *books, recorder)
        return books
    n, n_terms = books.debt.shape[1], books.term.shape[1]
    sizes: Sequence[int] = [len(table), len(weights), n, n_terms, len(books.dealer_bits)]
    arrays = [table, weights, metrics, *books]
    if recorder is not None:
        sizes = [*sizes, len(recorder.events), len(recorder.quotes), *recorder.balances.shape]
        arrays += recorder
    door(sizes, arrays)
    return books
