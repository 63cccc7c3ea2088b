"""A simulation of one's own is talked about like those that are built in."""

import pytest
from mcp import Client

from bilancio_mcp.server import build_server
from tests.own_project import name_modules, working_in, write
from tests.server.talk import data, refusal


@pytest.fixture
def folder(tmp_path, monkeypatch):
    with working_in(tmp_path / "study", monkeypatch) as folder:
        yield folder


async def test_a_server_that_runs_knows_what_was_written_since(folder):
    text = (
        "from bilancio import experiment\n@experiment('coin')\n"
        "def simulate(seed: int, bias: float = 0.5) -> dict[str, float]:\n"
        "    return {'head': float(seed % 2 < bias)}\n"
    )
    async with Client(build_server()) as client:
        asked = {"description": "x", "config": {"sweep_type": "coin"}}
        assert "got 'coin'" in refusal(await client.call_tool("create_job", asked))
        write(folder, coin=text)
        assert data(await client.call_tool("create_job", asked))["total_runs"] == 1
        (folder / "coin.py").write_text(text.replace("bias", "weight"))
        asked["config"]["weight"] = 0.7
        assert data(await client.call_tool("create_job", asked))["total_runs"] == 1
        name_modules(folder)
        assert "got 'coin'" in refusal(await client.call_tool("create_job", asked))
