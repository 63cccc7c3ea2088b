"""The server leaves at once, whatever it is doing, and leaves the store clean."""

import contextlib
import fcntl
import json
import logging
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bilancio.jobs.manager import AsyncJobManager
from tests.server.talk import SMALL, Lines

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux to see a process end"),
]
log = logging.getLogger(__name__)

GENEROUS_S = 2.0  # a client waits 0.6 s; pytest --log-cli-level=INFO shows the time measured


class Conversation(Lines):
    """A client that can stop talking in the middle of anything."""

    def __init__(self) -> None:
        super().__init__()
        [self.server] = psutil.Process(self.process.pid).children()

    def call(self, tool: str, **arguments):
        params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": "p"}}
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        self.write(json.dumps(request).encode())
        return self.read()

    def close_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def kill_uv_then_close_input(self) -> None:
        self.process.kill()
        self.close_input()


@pytest.fixture
def conversation(isolated) -> Iterator[Conversation]:
    started = Conversation()
    with started.process:
        yield started
        for process in (started.server, started.process):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


LEAVING = {
    "SIGINT to the server itself": lambda talk: talk.server.send_signal(signal.SIGINT),
    "EOF": Conversation.close_input,
    "SIGINT": lambda talk: talk.process.send_signal(signal.SIGINT),
    "SIGTERM": lambda talk: talk.process.send_signal(signal.SIGTERM),
    "SIGINT and SIGTERM": lambda talk: [
        talk.process.send_signal(number) for number in (signal.SIGINT, signal.SIGTERM)
    ],
    "SIGKILL of uv, EOF": Conversation.kill_uv_then_close_input,
}


@pytest.mark.parametrize("way", LEAVING)
async def test_server_that_waits_for_a_job_leaves_at_once_and_the_store_is_clean(
    way, conversation, tmp_path
):
    async with AsyncJobManager() as manager:
        job = await manager.create_job("never ends by itself", SMALL)
        await manager.start_job(job.job_id)
    progress = conversation.call("job_status", job_id=job.job_id, wait_s=100)
    assert progress["method"] == "notifications/progress"

    begun = time.perf_counter()
    LEAVING[way](conversation)
    wait_until_gone(conversation.server.pid)
    log.info("%s: gone after %.3f s", way, time.perf_counter() - begun)

    await store_is_clean(tmp_path / "store", job.job_id)


def wait_until_gone(pid: int) -> None:
    """Wait for the end itself; an orphan stays in the process table until its parent asks."""
    with contextlib.suppress(ProcessLookupError):
        file = os.pidfd_open(pid)
        ended, _, _ = select.select([file], [], [], GENEROUS_S)
        os.close(file)
        assert ended


async def store_is_clean(folder: Path, job_id: str) -> None:
    with (folder / "store.lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    async with AsyncJobManager() as manager:
        store = await manager.store()
        assert await store.integrity_errors() == []
        assert (await manager.exact(job_id)).status == "running"
        await manager.create_job("written afterwards", SMALL)


async def test_signal_leaves_without_error(conversation):
    conversation.server.send_signal(signal.SIGTERM)
    assert conversation.process.wait(GENEROUS_S) == 0
