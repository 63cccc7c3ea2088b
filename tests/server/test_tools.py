"""Each tool's good path, over the SDK's client in memory."""

import json
import math

import pytest
from mcp import Client, MCPError
from mcp_types import ResourceTemplateReference

from bilancio.jobs import JobStatus
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.views import Table
from bilancio_mcp.outputs import JobResults, results_table
from bilancio_mcp.server import build_server
from bilancio_mcp.tools import status
from tests.server.talk import SMALL, completed, created, data, refusal, typo, waited


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_created_job_has_a_name_a_run_count_and_an_estimate(mode, tmp_path):
    async with Client(build_server(), mode=mode) as client:
        answer = data(
            await client.call_tool("create_job", {"description": "why?", "config": SMALL})
        )
        assert answer["total_runs"] == 12
        assert answer["job_id"].count("-") == 3
        assert answer["job_id"] in answer["summary"]
        assert "12 runs" in answer["summary"]
        assert answer["estimate"]["rough"]
        assert answer["config"]["kappas"] == ["0.25", "0.5"]
        assert answer["folder"] == str(tmp_path / "out" / answer["job_id"])
        assert f"start_sweep(job_id='{answer['job_id']}')" in answer["next"]


async def test_job_keeps_the_words_the_name_and_the_folder_it_was_given(tmp_path):
    async with Client(build_server()) as client:
        job_id = await created(
            client,
            job_id="my-own-name",
            notes="for the paper",
            tags=["paper", "draft"],
            out_dir=str(tmp_path / "out" / "elsewhere"),
        )
    async with AsyncJobManager() as manager:
        job = await manager.exact("my-own-name")
    assert job_id == job.job_id
    assert (job.description, job.notes) == ("stressed liquidity", "for the paper")
    assert job.tags == ("paper", "draft")
    assert job.out_dir == tmp_path / "out" / "elsewhere"


async def test_config_written_as_json_text_is_read():
    async with Client(build_server()) as client:
        job_id = await created(client, json.dumps(SMALL))
        assert data(await client.call_tool("job_status", {"job_id": job_id}))["total_runs"] == 12


async def test_arguments_that_are_null_count_as_not_given():
    async with Client(build_server()) as client:
        job_id = await created(client, job_id=None, notes=None, tags=None, out_dir=None)
        answer = data(await client.call_tool("list_jobs", {"status": None, "tag": None}))
    assert [job["job_id"] for job in answer["jobs"]] == [job_id]


@pytest.mark.slow
async def test_started_sweep_is_waited_for_and_reports_progress():
    heard = []

    async def listen(done, total, message):
        heard.append((done, total, message))

    async with Client(build_server()) as client:
        job_id = await created(client)
        begun = data(await client.call_tool("start_sweep", {"job_id": job_id}))
        assert begun["action"] == "started"
        assert "job_status" in begun["next"]
        answer = await waited(client, job_id, progress_callback=listen)
    assert answer["status"] == "completed"
    assert answer["completed_runs"] == 12
    assert "job_results" in answer["next"]
    assert heard[-1] == (12, 12, f"{job_id} is completed. 12 of 12 runs.")


async def test_running_job_is_left_alone_and_its_status_returned():
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await created(client)
        store = await manager.store()
        await store.claim(job_id, "another-worker", lease_s=3600, executor="local")
        answer = data(await client.call_tool("start_sweep", {"job_id": job_id}))
        assert answer["action"] == "already running"
        assert answer["status"] == "running"
        events = await manager.events(job_id)
        assert [event.event_type for event in events] == ["created", "started"]


async def test_status_of_a_pending_job_says_how_to_start_it():
    async with Client(build_server()) as client:
        job_id = await created(client)
        answer = data(await client.call_tool("job_status", {"job_id": job_id}))
    assert answer["status"] == "pending"
    assert answer["next"] == f"start_sweep(job_id='{job_id}') starts it."


async def test_results_answer_by_a_name_with_spaces_and_a_typo_and_say_how_it_was_read():
    async with Client(build_server()) as client:
        job_id = await completed(client)
        answer = data(await client.call_tool("job_results", {"job_id": typo(job_id)}))
    assert answer["job_id"] == job_id
    assert answer["summary"].startswith(f"Taken to mean {job_id} (read '")
    assert "Trading" in answer["summary"]


