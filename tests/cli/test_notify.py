"""`bilancio notify`, and commands that meet notices which wait."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from bilancio.jobs import JobManager
from tests.notify.receivers import target

ROOT = Path(__file__).parents[2]
SWEEP = ("sweep", "ring", "--n-agents", "5", "--kappas", "0.5", "--job-id", "calm-ring-one")


@pytest.fixture
def web(monkeypatch):
    with target(monkeypatch) as receiver:
        yield receiver


def test_a_target_is_tried_and_what_came_back_is_said(web, bilancio):
    web.answers = [204, 500, 204]
    assert bilancio("notify", "test").out == "lab (webhook to 127.0.0.1): 204 No Content.\n"
    failed = bilancio("notify", "test", "lab")
    assert failed.code == 1
    assert "lab (webhook to 127.0.0.1): not delivered, it answered 500" in failed.out
    (tried,) = json.loads(bilancio("notify", "test", "--json").out)["targets"]
    assert tried == {"target": "lab", "delivered": True, "said": "204 No Content"}


def test_an_unknown_target_is_refused_before_a_job_is_made(web, bilancio):
    refused = bilancio(*SWEEP, "--notify", "lba")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "notify: got 'lba'; allowed: lab. Did you mean lab?\n"
    assert "lab" in bilancio("notify", "test", "lba").err
    with JobManager() as manager:
        assert manager.list_jobs().total == 0


def test_a_command_delivers_what_waits_in_the_store_that_it_uses(web, bilancio, monkeypatch):
    address = os.environ["BILANCIO_NOTIFY"]
    with JobManager() as manager:
        job_id = manager.create_job(
            "by hand", {"sweep_type": "ring", "n_agents": 5}, notify=["lab"]
        ).job_id
        monkeypatch.delenv("BILANCIO_NOTIFY")
    with JobManager() as manager:
        manager.start_job(job_id)
        manager.complete_job(job_id)
    assert bilancio("notify", "list").out == f"{job_id} to lab, waiting\n"
    assert web.received == []
    monkeypatch.setenv("BILANCIO_NOTIFY", address)
    bilancio("jobs", "list")
    assert web.next_id().startswith(f"{job_id}_")


def test_a_sweep_that_is_watched_has_its_notice_sent(web, bilancio):
    assert bilancio(*SWEEP, "--notify", "lab").code == 0
    assert web.next_id().startswith("calm-ring-one_")


def test_the_hook_of_claude_code_says_what_has_ended_and_nothing_else(isolated):
    hooks = json.loads((ROOT / ".claude" / "settings.json").read_text())["hooks"]
    (hook,) = hooks["SessionStart"][0]["hooks"]

    def said():
        return subprocess.run(
            ["sh", "-c", hook["command"].replace("$CLAUDE_PROJECT_DIR", str(ROOT))],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout

    assert said() == ""
    with JobManager() as manager:
        job_id = manager.create_job("by hand", {"sweep_type": "ring", "n_agents": 5}).job_id
        manager.start_job(job_id)
        manager.complete_job(job_id)
    assert said() == f"Jobs that ended since the last session: {job_id} completed.\n"
    assert said() == ""
