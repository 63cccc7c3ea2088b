"""A damaged job in the store, or below the output folder, as a conversation sees it."""

import sqlite3
from contextlib import closing

from mcp import Client

from tests.server.talk import created, data, module_command, over_stdio


async def test_a_damaged_job_is_named_by_the_list_and_refused_by_name(isolated):
    async with Client(over_stdio(module_command())) as client:
        whole, hurt = await created(client), await created(client)
    with closing(sqlite3.connect(isolated / "store" / "bilancio.db")) as raw, raw:
        raw.execute("PRAGMA ignore_check_constraints = ON")
        raw.execute("UPDATE jobs SET tags = '[' WHERE job_id = ?", (hurt,))
    async with Client(over_stdio(module_command())) as client:
        listed = data(await client.call_tool("list_jobs", {}))
        assert [job["job_id"] for job in listed["jobs"]] == [whole]
        assert f"Damaged in the store and left out: {hurt}." in listed["summary"]
        refused = await client.call_tool("job_status", {"job_id": hurt})
        assert refused.is_error
        assert f"Job {hurt} is damaged in the store: its tags" in refused.content[0].text


async def test_a_list_says_that_a_manifest_could_not_be_read(isolated):
    (isolated / "out" / "letter").mkdir(parents=True)
    (isolated / "out" / "letter" / "job_manifest.json").write_text("Dear reader")
    async with Client(over_stdio(module_command())) as client:
        listed = data(await client.call_tool("list_jobs", {}))
    assert listed["summary"].endswith("1 manifest below the output folder could not be read.")
