"""Batches recorded a second on a server 20 ms away: one a transaction, and several together.

Run it by ``uv run python benchmarks/distance.py postgresql://USER@HOST/DATABASE``, with a database
that may be written to; the job that it makes there is deleted. What goes to the server and comes
back passes through a proxy on this machine, which keeps it for half of the time each way.
"""

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from psycopg.conninfo import conninfo_to_dict

from bilancio.jobs import AsyncJobManager
from bilancio.jobs.store import FinishedBatch, packing

ROUND_TRIP_S = 0.02
BATCHES, RUNS = 192, 1_000
TOGETHER = (1, 4, 16, 64)
NAME = "distant-server-job"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    asyncio.run(measure(parser.parse_args().address))


async def measure(address: str) -> None:
    async with distant(address) as distant_address:
        first = None
        for together in TOGETHER:
            rate = await recorded(distant_address, together)
            first = first or rate
            print(
                f"{together:3} together: {rate:6.1f} batches/s, {rate / first:5.1f} times as many"
            )


async def recorded(address: str, together: int) -> float:
    """Return how many batches are recorded in a second."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncJobManager(address, out_dir=Path(folder)) as manager:
            config = {"sweep_type": "ring", "n_agents": 10, "n_replicates": BATCHES * RUNS}
            job = await manager.create_job("batches", config, job_id=NAME)
            store = await manager.store()
            lease = (await store.claim(job.job_id, "w", lease_s=600, executor="local"))[0]
            n = BATCHES if together > 1 else BATCHES // 8
            began = time.perf_counter()
            for first in range(0, n, together):
                batches = [batch(each) for each in range(first, first + together)]
                await store.record(lease, batches, lease_s=600)
            rate = n / (time.perf_counter() - began)
            await manager.cancel_job(job.job_id)
            await manager.delete_job(job.job_id)
    return rate


def batch(number: int) -> FinishedBatch:
    metrics = np.zeros(RUNS, [(name, float) for name in "abc"])
    chunks = packing.split(np.arange(RUNS) + number * RUNS, metrics)
    return FinishedBatch(chunks=chunks, details={"completed": RUNS}, compute_s=1.0)


@contextlib.asynccontextmanager
async def distant(address: str) -> AsyncIterator[str]:
    """Give an address at which the same server answers later."""
    given = conninfo_to_dict(address)
    host, port = str(given.get("host") or "/tmp"), given.get("port") or 5432
    tasks = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if host.startswith("/"):
            server = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            server = await asyncio.open_connection(host, port)
        for way in (later(reader, server[1]), later(server[0], writer)):
            tasks.add(asyncio.ensure_future(way))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    here = listening.sockets[0].getsockname()[1]
    user = f"{given['user']}:{given['password']}@" if "password" in given else ""
    yield f"postgresql://{user}127.0.0.1:{here}/{given['dbname']}"
    listening.close()
    await asyncio.gather(*tasks)


async def later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what is read, each piece half of a round trip later."""
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    reading = asyncio.ensure_future(read_all(reader, pieces))
    while (piece := await pieces.get())[1]:
        await asyncio.sleep(piece[0] - time.monotonic())
        writer.write(piece[1])
        await writer.drain()
    writer.close()
    await reading


async def read_all(reader: asyncio.StreamReader, pieces: Any) -> None:
    with contextlib.suppress(ConnectionError):
        while heard := await reader.read(1 << 16):
            pieces.put_nowait((time.monotonic() + ROUND_TRIP_S / 2, heard))
    pieces.put_nowait((0.0, b""))


if __name__ == "__main__":
    main()
