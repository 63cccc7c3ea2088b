"""A job of a team that is completed although a Dask worker, the database server and a worker die.

Run it from a checkout with PostgreSQL's server programs (Debian: apt install postgresql) by
``uv run python -m benchmarks.team [FOLDER [SEEDS]]``; it takes about a minute.

Two machines share a store in PostgreSQL and a Dask cluster of two processes: two homes, two output
folders, two folders of locks. The first starts a sweep of 200,000 runs, 200 under each of 1,000
seeds. On the way are killed, by SIGKILL: a Dask worker; the server, which is started again; and the
process that records the job. The second machine takes the job over when the lease has run out. The
files that it writes are then compared, byte by byte, with those of the same sweep carried out
undisturbed, on one machine.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.executors.cluster import Cluster  # only in a checkout
from tests.postgres import Server, binaries

from bilancio.jobs import Job, JobManager
from bilancio.settings import cache_dir

NAME = "bright-ocean-swift-tiger"
MISSPELT = "Bright Ocean Swift Tigr"
SEEDS = sys.argv[2] if sys.argv[2:] else "1000"
RUNS = 200 * int(SEEDS)
SWEEP = (
    "balanced", "--job-id", NAME, "--n-agents", "100", "--kappas", "0.25,0.5,1,2,4",
    "--concentrations", "0.2,0.5,1,2,5", "--mus", "0,0.25,0.5,1", "--n-replicates", SEEDS, "--yes",
)  # fmt: skip
FILES = ("runs.csv", "comparison.csv", "cells.csv", "summary.json")
LEASE_S = 5
BEGAN = time.monotonic()
BILANCIO = Path(sys.executable).with_name("bilancio")


class Machine:
    """A home, an output folder and a folder of locks of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        for name in ("home", "work", "locks"):
            (folder / name).mkdir(parents=True, mode=0o700)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        self._environment = kept | {
            "HOME": str(folder / "home"),
            "XDG_RUNTIME_DIR": str(folder / "locks"),
            "BILANCIO_OUT_DIR": str(folder / "out"),
            "BILANCIO_CACHE_DIR": str(cache_dir()),  # the engine is compiled once
            **settings,
        }

    @property
    def job_folder(self) -> Path:
        return self._folder / "out" / NAME

    def bilancio(self, *words: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run a command; return what it writes to standard output."""
        done = subprocess.run(
            [BILANCIO, *words],
            env=self._environment,
            cwd=self._folder / "work",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in codes:
            sys.exit(f"bilancio {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def job(self) -> Any:
        return json.loads(self.bilancio("jobs", "show", NAME, "--json"))["job"]

    def answer(self) -> dict[str, Any]:
        """Return what the job has found, asked by a misspelt name."""
        found = json.loads(
            self.bilancio("jobs", "results", MISSPELT, "--group-by", "kappa", "--json")
        )
        return {name: found[name] for name in ("headline", "summary", "table")}


def say(text: str) -> None:
    print(f"{time.monotonic() - BEGAN:5.1f} s  {text}", flush=True)


def until_recorded(manager: JobManager, runs: int) -> Job:
    """Wait until so many runs are recorded; while the server is away the lease may run out."""
    while (job := manager.exact(NAME)).status == "running":
        for progress in manager.watch(NAME):
            if progress.done_runs >= runs:
                say(f"{progress.done_runs:,} of {job.total_runs:,} runs recorded")
                return progress.job
    sys.exit(f"the job is {job.status}: {job.error}")


def disturbed(folder: Path, server: Server, cluster: Cluster) -> tuple[Machine, Machine]:
    shared = {
        "BILANCIO_DATABASE_URL": server.make("team"),
        "BILANCIO_EXECUTOR": "dask",
        "BILANCIO_DASK_ADDRESS": cluster.address,
        "BILANCIO_LEASE_S": str(LEASE_S),
    }
    first, second = Machine(folder / "first", **shared), Machine(folder / "second", **shared)
    first.bilancio("sweep", *SWEEP, "--detach")
    with JobManager(shared["BILANCIO_DATABASE_URL"]) as manager:
        until_recorded(manager, RUNS // 10)
        say("kill a Dask worker")
        cluster.workers[0].kill()
        until_recorded(manager, RUNS // 4)
        say("kill the server, and start it again")
        server.kill()
        cluster.add_worker()
        server.start()
        job = until_recorded(manager, RUNS // 2)
        say("kill the process that records, on the first machine")
        os.kill(job.holder.pid, signal.SIGKILL)
    first.job_folder.parent.rename(folder / "out-of-the-first")  # no other machine sees it
    second.bilancio("jobs", "watch", NAME, codes=(3,))
    say("for the second machine the job has stalled; it resumes")
    second.bilancio("worker", NAME)
    job = second.job()
    say(f"{job['status']}, {job['completed_runs']:,} runs, in {job['attempts']} attempts")
    assert (job["status"], job["completed_runs"]) == ("completed", RUNS)
    assert (job["failed_runs"], job["attempts"]) == (0, 2)
    return first, second


def compared(folder: Path, first: Machine, second: Machine) -> None:
    alone = Machine(folder / "alone", BILANCIO_DATABASE_URL=str(folder / "alone" / "store.db"))
    alone.bilancio("sweep", *SWEEP)
    say("the same sweep, undisturbed, on this machine alone")
    for name in FILES:
        here, there = (each.job_folder / name for each in (alone, second))
        assert here.read_bytes() == there.read_bytes(), name
        say(f"{name}: the same {here.stat().st_size:,} bytes")
    expected = alone.answer()
    assert first.answer() == expected
    assert second.answer() == expected
    say(f"{MISSPELT!r}, asked on either machine: {expected['headline']}")
    for machine in (first, second):
        found = json.loads(machine.bilancio("doctor", "--json", codes=(0, 1)))["findings"]
        assert [each for each in found if "contradict" in each["message"]] == [], found


def main() -> None:
    folder = Path(sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp(prefix="bilancio-team-"))
    programs = binaries()
    if programs is None:
        sys.exit("PostgreSQL's server is not installed (Debian: apt install postgresql)")
    server = Server(programs)
    cluster = Cluster(BILANCIO_PLUGINS="")
    try:
        compared(folder, *disturbed(folder, server, cluster))
    finally:
        cluster.end()
        server.remove()


if __name__ == "__main__":
    main()
