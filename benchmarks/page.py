"""The page of a job of 10⁶ runs, while it records: how late, how large, how many readers.

Run by ``uv run python benchmarks/page.py [READERS]``. The server is the command itself; readers
hold streams open, and one of them notes how long after its commit each state has come.
"""

import contextlib
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from bilancio.jobs.manager import JobManager

READERS = 100
PAINTS = 15
NAME = "bright-ocean-swift-tiger"
SWEEP = {
    "sweep_type": "ring", "n_agents": 100, "kappas": ["0.25", "0.5", "1", "2"],
    "n_replicates": 250_000,
}  # fmt: skip
COMMAND = [str(Path(sys.executable).with_name("bilancio")), "serve", "--port", "0"]
MIB = 2**20

Seen = list[tuple[float, int]]


def main() -> None:
    readers = int(sys.argv[1]) if len(sys.argv) > 1 else READERS
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BILANCIO_DATABASE_URL"] = str(Path(folder) / "bilancio.db")
        os.environ["BILANCIO_OUT_DIR"] = str(Path(folder) / "out")
        with JobManager() as manager, served() as (server, host, token):
            measure(manager, server, Site(host, {"Authorization": f"Bearer {token}"}), readers)


@contextlib.contextmanager
def served() -> Iterator[tuple[psutil.Process, str, str]]:
    server = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    address = urlsplit(server.stdout.readline().strip())
    try:
        yield psutil.Process(server.pid), address.netloc, address.query.partition("=")[2]
    finally:
        server.kill()
        server.wait()


def measure(manager: JobManager, server: psutil.Process, site: "Site", readers: int) -> None:
    manager.create_job("A million runs.", SWEEP, job_id=NAME)
    done, seen = threading.Event(), Seen()
    noting = threading.Thread(target=site.read, args=(done, seen))
    noting.start()
    for _ in range(readers - 1):
        threading.Thread(target=site.read, args=(done, Seen())).start()
    manager.start_sweep(NAME)
    paints, largest = list[float](), 0
    while manager.get_job(NAME).state == "running":
        if len(paints) < PAINTS:
            paints.append(site.timed(2000))
        largest = max(largest, server.memory_info().rss)
        time.sleep(0.5)
    noting.join(2)  # its stream stays open, as those of browsers do
    rows = [
        ("commit -> reader, p50", statistics.median(late(manager, seen)), "s", ""),
        ("commit -> reader, p90", statistics.quantiles(late(manager, seen), n=10)[8], "s", "0.6"),
        ("beginning of the page, p90", statistics.quantiles(paints, n=10)[8], "s", "0.5"),
        (f"server with {readers} readers", largest / MIB, "MiB", "400"),
    ]
    rows += [(name, site.timed(), "s", "") for name in ("whole page, cold", "whole page, kept")]
    rows.append(("server after them", server.memory_info().rss / MIB, "MiB", "400"))
    began = time.perf_counter()
    server.send_signal(signal.SIGINT)
    server.wait()
    rows.append(("Ctrl-C -> gone", time.perf_counter() - began, "s", "3"))
    done.set()
    job = manager.get_job(NAME)
    print(f"{job.completed_runs:,} runs, {len(seen)} states seen")
    for name, value, unit, target in rows:
        print(f"{name:32}{value:10.3f} {unit:4}{target:>6}")


class Site:
    """The page of the job, as its readers ask for it."""

    def __init__(self, host: str, headers: dict[str, str]) -> None:
        self._host = host
        self._headers = headers

    def read(self, done: threading.Event, seen: Seen) -> None:
        """Hold a stream open; note when each state came, by this machine's clock."""
        connection = http.client.HTTPConnection(self._host, timeout=600)
        connection.request("GET", f"/live?job={NAME}", headers=self._headers)
        lines = connection.getresponse()
        while not done.is_set() and (line := lines.readline()):
            if line.startswith(b"data: "):
                told = json.loads(line[6:])
                seen.append((time.time(), int(told["texts"]["done"].split()[0].replace(",", ""))))

    def timed(self, most: int | None = None) -> float:
        """Return how long the page takes, or its first *most* bytes, which say its state."""
        with contextlib.closing(http.client.HTTPConnection(self._host, timeout=600)) as connection:
            began = time.perf_counter()
            connection.request("GET", f"/jobs/{NAME}", headers=self._headers)
            connection.getresponse().read(most)
            return time.perf_counter() - began


def late(manager: JobManager, seen: Seen) -> list[float]:
    """Return, for each commit, how long it took until a state with its runs had come."""
    counted, found = 0, []
    for event in manager.events(NAME):
        if event.event_type.value != "progress":
            continue
        counted += event.details.get("completed", 0)
        at = event.timestamp.timestamp()
        came = next((moment for moment, done in seen if done >= counted and moment >= at), None)
        if came is not None:
            found.append(came - at)
    return found


if __name__ == "__main__":
    main()
