"""How kernels number buckets and desks, and round money.

References
----------
MODEL.md, sections 0 and 5.
"""

import numpy as np

from bilancio.model.kernels.books import LONG, MIDDLE, SHORT
from bilancio.model.kernels.compiled import part


@part
def bucket_of(days: int) -> int:
    """Return the maturity bucket of *days* to maturity, 1 or more."""
    if days <= 3:
        return SHORT
    return MIDDLE if days <= 8 else LONG


@part
def desk_of(n: int, holder: int, bucket: int) -> int:
    """Return the agent that is VBT or dealer (*holder*) of a *bucket*, beside *n* traders."""
    return n + 2 * bucket + holder - 1


@part
def rounded(money: float) -> int:
    """Return *money* in micro-units, rounded half to even."""
    return int(np.rint(money * 1e6))
