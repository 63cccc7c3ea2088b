"""Long lists: the pages that one asks for, and a sequence that reads them when they are needed."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar, overload

from bilancio.errors import invalid

T = TypeVar("T")

MAX_ROWS = 1000
MAX_WHOLE = 2**62


def check_page(limit: object, offset: object) -> None:
    """Refuse a page that there cannot be.

    Raises
    ------
    InvalidInput
        *limit* is not from 1 to 1,000, or *offset* is below 0.
    """
    check_whole("limit", limit, low=1, high=MAX_ROWS)
    check_whole("offset", offset, low=0)


def cut(limit: object, offset: object) -> slice:
    """Return which rows of a table are asked for: *limit* of them, all where it is None.

    Raises
    ------
    InvalidInput
        *limit* is below 1, or *offset* below 0.
    """
    check_whole("offset", offset, low=0)
    if limit is None:
        return slice(offset, None)
    check_whole("limit", limit, low=1)
    return slice(offset, offset + limit)  # type: ignore[operator]  # both are ints


def check_whole(field: str, value: object, *, low: int, high: int = MAX_WHOLE) -> None:
    """Refuse what is not a whole number from *low* to *high*.

    Raises
    ------
    InvalidInput
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole and low <= value <= high):  # type: ignore[operator]  # it is an int
        bound = f" to {high:,}" if high < MAX_WHOLE else ""
        raise invalid(field, value, f"whole numbers from {low}{bound}")


class Paged(Sequence[T], Generic[T]):
    """All items of a long list, read a page at a time; the last page read is kept.

    Parameters
    ----------
    read
        Returns the page that begins at an offset, `MAX_ROWS` items unless it is the last.
    total
        How many items there are.
    """

    def __init__(self, read: Callable[[int], Sequence[T]], total: int) -> None:
        self._read = read
        self._total = total
        self._start = 0
        self._page: Sequence[T] = ()

    def __len__(self) -> int:
        return self._total

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(self._total))]
        if not -self._total <= index < self._total:
            message = f"item {index} of {self._total}"
            raise IndexError(message)
        index %= self._total
        if not self._start <= index < self._start + len(self._page):
            self._start = index - index % MAX_ROWS
            self._page = self._read(self._start)
        return self._page[index - self._start]

    def __iter__(self) -> Iterator[T]:
        for start in range(0, self._total, MAX_ROWS):
            yield from self._read(start)

    def __repr__(self) -> str:
        return f"<{self._total:,} items, read when they are asked for>"
