"""Tables of metrics as they are stored: a .npy of a structured array, with its checksum."""

import functools
import io
import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bilancio.errors import JobDamaged
from bilancio.jobs.store.rows import Chunk

Indices = NDArray[np.int64]
Metrics = NDArray[np.void]


def pack(metrics: Metrics) -> tuple[bytes, int]:
    """Return *metrics* (structured, one row a run) as bytes, and their CRC-32."""
    try:
        packed = _written(metrics, (1, 0))
    except ValueError:  # names that are not Latin-1, or more of them than its header holds
        packed = _written(metrics, (3, 0))
    return packed, zlib.crc32(packed)


def _written(metrics: Metrics, version: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    npy.write_array(buffer, metrics, version=version, allow_pickle=False)
    return buffer.getvalue()


def unpack(chunk: Chunk, job_id: str) -> Metrics:
    """Return the table in *chunk*, which cannot be written to.

    Raises
    ------
    JobDamaged
        The bytes are not those that were stored.
    """
    runs = f"runs {chunk.first_index}–{chunk.last_index}"
    if zlib.crc32(chunk.metrics) != chunk.crc32:
        raise JobDamaged(job_id, f"the checksum of {runs} does not match")
    try:
        table = _read(chunk.metrics)
    except (ValueError, TypeError, EOFError):  # the checksum fits, and yet it is not a table
        raise JobDamaged(job_id, f"{runs} are not a table of metrics") from None
    if table.dtype.names is None or table.shape != (chunk.last_index - chunk.first_index + 1,):
        raise JobDamaged(job_id, f"the table of {runs} has the wrong size")
    return table


def _read(packed: bytes) -> Metrics:
    """Return the table in a .npy, without a copy of it where that is possible."""
    version, length = packed[: npy.MAGIC_LEN], packed[npy.MAGIC_LEN : npy.MAGIC_LEN + 2]
    if version != npy.magic(1, 0):
        table: Metrics = npy.read_array(
            io.BytesIO(packed), allow_pickle=False, max_header_size=len(packed)
        )
        table.flags.writeable = False
        return table
    start = npy.MAGIC_LEN + 2 + int.from_bytes(length, "little")
    shape, dtype = _header(packed[npy.MAGIC_LEN : start])
    if dtype.hasobject or len(packed) - start != dtype.itemsize * math.prod(shape):
        message = "its rows are not those that the header tells of"
        raise ValueError(message)
    return np.frombuffer(packed, dtype, offset=start).reshape(shape)


@functools.lru_cache(maxsize=64)
def _header(header: bytes) -> tuple[tuple[int, ...], np.dtype[np.void]]:
    """Return shape and type of the table that a header tells of; parsing takes a millisecond."""
    shape, by_columns, dtype = npy.read_array_header_1_0(
        io.BytesIO(header), max_header_size=len(header)
    )
    if by_columns and len(shape) > 1:
        message = "it is not a table of rows"
        raise ValueError(message)
    return shape, dtype


def one_row(numbers: Mapping[str, float]) -> Metrics:
    """Return numbers by name as a table of one row."""
    return np.array([tuple(numbers.values())], [(name, np.float64) for name in numbers])


def split(indices: Indices, metrics: Metrics, compute_s: float = 0.0) -> list[Chunk]:
    """Return chunks of consecutive runs: one, or several where *indices* have gaps.

    Parameters
    ----------
    indices : int64 (n,)
        Indices of the successful runs, increasing.
    metrics : structured (n,)
        Their rows.
    compute_s
        Seconds that computing them took, shared out by rows.
    """
    if not len(indices):
        return []
    chunks = []
    gaps = np.flatnonzero(np.diff(indices) != 1) + 1
    for part in np.split(np.arange(len(indices)), gaps):
        packed, crc32 = pack(np.ascontiguousarray(metrics[part]))
        chunks.append(
            Chunk(
                first_index=int(indices[part[0]]),
                last_index=int(indices[part[-1]]),
                metrics=packed,
                crc32=crc32,
                compute_s=compute_s * len(part) / len(indices),
            )
        )
    return chunks


def join(chunks: Sequence[Chunk], job_id: str) -> tuple[Indices, Metrics]:
    """Return the indices and rows of all *chunks*.

    Of differing tables the common columns are kept, each in a type that holds all its values.
    Holds one copy of the rows and one unpacked chunk at a time, whatever their number.
    """
    sizes = [chunk.last_index - chunk.first_index + 1 for chunk in chunks]
    indices = np.empty(sum(sizes), np.int64)
    metrics = np.empty(sum(sizes), np.dtype([]))
    at = 0
    for chunk, size in zip(chunks, sizes, strict=True):
        table = unpack(chunk, job_id)
        if not at:
            metrics = np.empty(sum(sizes), table.dtype)
        elif table.dtype != metrics.dtype:
            common = _common(metrics.dtype, table.dtype)
            names = list(common.names or ())
            if common != metrics.dtype:
                metrics = metrics[names].astype(common)
            table = table[names]
        indices[at : at + size] = np.arange(chunk.first_index, chunk.last_index + 1)
        metrics[at : at + size] = table
        at += size
    return indices, metrics


def _common(one: np.dtype[np.void], other: np.dtype[np.void]) -> np.dtype[np.void]:
    """Return the columns that both tables have, in types that hold the values of both."""
    names = [name for name in one.names or () if name in (other.names or ())]
    return np.dtype([(name, np.promote_types(one[name], other[name])) for name in names])
