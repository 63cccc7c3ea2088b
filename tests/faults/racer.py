"""One of several processes that want different things of one store at once.

``python -m tests.faults.racer change SEED`` starts and cancels the job in a random order;
``python -m tests.faults.racer create KEY`` creates one job four times at once.
"""

import asyncio
import random
import sys

from bilancio.errors import BilancioError
from bilancio.jobs import AsyncJobManager
from tests.faults.kit import NAME
from tests.faults.starter import say

SMALL = {"sweep_type": "trivial", "n": 10}


async def change(seed):
    rng = random.Random(seed)
    async with AsyncJobManager() as manager:
        for _ in range(6):
            act = rng.choice([manager.start_sweep, manager.start_sweep, manager.cancel_job])
            try:
                await act(NAME)
            except BilancioError as error:
                say(f"{type(error).__name__}: {error}")


async def create(key):
    async with AsyncJobManager() as manager:
        asked = (manager.create_job("try", SMALL, request_key=key) for _ in range(4))
        for job in await asyncio.gather(*asked):
            say(job.job_id)


if __name__ == "__main__":
    asyncio.run({"change": change, "create": create}[sys.argv[1]](sys.argv[2]))
