"""Which jobs a list has, how its filters were read, and what to do where none matches."""

import json
from datetime import date

import pytest

from bilancio.errors import InvalidInput
from bilancio.jobs import JobConfig

RING = {"sweep_type": "ring", "n_agents": 5}
DAY_S = 86_400


def names(page):
    return [job.job_id for job in page.jobs]


@pytest.fixture
async def made(manager, clock):
    """Jobs of three days, the newest last."""

    async def create(job_id, config, description="a try", **more):
        await manager.create_job(description, JobConfig(**RING | config), job_id=job_id, **more)

    clock.now = clock.now.replace(year=2026, month=2, day=22, hour=23)  # a Sunday
    await create("old-one", {"kappas": ["0.5", 1]}, "Stressed liquidity", tags=["Paper", "x"])
    clock.forward(2 * 3600)
    await create("mid-one", {"vary": {"n_agents": [5, 6, 7]}, "n_agents": None}, notes="Größe")
    clock.forward(6 * DAY_S)
    await create("new-one", {"lhs": 9, "kappa_range": [1, 2], "n_replicates": 20}, tags=["paper"])
    clock.forward(DAY_S)
    return manager


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["new-one", "mid-one", "old-one"]),
        ({"text": "liquidity STRESSED"}, ["old-one"]),
        ({"text": "paper one"}, ["new-one", "old-one"]),
        ({"text": "GRÖSSE"}, ["mid-one"]),
        ({"text": "größe mid"}, ["mid-one"]),
        ({"text": "a_try"}, []),
        ({"text": "tries"}, []),
        ({"text": "papers ones"}, ["new-one", "old-one"]),
        ({"text": "liquidity's"}, []),
        ({"tag": "Paper"}, ["old-one"]),
        ({"tag": "Pap"}, []),
        ({"sweep_type": "ring"}, ["new-one", "mid-one", "old-one"]),
        ({"sweep_type": "balanced"}, []),
        ({"min_runs": 3}, ["new-one", "mid-one"]),
        ({"min_runs": 180}, ["new-one"]),
        ({"min_runs": 181}, []),
        ({"varied": ["kappa"]}, ["new-one", "old-one"]),
        ({"varied": "kappas"}, ["new-one", "old-one"]),
        ({"varied": ["liquidity"]}, ["new-one", "old-one"]),
        ({"varied": "κ"}, ["new-one", "old-one"]),
        ({"varied": "number of agents"}, ["mid-one"]),
        ({"varied": "ring size"}, ["mid-one"]),
        ({"varied": ["kappa_range", "seeds"]}, ["new-one"]),
        ({"varied": ["n_agents"]}, ["mid-one"]),
        ({"since": "2026-02-23"}, ["new-one", "mid-one"]),
        ({"until": "2026-02-22"}, ["old-one"]),
        ({"until": date(2026, 2, 23)}, ["mid-one", "old-one"]),
        ({"since": "last week", "until": "last week"}, ["new-one", "mid-one"]),
        ({"since": "this week"}, []),
        ({"since": "2d"}, ["new-one"]),
        ({"since": "yesterday", "until": "yesterday"}, ["new-one"]),
        ({"status": "pending", "until": "2026-02"}, ["mid-one", "old-one"]),
        ({"text": "", "tag": "", "since": "", "varied": []}, ["new-one", "mid-one", "old-one"]),
    ],
)
async def test_jobs_meet_every_filter(made, asked, found):
    page = await made.list_jobs(**asked)
    assert names(page) == found
    assert page.total == len(found)


async def test_the_answer_says_how_each_filter_was_read(made, clock):
    page = await made.list_jobs(
        since="last week", until="last week", min_runs=1, varied="kappas", text=" one  new "
    )
    assert page.filters == {
        "text": "one new", "since": "2026-02-23", "until": "2026-03-01", "min_runs": "1",
        "varied": "kappa",
    }  # fmt: skip
    assert page.without == {}


async def test_where_none_matches_it_is_known_which_filter_to_loosen(made):
    page = await made.list_jobs(text="stressed", since="2026-02-23", min_runs=2)
    assert page.total == 0
    assert page.without == {"text": 2, "since": 1, "min_runs": 0}


async def test_running_and_stalled_jobs_are_told_apart(made):
    store = await made.store()
    for job_id, lease_s in (("old-one", -1), ("mid-one", 3600)):
        await store.claim(job_id, "a-worker", lease_s=lease_s, executor="local")
    await made.start_job("new-one")
    assert names(await made.list_jobs(status="stalled")) == ["old-one"]
    assert names(await made.list_jobs(status="running")) == ["new-one", "mid-one"]
    page = await made.list_jobs(status="stalled", text="zebra")
    assert page.without == {"text": 1, "status": 0}


async def test_jobs_known_only_as_manifests_obey_the_same_filters(made):
    job = await made.exact("new-one")
    manifest = job.folder / "job_manifest.json"
    text = manifest.read_text()
    await made.delete_job("new-one")
    job.folder.mkdir(parents=True, exist_ok=True)
    manifest.write_text(text)
    assert json.loads(text)["job_id"] == "new-one"
    asked = {"varied": "kappa", "min_runs": 100, "since": "last week", "text": "new paper"}
    assert names(await made.list_jobs(**asked)) == ["new-one"]


async def test_a_job_that_grew_is_found_by_its_seeds(manager):
    await manager.create_job("x", RING, job_id="my-job")
    await manager.run_job("my-job")
    assert names(await manager.list_jobs(varied="seed")) == []
    await manager.run_job("my-job", n_replicates=3)
    assert names(await manager.list_jobs(varied="seed", min_runs=3)) == ["my-job"]


async def test_a_job_whose_results_decide_counts_the_runs_that_it_needed(manager):
    config = RING | {"precision": 1}
    await manager.create_job("x", config, job_id="my-job")
    planned = (await manager.exact("my-job")).total_runs
    assert names(await manager.list_jobs(min_runs=planned)) == ["my-job"]
    needed = (await manager.run_job("my-job")).total_runs
    assert needed < planned
    assert names(await manager.list_jobs(min_runs=planned)) == []
    assert names(await manager.list_jobs(min_runs=needed)) == ["my-job"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"status": "runing"}, r"status: got 'runing'; allowed: .*stalled. Did you mean running"),
        ({"sweep_type": "rings"}, "sweep_type: got 'rings'.* Did you mean ring"),
        ({"varied": ["kapa"]}, "varied: got 'kapa'.* Did you mean kappa"),
        (
            {"varied": ["happiness"]},
            r"varied: got 'happiness'; allowed: (\w+, ){2}\w+ and \d+ more.$",
        ),
        ({"sweep_type": "dealer"}, "sweep_type: got 'dealer'.* Did you mean balanced"),
        ({"varied": [7]}, "varied: got 7"),
        ({"since": "when"}, "since: got 'when'; allowed: a day"),
        ({"since": "today", "until": "yesterday"}, "until: got 'yesterday'; allowed: a moment"),
        ({"min_runs": "many"}, "min_runs: got 'many'; allowed: whole numbers from 0"),
        ({"limit": 0}, "limit: got 0"),
    ],
)
async def test_nonsense_is_refused_in_a_sentence(made, asked, told):
    with pytest.raises(InvalidInput, match=told):
        await made.list_jobs(**asked)


async def test_pages_are_counted_whole(made):
    page = await made.list_jobs(limit=1, offset=1)
    assert (names(page), page.total) == (["mid-one"], 3)
    assert (await made.list_jobs(offset=5)).total == 3
