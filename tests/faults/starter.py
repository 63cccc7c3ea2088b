"""Create a job and start it, in a process that may be killed: ``python -m tests.faults.starter``.

Arguments: the job's name, its configuration as JSON and, to extend it, a number of seeds. It
waits for its worker and says how that ended: ``worker -9``.
"""

import asyncio
import json
import sys

from bilancio.jobs import AsyncJobManager
from bilancio.jobs import launch as launching


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main(job_id, config, n_replicates=None):
    spawn, workers = launching.spawn_worker, []

    def noted(*how):
        workers.append(spawn(*how))
        return workers[-1]

    launching.spawn_worker = noted
    async with AsyncJobManager() as manager:
        if await manager.get_job(job_id) is None:
            await manager.create_job("try", config, job_id=job_id)
        say((await manager.start_sweep(job_id, n_replicates=n_replicates)).action)
    for worker in workers:
        say(f"worker {await asyncio.to_thread(worker.wait)}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(json.loads, sys.argv[2:])))
