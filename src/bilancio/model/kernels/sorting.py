"""Sort without allocating."""

from bilancio.model.kernels.books import Doubles
from bilancio.model.kernels.compiled import part


@part
def sort(keys: Doubles, scratch: Doubles, n: int) -> None:
    """Sort ``keys[:n]`` in ascending order by merging; *scratch* is of the same size."""
    width = 1
    while width < n:
        for start in range(0, n, 2 * width):
            middle = min(start + width, n)
            end = min(start + 2 * width, n)
            left, right = start, middle
            for i in range(start, end):
                if left < middle and (right >= end or keys[left] <= keys[right]):
                    scratch[i] = keys[left]
                    left += 1
                else:
                    scratch[i] = keys[right]
                    right += 1
        for i in range(n):
            keys[i] = scratch[i]
        width *= 2
