"""Jobs are found, edited and deleted by calls, in both protocol eras."""

import json

import pytest
from mcp import Client
from mcp.types import ElicitResult, PromptReference

from bilancio.jobs.manager import AsyncJobManager
from bilancio_mcp.server import build_server
from tests.server.talk import created, data, module_command, over_stdio, refusal

RING = {"sweep_type": "ring", "n_agents": 5}
MANY = {"sweep_type": "balanced", "n_agents": 5, "concentrations": [1, 2], "n_replicates": 300}


def connected(mode="auto", **more):
    return Client(build_server(), mode=mode, **more)


def answering(action, content=None):
    """Return what answers for a user, and the questions that were asked."""
    asked = []

    async def answer(_, question):
        asked.append(question.message)
        return ElicitResult(action=action, content=content)

    return answer, asked


async def test_jobs_are_listed_by_what_they_vary_how_large_they_are_and_when():
    async with connected() as client:
        await created(client, RING)
        many = await created(client, MANY, tags="Paper")
        asked = {
            "text": "LIQUIDITY stressed", "since": "yesterday", "until": "today", "min_runs": 1000,
            "varied": "concentrations", "sweep_type": "balanced", "status": "pending",
            "tag": "Paper",
        }  # fmt: skip
        answer = data(await client.call_tool("list_jobs", asked))
        assert [job["job_id"] for job in answer["jobs"]] == [many]
        assert "varied concentration" in answer["summary"]
        assert "min_runs 1,000" in answer["summary"]


async def test_where_nothing_matches_the_filter_to_loosen_is_named():
    async with connected() as client:
        await created(client, RING)
        answer = data(await client.call_tool("list_jobs", {"text": "zebra", "min_runs": 1}))
        assert "Jobs that match without text: 1." in answer["next"]
        answer = data(await client.call_tool("list_jobs", {"text": "zebra", "min_runs": 10**6}))
        assert "loosen several" in answer["next"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"since": "when pigs fly"}, "since: got 'when pigs fly'; allowed: a day (2026-11-18)"),
        ({"until": "2026-13-01"}, "until: got '2026-13-01'"),
        ({"since": "today", "until": "yesterday"}, "until: got 'yesterday'; allowed: a moment"),
        ({"varied": ["konzentration"]}, "Did you mean concentration?"),
        ({"sweep_type": "balancd"}, "Did you mean balanced?"),
        ({"min_runs": -1}, "min_runs: got -1"),
    ],
)
async def test_nonsense_is_refused_with_what_is_allowed(asked, told):
    async with connected() as client:
        assert told in refusal(await client.call_tool("list_jobs", asked))


async def test_words_about_a_job_are_edited_and_only_under_its_exact_name():
    async with connected() as client:
        job_id = await created(client, RING, notes="old", tags="a, b")
        asked = {"job_id": job_id, "description": "new words", "notes": "", "tags": ["c"]}
        answer = data(await client.call_tool("edit_job", asked))
        assert answer["description"] == "new words"
        assert (answer["notes"], answer["tags"]) == ("", ["c"])
        part = {"job_id": " ".join(job_id.split("-")[:2]), "notes": "x"}
        assert f"Did you mean {job_id}?" in refusal(await client.call_tool("edit_job", part))
        nothing = {"job_id": job_id}
        assert "nothing to change" in refusal(await client.call_tool("edit_job", nothing))
        empty = {"job_id": job_id, "description": " "}
        assert "a few words" in refusal(await client.call_tool("edit_job", empty))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_job_is_deleted_once_the_user_has_agreed(mode):
    answer, asked = answering("accept", {"delete": True})
    server = over_stdio(module_command())
    async with Client(server, mode=mode, elicitation_callback=answer) as client:
        job_id = await created(client, RING)
        done = data(await client.call_tool("delete_job", {"job_id": job_id}))
        assert done["job_id"] == job_id
        assert data(await client.call_tool("list_jobs", {}))["total"] == 0
    assert len(asked) == 1
    assert job_id in asked[0]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(
    ("action", "content"), [("decline", None), ("cancel", None), ("accept", {"delete": False})]
)
async def test_a_job_stays_where_the_user_does_not_agree(mode, action, content):
    answer, _ = answering(action, content)
    async with connected(mode, elicitation_callback=answer) as client:
        job_id = await created(client, RING)
        said = refusal(await client.call_tool("delete_job", {"job_id": job_id}))
        assert said == "The user was asked, and has not agreed. Nothing was deleted."
        assert data(await client.call_tool("list_jobs", {}))["total"] == 1


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_without_elicitation_deleting_needs_the_name_as_confirmation(mode):
    async with connected(mode) as client:
        job_id = await created(client, RING)
        said = refusal(await client.call_tool("delete_job", {"job_id": job_id}))
        assert f"Nothing was deleted. Ask the user; if they agree, give confirm='{job_id}'." in said
        wrong = {"job_id": job_id, "confirm": "yes"}
        assert "confirm: got 'yes'" in refusal(await client.call_tool("delete_job", wrong))
        assert data(await client.call_tool("list_jobs", {}))["total"] == 1
        done = data(await client.call_tool("delete_job", {"job_id": job_id, "confirm": job_id}))
        assert done["summary"].startswith(f"Job {job_id} is deleted")


