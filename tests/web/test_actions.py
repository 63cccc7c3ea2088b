"""What changes a job: asked for on a page of its own, done by the form there."""

import pytest

from bilancio.jobs import JobManager
from bilancio.text import UNTIMED
from tests.own_project import working_in, write
from tests.web.conftest import serving_app

NAME = "quiet-meadow-golden-hawk"
SMALL = {"sweep_type": "ring", "n_agents": 10, "kappas": ["0.5"], "n_replicates": 2}
LONG = SMALL | {"n_agents": 200, "n_replicates": 1_000_000}
SLEEPLESS = """
from bilancio import experiment

@experiment("sleepless")
def simulate(seed: int, rate: float = 0.5):
    return {"wait": seed * rate}
"""
VERBS = ("start", "resume", "extend", "cancel", "edit", "delete")
HOSTILE = "<script>alert(1)</script> \u202eevil\u202c\n\n  two\ttabs \\u202e 'q' \"d\" &amp;"


@pytest.fixture
def job(manager):
    """The address of a job that waits to be started."""
    manager.create_job("Wait.", SMALL, job_id=NAME, tags=["one", "two"], notes="First.")
    return f"/jobs/{NAME}"


@pytest.fixture
def is_as_it_was(manager):
    """Return a function that says whether the jobs and their events are as when it was made."""

    def all_of_it():
        jobs = manager.list_jobs().jobs
        return [(each, list(manager.events(each.job_id))) for each in jobs]

    before = all_of_it()
    return lambda: all_of_it() == before


def kinds(manager):
    return [each.event_type.value for each in manager.events(NAME)]


def test_a_job_is_started_cancelled_and_resumed(site, manager):
    manager.create_job("Long.", LONG, job_id=NAME)
    path = f"/jobs/{NAME}"
    assert "<button>Start</button>" in site.get(f"{path}/start").text
    started = site.post(f"{path}/start")
    assert (started.status, started.headers["location"]) == (303, path)
    assert f'href="{path}/cancel"' in site.get(path).text
    assert site.post(f"{path}/start").status == 303  # it runs, and goes on
    assert site.post(f"{path}/cancel", {"reason": "<b>wrong</b> grid"}).status == 303
    assert manager.wait(NAME).state == "cancelled"
    assert "&lt;b&gt;wrong&lt;/b&gt; grid" in site.get(f"{path}/events").text
    assert site.post(f"{path}/resume").status == 303
    assert "resumed" in kinds(manager)
    manager.cancel_job(NAME)


def test_a_start_says_how_long_it_takes_and_where_nothing_tells_that_it_is_not_known(
    site, manager, job, tmp_path, monkeypatch
):
    with working_in(tmp_path / "study", monkeypatch) as folder:
        write(folder, sleepless=SLEEPLESS)
        manager.create_job("Own.", {"sweep_type": "sleepless"}, job_id="my-own-job")
        known, unknown = (site.get(f"{path}/start").text for path in (job, "/jobs/my-own-job"))
    assert "0 of 2 runs. What is missing: 2 runs, probably less than 1 s on " in known
    assert "0 of 1 run. What is missing: 1 run, on " in unknown
    assert UNTIMED.partition("'")[2] in unknown


def test_a_completed_job_gets_more_seeds_and_computes_only_these(site, manager, job):
    manager.run_job(NAME)
    assert "recorded stay" in site.get(f"{job}/extend").text
    assert site.post(f"{job}/extend", {"n_replicates": " 5 "}).status == 303
    done = manager.wait(NAME)
    assert (done.state, done.completed_runs) == ("completed", 5)


def test_many_more_seeds_ask_first_and_once(site, manager, job, monkeypatch):
    manager.run_job(NAME)
    monkeypatch.setenv("BILANCIO_CONFIRM_RUNS", "10")
    with serving_app() as asking:
        asked = asking.post(f"{job}/extend", {"n_replicates": "0020"})
        assert asked.status == 409
        assert "BILANCIO_CONFIRM_RUNS" in asked.text
        assert 'name="agreed" value="20"' in asked.text
        other = asking.post(f"{job}/extend", {"n_replicates": "21", "agreed": "20"})
        assert other.status == 409
        assert manager.get_job(NAME).total_runs == 2
        agreed = asking.post(f"{job}/extend", {"n_replicates": "0020", "agreed": "20"})
        assert agreed.status == 303
    assert manager.wait(NAME).completed_runs == 20


def test_words_about_a_job_are_edited(site, manager, job):
    form = {"description": HOSTILE.replace("\n", "\r\n"), "notes": "", "tags": " a , <b> "}
    assert site.post(f"{job}/edit", form).status == 303
    changed = manager.get_job(NAME)
    assert (changed.description, changed.notes, changed.tags) == (HOSTILE, "", ("a", "<b>"))
    for page in ("/", job, f"{job}/edit"):
        assert "<script>alert" not in site.get(page).text


def test_what_was_not_edited_stays_to_the_letter(site, manager):
    """Though a form shows hidden letters written out, and ends its lines in CR LF."""
    notes = f"\n{HOSTILE}\r\nlast \u200d line\n"
    manager.create_job(HOSTILE, SMALL, job_id=NAME, notes=notes, tags=["a,b", "\u202ec"])
    shown = {
        "description": HOSTILE.replace("\u202e", "\\u202e").replace("\u202c", "\\u202c"),
        "notes": notes.replace("\u202e", "\\u202e")
        .replace("\u202c", "\\u202c")
        .replace("\r\n", "\\x0d\n"),
        "tags": "a,b, \\u202ec",
    }
    form = {name: text.replace("\n", "\r\n") for name, text in shown.items()}
    assert site.post(f"/jobs/{NAME}/edit", form | {"notes": "Other."}).status == 303
    changed = manager.get_job(NAME)
    assert changed.description == HOSTILE
    assert changed.tags == ("a,b", "\u202ec")
    assert changed.notes == "Other."
    assert site.post(f"/jobs/{NAME}/edit", {}).status == 303
    assert manager.get_job(NAME) == changed


