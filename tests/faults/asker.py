"""Ask an MCP server of one's own for a job: ``python -m tests.faults.asker start NAME CONFIG``.

``start`` creates and starts the job, says so, and keeps the conversation open until it is killed.
``change NAME SEED`` starts and cancels the job a few times, in an order drawn from the seed.
"""

import asyncio
import json
import os
import random
import sys

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

SERVER = StdioServerParameters(
    command=sys.executable, args=["-m", "bilancio_mcp"], env=dict(os.environ)
)
CHANGES = 4


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def start(client, name, config):
    asked = {"description": "try", "config": json.loads(config), "job_id": name}
    await client.call_tool("create_job", asked)  # refused, if the job is there already
    said = await client.call_tool("start_sweep", {"job_id": name})
    say("refused" if said.is_error else said.structured_content["action"])
    await asyncio.Event().wait()


async def change(client, name, seed):
    rng = random.Random(seed)
    for _ in range(CHANGES):
        await client.call_tool(rng.choice(("start_sweep", "cancel_job")), {"job_id": name})


async def main(verb, *words):
    async with Client(SERVER) as client:
        await {"start": start, "change": change}[verb](client, *words)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