async def test_results_are_grouped_by_any_parameter_and_paged():
    async with Client(build_server()) as client:
        job_id = await completed(client)
        asked = {"job_id": job_id, "group_by": ["kappa", "seed"], "limit": 4}
        first = data(await client.call_tool("job_results", asked))
        second = data(await client.call_tool("job_results", {**asked, "offset": 4}))
    assert first["table"]["columns"][:3] == ["kappa", "seed", "n"]
    assert first["table"]["total_rows"] == 6
    assert "offset=4" in first["next"]
    assert "offset" not in second["next"]
    rows = first["table"]["rows"] + second["table"]["rows"]
    assert [row[:2] for row in rows] == [[k, s] for k in (0.25, 0.5) for s in (1, 2, 3)]


async def test_any_parameter_is_an_axis_that_results_are_grouped_by():
    config = {
        "sweep_type": "ring",
        "vary": {"n_agents": "5:9:2", "default_handling": ["fail-fast", "expel-agent"]},
    }
    async with Client(build_server()) as client:
        job_id = await completed(client, config)
        asked = {"job_id": job_id, "group_by": ["default_handling", "n_agents"]}
        answer = data(await client.call_tool("job_results", asked))
    assert [row[:2] for row in answer["table"]["rows"]] == [
        [word, n] for word in ("expel-agent", "fail-fast") for n in (5, 7, 9)
    ]
    assert answer["config"]["vary"]["n_agents"] == [5, 7, 9]
    assert "n_agents" not in answer["config"]


async def test_an_axis_that_there_is_not_is_refused_with_the_nearest():
    config = {"sweep_type": "ring", "vary": {"n_agnts": [5]}}
    async with Client(build_server()) as client:
        asked = {"description": "x", "config": config}
        said = refusal(await client.call_tool("create_job", asked))
    assert said.startswith("vary.n_agnts: unknown field; did you mean n_agents?")


async def test_results_give_averages_measures_and_files():
    async with Client(build_server()) as client:
        job_id = await completed(client)
        asked = {"job_id": job_id, "measures": ["trading_effect"]}
        answer = data(await client.call_tool("job_results", asked))
    assert answer["findings"]["completed_runs"] == 12
    assert answer["findings"]["n_pairs"] == 6
    assert answer["table"]["columns"] == [
        "n", "n_seeds", "verdict", "trading_effect", "trading_effect_low", "trading_effect_high",
    ]  # fmt: skip
    assert {"job_manifest.json", "runs.csv", "comparison.csv"} <= set(answer["files"])
    assert answer["folder"].endswith(job_id)
    assert answer["config"]["seeds"] == [1, 2, 3]
    assert "phi_m" not in answer["config"]
    assert "failures" not in answer
    assert answer["next"] == (
        f"job_results(job_id='{job_id}', group_by=['kappa']) breaks it down; also seed. "
        f"start_sweep(job_id='{job_id}', n_replicates=10) adds seeds. "
        f"The resource job://{job_id}/report is all of it on a page."
    )


async def test_results_of_a_job_not_started_say_so():
    async with Client(build_server()) as client:
        job_id = await created(client)
        answer = data(await client.call_tool("job_results", {"job_id": job_id}))
    assert "table" not in answer
    assert "Not started" in answer["summary"]
    assert "start_sweep" in answer["next"]


async def test_list_is_filtered_and_paged():
    async with Client(build_server()) as client:
        first = await created(client, tags=["paper"])
        second = await created(client, notes="about dealers")
        await completed(client)

        async def listed(**asked):
            return data(await client.call_tool("list_jobs", asked))

        assert [job["job_id"] for job in (await listed(tag="paper"))["jobs"]] == [first]
        assert [job["job_id"] for job in (await listed(text="DEALERS"))["jobs"]] == [second]
        assert (await listed(status="pending"))["total"] == 2
        page = await listed(limit=2)
        assert page["total"] == 3
        assert "offset=2" in page["next"]
        assert [job["job_id"] for job in (await listed(offset=2))["jobs"]] == [first]


async def test_reading_tools_append_no_event():
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await completed(client)
        before = await manager.events(job_id)
        for tool in ("job_status", "job_results"):
            data(await client.call_tool(tool, {"job_id": job_id}))
        data(await client.call_tool("list_jobs", {}))
        assert await manager.events(job_id) == before