def test_a_job_is_deleted_only_by_its_whole_name(site, manager, job, is_as_it_was):
    for name in ("", "quiet", NAME.upper(), f"{NAME}-"):
        refused = site.post(f"{job}/delete", {"confirm": name})
        assert refused.status == 409
        assert NAME in refused.text
    assert is_as_it_was()
    done = site.post(f"{job}/delete", {"confirm": f" {NAME} "})
    assert (done.status, done.headers["location"]) == (303, "/")
    assert manager.get_job(NAME) is None
    assert site.get(job).status == 404


@pytest.mark.parametrize(
    ("verb", "form", "word"),
    [
        ("extend", {}, "n_replicates"),
        ("extend", {"n_replicates": "many"}, "many"),
        ("extend", {"n_replicates": "0"}, "n_replicates"),
        ("extend", {"n_replicates": "-1"}, "n_replicates"),
        ("extend", {"n_replicates": "1"}, "n_replicates"),
        ("extend", {"n_replicates": "9" * 30}, "n_replicates"),
        ("extend", {"n_replicates": "9" * 5000}, "n_replicates"),
        ("resume", {}, "completed"),
        ("start", {}, "completed"),
        ("cancel", {}, "completed"),
        ("edit", {"description": " "}, "description"),
        ("edit", {"description": "\0"}, "description"),
        ("edit", {"notes": "n" * 10_001}, "notes"),
        ("edit", {"tags": "a,,b"}, "tags"),
        ("edit", {"tags": ",".join(map(str, range(60)))}, "tags"),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page_and_changes_nothing(completed, verb, form, word):
    site, manager, before = completed
    answer = site.post(f"/jobs/{NAME}/{verb}", form)
    assert answer.status == 409
    assert 'role="alert"' in answer.text
    assert word in answer.text
    assert (manager.get_job(NAME), kinds(manager)) == before


@pytest.fixture(scope="module")
def completed(tmp_path_factory):
    """A page, a manager and what it says of a completed job, that tests share and leave alone."""
    folder = tmp_path_factory.mktemp("completed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{folder / 'bilancio.db'}")
        patch.setenv("BILANCIO_OUT_DIR", str(folder / "out"))
        with JobManager() as manager, serving_app() as site:
            manager.create_job("Done.", SMALL, job_id=NAME)
            manager.run_job(NAME)
            yield site, manager, (manager.get_job(NAME), kinds(manager))


def test_texts_that_are_too_long_come_back_to_whoever_wrote_them(completed):
    site, _, _ = completed
    long = "word " * 3000
    assert long in site.post(f"/jobs/{NAME}/edit", {"notes": long}).text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"notes=" + b"n" * 3_000_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"n%d=1" % i for i in range(5000)), "application/x-www-form-urlencoded"),
        (b"n" * 3_000_000, "application/x-www-form-urlencoded"),
        (b"--x\r\nno form", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data"),
        (
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\ny\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_forms_that_are_none_or_far_too_large_are_refused(completed, body, kind):
    site, manager, before = completed
    sent = {"cookie": site.logged_in(), "origin": site.origin, "content-type": kind}
    answer = site.ask("POST", f"/jobs/{NAME}/edit", body, **sent)
    assert answer.status in {400, 413}
    assert "<h1>" in answer.text
    assert (manager.get_job(NAME), kinds(manager)) == before


def test_only_the_exact_name_changes_a_job(site, job, is_as_it_was):
    for name in ("quiet-medow-golden-hawk", "quiet", "golden-hawk-quiet-meadow", "nosuch"):
        answer = site.post(f"/jobs/{name}/cancel")
        assert answer.status == 404, name
    assert NAME in site.post("/jobs/quiet-medow-golden-hawk/cancel").text
    assert site.post(f"{job}/obliterate").status == 404
    assert site.post(f"{job}/events").status in {404, 405}
    assert site.post(job).status == 405
    assert is_as_it_was()


def test_looking_at_what_an_action_would_do_changes_nothing(site, job, is_as_it_was):
    for verb in VERBS:
        page = site.get(f"{job}/{verb}")
        assert page.status == 200
        assert f'href="{job}"' in page.text
        assert ('<form method="post"' in page.text) == (verb not in {"resume", "extend"})
    assert is_as_it_was()


def test_a_server_that_is_read_only_changes_nothing_and_offers_nothing(job, is_as_it_was):
    with serving_app(read_only=True) as site:
        for page in (
            "/",
            job,
            f"{job}/events",
            f"{job}/configuration",
            *(f"{job}/{v}" for v in VERBS),
        ):
            shown = site.get(page)
            assert shown.status == 200
            assert 'method="post"' not in shown.text
            assert all(f'href="{job}/{verb}"' not in shown.text for verb in VERBS)
        for verb in VERBS:
            answer = site.post(f"{job}/{verb}", {"confirm": NAME, "description": "x"})
            assert answer.status == 403
            assert "--read-only" in answer.text
    assert is_as_it_was()
