"""The MCP server against a bare one on the same SDK: time to be ready, time to answer.

Run by ``uv run python benchmarks/server.py``. Both are measured in turn, so that whatever else
the machine does slows both.
"""

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from mcp import Client, StdioServerParameters

from bilancio.jobs.manager import AsyncJobManager

STARTS = 7
CALLS = 300
OURS = ["-m", "bilancio_mcp"]
BARE = [
    "-c",
    """
from mcp.server.mcpserver import MCPServer
server = MCPServer("bare")
@server.tool()
async def echo(text: str) -> str:
    return text
server.run()
""",
]
SWEEP = {"sweep_type": "balanced", "kappas": ["0.25", "0.5"], "seeds": [1, 2, 3], "n_agents": 10}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BILANCIO_DATABASE_URL"] = str(Path(folder) / "bilancio.db")
        os.environ["BILANCIO_OUT_DIR"] = str(Path(folder) / "out")
        rows = asyncio.run(measured())
    print(f"{'':44}{'bare':>10}{'ours':>10}{'ratio':>8}{'target':>8}")
    for name, bare, ours, target in rows:
        print(f"{name:44}{1e3 * bare:8.1f}ms{1e3 * ours:8.1f}ms{ours / bare:8.2f}{target:>8}")


async def measured() -> list[tuple[str, float, float, str]]:
    ready: dict[str, list[float]] = {"bare": [], "ours": []}
    for _ in range(STARTS):
        for name, arguments in (("bare", BARE), ("ours", OURS)):
            begun = time.perf_counter()
            async with connected(arguments):
                ready[name].append(time.perf_counter() - begun)
    rows = [
        (
            f"ready (start to tools listed), best of {STARTS}",
            min(ready["bare"]),
            min(ready["ours"]),
            "1.3",
        )
    ]
    async with AsyncJobManager() as manager:
        pending = (await manager.create_job("waits", SWEEP)).job_id
        done = (await manager.create_job("done", SWEEP)).job_id
        await manager.run_job(done)
    async with connected(BARE) as bare, connected(OURS) as ours:
        for name, job_id in (("pending", pending), ("completed", done)):
            echo, status = [], []
            for _ in range(CALLS):
                echo.append(await answered(bare, "echo", text=job_id))
                status.append(await answered(ours, "job_status", job_id=job_id))
            rows.append(
                (
                    f"job_status of a {name} job, p50 of {CALLS}",
                    statistics.median(echo),
                    statistics.median(status),
                    "3",
                )
            )
    return rows


@contextlib.asynccontextmanager
async def connected(arguments: list[str]) -> AsyncIterator[Client]:
    server = StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ))
    async with Client(server) as client:
        await client.list_tools()
        yield client


async def answered(client: Client, tool: str, **arguments: object) -> float:
    begun = time.perf_counter()
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
