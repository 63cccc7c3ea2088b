"""Several processes at once on one store."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.kit import NAME, ROOT, assert_sound, carried_on, outcome
from tests.night import nightly

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(120)]

PROGRAM = str(Path(sys.executable).with_name("bilancio"))
RACER = (sys.executable, "-m", "tests.faults.racer")
ASKER = (sys.executable, "-m", "tests.faults.asker")  # brings an MCP server of its own


async def together(*commands):
    """Run the commands at once, and return what each said."""
    running = [
        await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for command in commands
    ]
    said = []
    for process in running:
        out, err = (each.decode() for each in await process.communicate())
        assert process.returncode in {0, 1}, err
        assert "Traceback" not in out + err
        said.append(out)
    return said


def fences_in_order_of_writing(path):
    with sqlite3.connect(path) as raw:
        fences = [row[0] for row in raw.execute("SELECT fence FROM chunks ORDER BY rowid")]
    raw.close()
    return fences


@pytest.mark.parametrize("seed", [0, *nightly(1)])
async def test_starts_and_cancels_of_many_processes_at_once_leave_a_legal_job(
    seed, manager, isolated, expected
):
    gate = isolated / "gate"
    config = {"sweep_type": "gated", "n": 3_000, "gate": 2_000, "file": str(gate)}
    await manager.create_job("try", config, job_id=NAME)
    await together(
        (*RACER, "change", f"{seed}-a"),
        (*RACER, "change", f"{seed}-b"),
        (*ASKER, "change", NAME, f"{seed}-c"),
        (*ASKER, "change", NAME, f"{seed}-d"),
        (PROGRAM, "jobs", "resume", NAME, "--detach"),
        (PROGRAM, "jobs", "cancel", NAME),
    )
    await assert_sound(manager)
    gate.touch()
    await carried_on(manager, config)
    await assert_sound(manager)
    assert await outcome(manager) == await expected(config)
    fences = fences_in_order_of_writing((await manager.store()).database.path)
    assert fences == sorted(fences)


async def test_sixteen_requests_with_one_key_from_four_processes_make_one_job(manager):
    said = await together(*[(*RACER, "create", "key")] * 4)
    names = "".join(said).split()
    assert len(names) == 16
    assert set(names) == {job.job_id for job in (await manager.list_jobs()).jobs}
    assert len(set(names)) == 1
    await assert_sound(manager)
