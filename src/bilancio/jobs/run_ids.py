"""The ids of a sweep's runs: made when they are asked for, and shown by their ends."""

from collections.abc import Sequence
from typing import Any, overload

from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.job_id import short_hash

LISTED = 100


class RunIds(Sequence[str]):
    """The ids of a sweep's runs, made when asked for.

    ``<sweep>_<arm>_<5 hex of job><7 hex of index>``: the same on every resume, and each says
    where its run is.
    """

    def __init__(self, job_id: str, config: SweepConfig, length: int) -> None:
        self._prefix = short_hash(job_id)
        self._config = config
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            message = f"run {index} of {self._length}"
            raise IndexError(message)
        index %= self._length
        arm = self._config.arm_of(index)
        return f"{self._config.sweep_type}_{arm}_{self._prefix}{index:07x}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunIds) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self._prefix, self._config.sweep_type, self._length))

    def __contains__(self, run_id: object) -> bool:
        return isinstance(run_id, str) and self.find(run_id) is not None

    def find(self, run_id: str) -> int | None:
        """Return the index of the run with this id, or None."""
        try:
            index = int(run_id[-7:], 16)
        except ValueError:
            return None
        return index if index < self._length and self[index] == run_id else None

    def __repr__(self) -> str:
        return f"<{self._length:,} run ids of {self._config.sweep_type}>"


def listed_ids(run_ids: Sequence[str]) -> list[str] | dict[str, Any]:
    """Return run ids as JSON holds them: all of a hundred, else the ends and a count."""
    if len(run_ids) <= LISTED:
        return list(run_ids)
    return {"count": len(run_ids), "first": run_ids[0], "last": run_ids[-1]}
