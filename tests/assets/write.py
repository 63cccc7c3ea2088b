"""Write a store and folders of the present version: ``python -m tests.assets.write FOLDER``.

Done once for each release. The folder must not exist. The store names FOLDER as the place of the
job folders and who makes them, so write into one whose name says nothing of this machine, under a
name that is nobody's.
"""

import asyncio
import json
import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from bilancio.jobs import AsyncJobManager

#: The module `auctions`: an experiment of one's own, two runs of which fail.
SIMULATIONS = """
from bilancio import experiment


@experiment("auction", primary="price", metrics={"price": ("money", "What was paid.")})
def auction(seed: int, bidders: int = 2) -> dict[str, float]:
    if bidders == 4 and seed in (2, 5):
        raise ZeroDivisionError("no bid above the reserve")
    return {"price": bidders + seed / 10}
"""
BALANCED = {
    "sweep_type": "balanced", "n_agents": 10, "kappas": ["0.25", "0.5", "1"], "mus": ["0", "0.5"],
    "n_replicates": 4,
}  # fmt: skip
RING = {"sweep_type": "ring", "n_agents": 10, "n_replicates": 4}
BY_KAPPA = ["kappa"]
#: Jobs that run to their end: what is asked for, and by what their table is grouped.
DONE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "bright-ocean-swift-tiger": (BALANCED, BY_KAPPA),
    "calm-ring-one": (
        {"sweep_type": "ring", "vary": {"n_agents": [6, 10]}, "kappas": ["0.5", "1"]}
        | {"n_replicates": 4},
        ["n_agents"],
    ),
    "one-run-only": ({"sweep_type": "single", "n_agents": 10, "kappa": "0.5", "seed": 7}, []),
    "wide-cube-two": (
        {"sweep_type": "balanced", "n_agents": 10, "lhs": 6, "kappa_range": ["0.2", "5"]},
        [],
    ),
    "edge-search-three": (
        {"sweep_type": "ring", "n_agents": 10, "mus": ["0", "0.5"], "n_replicates": 4}
        | {"frontier": True, "kappa_range": ["0.2", "20"]},
        ["mu"],
    ),
    "own-auction-four": (
        {"sweep_type": "auction", "vary": {"bidders": [2, 3, 4]}, "seeds": [1, 2, 3, 4, 5, 6]},
        ["bidders"],
    ),
}
HALF_DONE, GROWN, BY_HAND = "half-done-job", "grown-job-five", "hand-made-job"
WAITING, PRECISE = "waiting-job-six", "sure-enough-job"
SURE = {"n_replicates": None, "precision": 0.05, "max_replicates": 40}
MANY = 5_000  # seeds, of which the first are computed


async def fill(manager: AsyncJobManager) -> dict[str, list[str]]:
    """Make all jobs; return by what the table of each is grouped."""
    for name, (config, _) in DONE.items():
        await manager.create_job(f"Of {name}.", config, job_id=name, notes="Kept.", tags=["old"])
        await manager.run_job(name)
    await manager.create_job("With seeds added.", BALANCED, job_id=GROWN)
    await manager.run_job(GROWN)
    await manager.run_job(GROWN, n_replicates=6)
    await manager.create_job("Until it is sure.", BALANCED | SURE, job_id=PRECISE)
    await manager.run_job(PRECISE)
    await manager.create_job("By hand.", RING | {"kappas": ["1"]}, job_id=BY_HAND)
    await manager.start_job(BY_HAND)
    await manager.record_progress(BY_HAND, "run-1", {"delta_total": 0.25})
    await manager.complete_job(BY_HAND, {"avg": 0.25})
    await manager.create_job("Not begun.", BALANCED, job_id=WAITING)
    await manager.create_job("Cancelled.", BALANCED, job_id=HALF_DONE)
    before = await manager.run_job(HALF_DONE)
    await manager.start_sweep(HALF_DONE, n_replicates=MANY)
    async for step in manager.watch(HALF_DONE):
        if step.job.completed_runs > before.total_runs:
            break
    await manager.cancel_job(HALF_DONE)
    await manager.wait(HALF_DONE)
    groups = {name: by for name, (_, by) in DONE.items()}
    return groups | {name: ["kappa"] for name in (GROWN, PRECISE, HALF_DONE)}


async def told(manager: AsyncJobManager, name: str, by: list[str] | None) -> dict[str, Any]:
    """Return what this version says of a job: state, counts, a table, the ends of its runs.

    Of a cancelled job the folder has those runs that were there before seeds were added.
    """
    job = await manager.get_job(name)
    runs = job.folder / "runs.csv"
    in_folder = len(runs.read_text().splitlines()) - 1 if runs.exists() else 0
    said: dict[str, Any] = {
        "status": job.status, "completed": job.completed_runs, "total": job.total_runs,
        "in_folder": in_folder,
    }  # fmt: skip
    if by is not None:
        results = await manager.results(name, group_by=by, limit=1000)
        table = results.table
        said |= {"by": by, "summary": results.summary}
        said["table"] = {"columns": table.columns, "rows": table.rows}
        last = (job.completed_runs if job.status == "completed" else in_folder) - 1
        said["first_run"] = await manager.run_of(name, "0")
        said["last_run"] = await manager.run_of(name, str(last))
    return said


async def write(folder: Path) -> None:
    """Write `store.db`, `out/` and `expected.json` into a new folder."""
    folder.mkdir(parents=True)
    store = folder / "store.db"
    async with AsyncJobManager(str(store), out_dir=folder / "out") as manager:
        groups = await fill(manager)
        names = [*groups, BY_HAND, WAITING]
        expected = {name: await told(manager, name, groups.get(name)) for name in names}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, default=str) + "\n")
    for path in folder.rglob("worker.log"):
        path.unlink()
    with closing(sqlite3.connect(store)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("VACUUM")


def main() -> None:
    """Write into the folder that is named, where the experiment of one's own is found."""
    folder = Path(sys.argv[1]).absolute()
    with tempfile.TemporaryDirectory() as elsewhere:
        (Path(elsewhere) / "auctions.py").write_text(SIMULATIONS)
        os.environ["BILANCIO_EXPERIMENTS"] = "auctions"
        sys.path.insert(0, elsewhere)
        asyncio.run(write(folder))


if __name__ == "__main__":
    main()
