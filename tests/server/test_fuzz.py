"""Whatever is called with whatever arguments, there is an answer: short, finite, in sentences."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mcp import Client

from bilancio_mcp.server import build_server
from tests.server.talk import TOOLS, created

NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([10**400, -(2**63), 2**64, 1e-320, -0.0, 0.1 + 0.2])
)
TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=20),
    st.sampled_from(
        [
            "", " ", "\0", "\ud800", "\x1b[31m", "[" * 2000, "{", "[1,", "NaN", "1e999", "~",
            "../..",
            "1:0:0.1", "0:1:0", "0:1e9:1e-9", "1::", ":", ",", ",,,", "null", "true", "0x10", "1_0",
            "٣", "½", "-0", "9" * 5000, "a-b", "%", "' OR 1=1 --", "*" * 70_000,
        ]
    ),
)  # fmt: skip
NAMES = st.text(max_size=20) | st.just("x" * 10_000)  # the SDK's client sends no others
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)
    ),
    max_leaves=8,
)  # fmt: skip
FIELDS = [
    "n_agents", "kappas", "concentrations", "mus", "monotonicities", "seeds", "n_replicates",
    "base_seed", "grid", "lhs", "lhs_seed", "kappa_range", "mu_range", "points", "frontier",
    "frontier_delta", "liquidity_mode", "liquidity_vector", "liquidity_agent", "q_total",
    "outside_mid_ratios", "vbt_share", "horizon", "cloud", "run_timeout_s", "kappa", "seed",
]  # fmt: skip
CONFIGS = st.builds(
    lambda kind, fields: {"sweep_type": kind, **fields},
    st.sampled_from(["ring", "balanced", "single"]),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3),
)
ARGUMENTS = {
    "create_job": {
        "description": st.just("x") | VALUES, "config": CONFIGS | CONFIGS.map(str) | VALUES,
        "job_id": VALUES, "notes": VALUES, "tags": VALUES, "out_dir": VALUES, "like": VALUES,
        "dry_run": VALUES,
    },
    "start_sweep": {"job_id": VALUES, "confirm": VALUES},
    "job_status": {"job_id": VALUES, "wait_s": st.sampled_from([0, "0", None]) | VALUES},
    "job_results": {
        "job_id": VALUES, "group_by": VALUES, "measures": VALUES, "limit": VALUES, "offset": VALUES,
    },
    "compare_jobs": {"job_ids": VALUES, "group_by": VALUES, "measures": VALUES},
    "plot_results": {
        "job_id": VALUES, "kind": VALUES, "x": VALUES, "y": VALUES, "by": VALUES, "where": VALUES,
    },
    "show_run": {
        "job_id": VALUES, "run": VALUES, "day": VALUES, "agent": VALUES, "limit": VALUES,
    },
    "list_jobs": {
        "status": VALUES, "tag": VALUES, "text": VALUES, "since": VALUES, "varied": VALUES,
        "limit": VALUES, "offset": VALUES,
    },
    "edit_job": {"job_id": VALUES, "description": VALUES, "notes": VALUES, "tags": VALUES},
    "delete_job": {"job_id": VALUES, "confirm": VALUES},
    "cancel_job": {"job_id": VALUES, "reason": VALUES},
}  # fmt: skip


@st.composite
def calls(draw):
    tool = draw(st.sampled_from(TOOLS))
    known = st.fixed_dictionaries({}, optional=ARGUMENTS[tool])
    unknown = st.dictionaries(NAMES, VALUES, max_size=2)
    arguments = {**draw(known), **draw(st.just({}) | unknown)}
    if draw(st.booleans()) and "job_id" in ARGUMENTS[tool] and tool != "create_job":
        arguments["job_id"] = ...
    if tool == "create_job" and draw(st.booleans()):
        arguments = {"description": "x", "config": {"sweep_type": "ring"}, **arguments}
    return tool, arguments


def check(tool, arguments, result):
    text = result.content[0].text
    assert "unexpected error" not in text, (tool, arguments)
    if result.is_error:
        assert len(text) <= 400, (tool, arguments)
        assert text.strip(), (tool, arguments)
    else:
        said = json.dumps(result.structured_content, allow_nan=False, ensure_ascii=False)
        assert len(said) < 20_000, (tool, arguments)


@pytest.fixture
def in_its_own_folder(tmp_path, monkeypatch):
    """Work where a folder that a call asks for may be made."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("in_its_own_folder")
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(st.lists(calls(), min_size=5, max_size=10))
@example([("list_jobs", {"text": "*" * 70_000}), ("list_jobs", {"tag": "\ud800"})])
@example([("cancel_job", {"job_id": ..., "reason": "\ud800"})])
@example([("create_job", {"description": "x", "config": {"sweep_type": "ring"}, "notes": "\0"})])
def test_every_call_is_answered_in_a_few_sentences(made):
    async def talk():
        async with Client(build_server()) as client:
            job_id = await created(client)
            for tool, arguments in made:
                if arguments.get("job_id") is ...:
                    arguments["job_id"] = job_id
                if tool == "start_sweep" and arguments == {"job_id": job_id}:
                    continue
                check(tool, arguments, await client.call_tool(tool, arguments))

    asyncio.run(talk())