async def test_a_running_job_is_not_deleted_and_nobody_is_asked():
    answer, asked = answering("accept", {"delete": True})
    async with connected(elicitation_callback=answer) as client, AsyncJobManager() as manager:
        job_id = await created(client, RING)
        await manager.start_job(job_id)
        said = refusal(await client.call_tool("delete_job", {"job_id": job_id}))
        assert "is running and cannot be deleted. Cancel it first." in said
    assert asked == []


async def test_a_question_follows_a_name_as_it_is_said_and_says_how():
    async with connected() as client:
        job_id = await created(client, RING, job_id="bright-ocean-swift-tiger")
        for typed in (
            "the bright ocean job",
            "ocean bright tiger swift",
            "brite ocean swift tiger",
        ):
            answer = data(await client.call_tool("job_status", {"job_id": typed}))
            assert answer["job_id"] == job_id
            assert answer["summary"].startswith(f"Taken to mean {job_id} (")
            said = refusal(await client.call_tool("cancel_job", {"job_id": typed}))
            assert f"Did you mean {job_id}?" in said


async def test_a_long_job_is_recommended_to_be_watched_in_the_background():
    long = {"sweep_type": "ring", "n_agents": 10_000, "n_replicates": 900_000}
    async with connected() as client:
        job_id = await created(client, long)
        answer = data(await client.call_tool("start_sweep", {"job_id": job_id}))
        assert f"`bilancio jobs watch {job_id}` in the background" in answer["next"]
        short = await created(client, RING)
        assert "watch" not in data(await client.call_tool("job_status", {"job_id": short}))["next"]
        await client.call_tool("cancel_job", {"job_id": job_id})


async def test_prompts_take_names_that_are_completed():
    async with connected() as client:
        job_id = await created(client, RING)
        prompts = {each.name: each for each in (await client.list_prompts()).prompts}
        assert list(prompts) == ["run_sweep", "explain_results", "compare"]
        for name, arguments in {
            "run_sweep": {"request": "a ring of 20"},
            "explain_results": {"job_id": job_id},
            "compare": {"job_id": job_id, "other": "quiet-meadow"},
        }.items():
            (message,) = (await client.get_prompt(name, arguments)).messages
            for given in arguments.values():
                assert given in message.content.text


async def test_resources_of_a_job_are_named_by_answers_and_can_be_read():
    async with connected() as client, AsyncJobManager() as manager:
        job_id = await created(client, RING | {"kappas": [1, 2]})
        templates = (await client.list_resource_templates()).resource_templates
        kinds = ("manifest", "summary", "runs", "report", "events")
        assert [each.uri_template for each in templates] == [
            f"job://{{job_id}}/{kind}" for kind in kinds
        ]
        await manager.run_job(job_id)
        results = data(await client.call_tool("job_results", {"job_id": job_id}))
        read = {}
        for kind in kinds:
            (content,) = (await client.read_resource(f"job://{job_id}/{kind}")).contents
            if kind == "report":
                assert content.mime_type == "text/markdown"
                assert f"# {job_id}" in content.text
                assert "The average default rate is" in content.text
                assert not (await manager.exact(job_id)).folder.joinpath("report.md").exists()
                continue
            read[kind] = json.loads(content.text)
            assert read[kind]["job_id"] == job_id
        assert read["summary"]["summary"]["total_runs"] == 2
        assert (read["runs"]["total"], len(read["runs"]["rows"])) == (2, 2)
        assert read["events"]["rows"][0][1] == "completed"
        failed = await created(client, RING)
        await manager.start_job(failed)
        await manager.fail_job(failed, "the power went")
        answer = data(await client.call_tool("job_status", {"job_id": failed}))
        assert f"job://{failed}/events" in answer["next"]
        assert f"job://{job_id}/report" in results["next"]


async def test_names_are_offered_to_prompts_while_one_types():
    async with connected() as client:
        job_id = await created(client, RING)
        for name, argument in (("explain_results", "job_id"), ("compare", "other")):
            ref = PromptReference(type="ref/prompt", name=name)
            typed = {"name": argument, "value": job_id[:6]}
            assert (await client.complete(ref, typed)).completion.values == [job_id]


async def test_jobs_are_listed_by_owner_and_those_of_others_say_whose_they_are(monkeypatch):
    monkeypatch.setenv("LOGNAME", "ben")
    async with AsyncJobManager() as manager:
        await manager.create_job("of another", RING, job_id="his-job")
    monkeypatch.setenv("LOGNAME", "anna")
    async with connected() as client:
        await created(client, RING)
        (mine,) = data(await client.call_tool("list_jobs", {"owner": "me"}))["jobs"]
        (his,) = data(await client.call_tool("list_jobs", {"owner": "ben"}))["jobs"]
        status = data(await client.call_tool("job_status", {"job_id": "his-job"}))
    assert "owner" not in mine
    assert his["job_id"] == "his-job"
    assert his["owner"] == status["owner"]
    assert his["owner"].startswith("ben@")