async def test_repeated_call_creates_one_job_and_gets_the_same_answer():
    meta = {"claudecode/toolUseId": "toolu_01"}
    asked = {"description": "once", "config": SMALL, "job_id": "only-once"}
    async with Client(build_server()) as client:
        answers = [data(await client.call_tool("create_job", asked, meta=meta)) for _ in range(2)]
        assert answers[0] == answers[1]
        assert data(await client.call_tool("list_jobs", {}))["total"] == 1


@pytest.mark.slow
async def test_repeated_start_gets_the_same_answer_even_when_the_job_has_completed():
    meta = {"claudecode/toolUseId": "toolu_02"}
    async with Client(build_server()) as client:
        job_id = await created(client)
        first = await client.call_tool("start_sweep", {"job_id": job_id}, meta=meta)
        assert (await waited(client, job_id))["status"] == "completed"
        again = await client.call_tool("start_sweep", {"job_id": job_id}, meta=meta)
    assert data(again) == data(first)


async def test_repeated_start_resumes_no_failed_job_after_the_server_was_restarted():
    asked = {"meta": {"claudecode/toolUseId": "toolu_03"}}
    async with AsyncJobManager() as manager:
        async with Client(build_server()) as client:
            job_id = await created(client)
        store = await manager.store()
        lease, _ = await store.claim(
            job_id, "lost", lease_s=60, executor="local", request_key="toolu_03"
        )
        await store.end(lease, JobStatus.FAILED, error="the disk is full")
        async with Client(build_server()) as client:  # another process, which remembers nothing
            again = data(await client.call_tool("start_sweep", {"job_id": job_id}, **asked))
        assert (again["action"], again["status"]) == ("started", "failed")
        kinds = [event.event_type for event in await manager.events(job_id)]
    assert kinds == ["created", "started", "failed"]


async def test_cancelled_job_keeps_what_it_has_and_says_how_to_go_on():
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await created(client)
        store = await manager.store()
        await store.claim(job_id, "another-worker", lease_s=3600, executor="local")
        asked = {"job_id": job_id, "reason": "wrong grid"}
        answers = [data(await client.call_tool("cancel_job", asked)) for _ in range(2)]
        assert answers[0] == answers[1]
        assert answers[0]["status"] == "cancelled"
        assert "0 of 12 runs. What is recorded stays." in answers[0]["summary"]
        assert "computes what is missing" in answers[0]["next"]
        events = await manager.events(job_id)
    assert [event.event_type for event in events] == ["created", "started", "cancelled"]
    assert events[-1].details == {"reason": "wrong grid"}


def test_numbers_that_json_cannot_hold_become_none():
    answer = JobResults(
        summary="", next="", job_id="a-b", description="", status="completed",
        findings={"mean": float("nan"), "ci": [float("-inf"), 1.0]},
        table=None, frontier=None, folder="", files=[], failures={}, config={},
    )  # fmt: skip
    assert answer.findings == {"mean": None, "ci": [None, 1.0]}


def test_keys_of_groups_are_exact_and_values_have_six_digits():
    table = Table(
        columns=("kappa", "n", "delta"),
        rows=((0.3, 2, 1 / 3), (0.30000000000000004, 2, math.inf)),
        total_rows=2,
        n_keys=1,
    )
    answer = results_table(table, "delta", [], offset=0)
    assert answer is not None
    assert answer.rows == [[0.3, 2, 0.333333], [0.30000000000000004, 2, None]]


async def test_manifest_is_a_resource_and_names_are_offered_while_one_types():
    ref = ResourceTemplateReference(uri="job://{job_id}/manifest")
    async with Client(build_server()) as client:
        job_id = await created(client)
        read = await client.read_resource(f"job://{job_id}/manifest")
        assert json.loads(read.contents[0].text)["job_id"] == job_id
        typed = {"name": "job_id", "value": job_id[:5].upper()}
        offered = await client.complete(ref, typed)
        assert offered.completion.values == [job_id]
        assert not (await client.complete(ref, {"name": "job_id", "value": "qq"})).completion.values
        with pytest.raises(MCPError, match="none with a name like it"):
            await client.read_resource("job://no-such-job/manifest")


async def test_wait_for_a_job_that_stands_still_reports_all_the_same(monkeypatch):
    monkeypatch.setattr(status, "REPORT_S", 0.1)
    heard = []

    async def listen(*progress):
        heard.append(progress)

    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await created(client)
        await manager.start_job(job_id)
        asked = {"job_id": job_id, "wait_s": 1}
        answer = data(await client.call_tool("job_status", asked, progress_callback=listen))
    assert answer["status"] == "running"
    assert len(heard) >= 3
